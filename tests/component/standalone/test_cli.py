"""The command line says what is wrong and what to do next, and ends with a status that a script can use."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from redress.cli import cli
from redress.told import Told
from shared.web.tokens import Signer

RUN = CliRunner()


def redress(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from redress.cli import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_token_says_who_in_which_roles_and_for_how_long(tmp_path: Path) -> None:
    folder = str(tmp_path)
    given = RUN.invoke(
        cli, ["token", "--as", "王小明", "--role", "agent", "--role", "lead", "--ttl", "30m", "--data", folder]
    )
    assert given.exit_code == 0
    signer = Signer.in_folder(tmp_path / "keys")
    key = jwt.PyJWKSet.from_json(signer.jwks).keys[0]
    claims = jwt.decode(given.stdout.strip(), key, algorithms=[signer.algorithm], audience="redress", issuer="redress")
    assert (claims["sub"], claims["name"], claims["roles"]) == ("王小明", "王小明", ["agent", "lead"])
    assert claims["exp"] - claims["iat"] == 1800


def test_the_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    RUN.invoke(cli, ["token", "--as", "a", "--role", "agent", "--data", str(tmp_path)])
    assert (tmp_path / "keys" / "signing-key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["token", "--as", "a", "--role", "boss"], "There is no role boss. Roles: adapter, agent"),
        (["token", "--as", "a", "--role", "agent", "--ttl", "soon"], "Examples: 90s, 30m, 8h, 7d."),
        (["health", "--url", "http://127.0.0.1:9"], "Start it with `redress up`"),
        (["health", "--at", "intake"], "Example: --at intake=http://"),
        (["dlq", "list", "billing"], "There is no service billing. Services: intake, triage"),
        (["dlq", "replay", "intake"], "Name one dead letter, or say --all."),
        (["migrate", "billing"], "There is no service billing."),
        (["quarantine", "list", "--url", "http://127.0.0.1:9"], "No answer from http://127.0.0.1:9"),
        (["intake", "reconcile", "--url", "http://127.0.0.1:9"], "No answer from http://127.0.0.1:9"),
        (["adapter-check", "http://127.0.0.1:9"], "Say who posts: --key"),
    ],
)
def test_a_mistake_is_told_with_its_cure(arguments: list[str], said: str, tmp_path: Path) -> None:
    folder = [] if arguments[0] in ("health", "adapter-check") else ["--data", str(tmp_path)]
    with pytest.raises(Told) as told:
        RUN.invoke(cli, [*arguments, *folder], catch_exceptions=False)
    assert said in str(told.value)


def test_a_trouble_goes_to_standard_error_in_one_message_and_ends_with_1() -> None:
    ended = redress("health", "--url", "http://127.0.0.1:9")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "redress up" in ended.stderr


def test_a_table_in_a_pipe_is_whole_and_says_what_was_sent_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    from redress.tables import show

    table = Table("account", "reason", box=None)
    table.add_row("wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q" * 4, "被拒绝 [/red] " * 20)
    show(table)
    said = capsys.readouterr().out
    assert "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q" * 4 in said
    assert ("被拒绝 [/red] " * 20).strip() in said
    assert len(said.splitlines()) == 2


def test_what_cannot_be_understood_ends_with_2() -> None:
    assert redress("upp").returncode == 2


def test_a_database_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres@127.0.0.1:9/postgres")
    with pytest.raises(Told, match="Look at DATABASE_URL"):
        RUN.invoke(cli, ["migrate", "--data", str(tmp_path)], catch_exceptions=False)


def test_topics_without_a_broker_are_told() -> None:
    with pytest.raises(Told, match="KAFKA_BOOTSTRAP_SERVERS"):
        RUN.invoke(cli, ["topics", "--bootstrap", "127.0.0.1:9"], catch_exceptions=False)


@pytest.mark.kafka
def test_topics_are_made_once_and_a_different_plan_is_told(kafka_bootstrap: str) -> None:
    first = RUN.invoke(cli, ["topics", "--bootstrap", kafka_bootstrap, "--partitions", "3"])
    assert first.exit_code == 0, first.output
    again = RUN.invoke(cli, ["topics", "--bootstrap", kafka_bootstrap, "--partitions", "3"])
    assert all(": is there" in line for line in again.stdout.splitlines())
    with pytest.raises(Told, match="left alone"):
        RUN.invoke(cli, ["topics", "--bootstrap", kafka_bootstrap, "--partitions", "6"], catch_exceptions=False)
