"""The command line. Answers go to standard output, troubles and what to do about them to standard error.

Ends with 0 when what was asked is so, 1 when it is not, 2 when it could not be understood.
"""

import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from redress import deadletters, intake, quarantine, sla
from redress.told import Told

T = TypeVar("T")

cli = typer.Typer(
    name="redress",
    help="Redress: complaints handled as one closed loop. 投诉闭环处理。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(deadletters.cli, name="dlq", help="Dead letters: what a service could not handle.")
cli.add_typer(intake.cli, name="intake", help="Receiving: whether everything that came in is accounted for.")
cli.add_typer(quarantine.cli, name="quarantine", help="Messages that could not be understood.")
cli.add_typer(sla.cli, name="sla", help="Service levels: whether the clocks follow from their facts, policy packs.")

Data = Annotated[Path, typer.Option("--data", envvar="REDRESS_DATA", help="The folder of data, keys and mails.")]
DATA = Path(".redress")


def app() -> None:
    """The entry point: every trouble that has a cure is one message, never a traceback."""
    try:
        cli()
    except Told as trouble:
        sys.stderr.write(f"{trouble}\n")
        sys.exit(1)


@cli.command()
def up(
    data: Data = DATA,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8080,
    smtp_port: Annotated[int, typer.Option(help="The port of the mail server; 0 takes a free one.")] = 0,
) -> None:
    """Run the whole system in this process: all services, PostgreSQL, mail. Ctrl-C ends it, the data stay."""
    from redress.up import run

    run(data, host, port, smtp_port)


@cli.command()
def demo(
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Seven processes, a real Kafka, the real clock (Java and Maven).")
    ] = False,
    twin: Annotated[
        bool, typer.Option("--twin", help="The unhappy twin too: nobody answers, nobody is satisfied.")
    ] = False,
) -> None:
    """Play one complaint from receipt to review on a system of its own; 1 unless everything was seen."""
    from redress.demo.play import play

    if not play(over_kafka=kafka, with_twin=twin):
        raise typer.Exit(1)


@cli.command()
def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="Services; all of them by default.")] = None,
    data: Data = DATA,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; 1 where they differ.")] = False,
) -> None:
    """Create roles and schemas and bring them up to date, by DATABASE_URL (an administrator's) or in the folder."""
    from redress import migrations

    outcome = run_async(migrations.check(data, services) if check else migrations.migrate(data, services))
    if not outcome:
        raise typer.Exit(1)


@cli.command()
def revision(
    service: Annotated[str, typer.Argument(help="The service whose tables changed.")],
    message: Annotated[str, typer.Option("--message", "-m", help="What the migration does, as a sentence.")],
    data: Data = DATA,
) -> None:
    """Write a migration from the difference between a service's tables and its tree (for developers)."""
    from redress import migrations

    run_async(migrations.write_revision(data, service, message))


@cli.command()
def topics(
    bootstrap: Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP_SERVERS", help="host:port,host:port")],
    partitions: Annotated[int, typer.Option(envvar="KAFKA_PARTITIONS", min=1)] = 12,
    replication: Annotated[int, typer.Option(min=1, help="Copies of every record.")] = 1,
    retention_days: Annotated[int, typer.Option(min=1, help="How long business topics keep an event.")] = 7,
) -> None:
    """Create the topics that are missing, with partitions and retention. Those that are there are left alone."""
    from redress.topics import create

    run_async(create(bootstrap, partitions, replication, retention_days))


@cli.command()
def token(
    name: Annotated[str, typer.Option("--as", help="Who it is for; the name in the timeline.")],
    role: Annotated[list[str], typer.Option("--role", help="adapter, agent, lead, manager, quality or admin.")],
    ttl: Annotated[str, typer.Option(help="How long it is good: 90s, 30m, 8h, 7d.")] = "1h",
    team: Annotated[list[str] | None, typer.Option(help="A team's id; repeatable.")] = None,
    data: Data = DATA,
) -> None:
    """Issue a token with the key of this data folder, for the system that `redress up` runs on it."""
    from shared.web.principal import Role
    from shared.web.tokens import Signer

    unknown = [each for each in role if each not in set(Role)]
    if unknown:
        raise Told(f"There is no role {', '.join(unknown)}. Roles: {', '.join(Role)}.")
    signer = Signer.in_folder(data / "keys")
    typer.echo(signer.token(name, *map(Role, role), name=name, teams=team or (), seconds=_seconds(ttl)))


@cli.command("adapter-check")
def adapter_check(
    url: Annotated[str, typer.Argument(help="Where POST /v1/messages is, such as http://127.0.0.1:8080/intake.")],
    key: Annotated[str | None, typer.Option(envvar="REDRESS_KEY", help="An adapter's key.")] = None,
    token: Annotated[str | None, typer.Option(envvar="REDRESS_TOKEN", help="A token, in place of a key.")] = None,
    channel: Annotated[str, typer.Option(help="The channel to post as.")] = "in_app",
    account: Annotated[str, typer.Option(help="The account to post as.")] = "adapter-check",
) -> None:
    """Post what adapters post on their worst days, and say what it answers; 1 unless all is well. It leaves complaints
    behind: not for a system in earnest."""
    from redress.adaptercheck import check

    if not run_async(check(url, key, token, channel, account)):
        raise typer.Exit(1)


@cli.command()
def health(
    url: Annotated[str, typer.Option(help="Where the standalone system listens.")] = "http://127.0.0.1:8080",
    at: Annotated[
        list[str] | None, typer.Option(help="A service on its own, intake=http://host:8080; repeatable.")
    ] = None,
) -> None:
    """A table of what every service says of its readiness; 1 where one is not ready."""
    from redress.health import look

    if not run_async(look(url, at or [])):
        raise typer.Exit(1)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what a user can cure becomes a message."""
    import asyncio

    from redress.told import told

    with told():
        return asyncio.run(work)


def _seconds(ttl: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,5})([smhd]?)", ttl)
    if found is None:
        raise Told(f"{ttl!r} is no length of time. Examples: 90s, 30m, 8h, 7d.")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
