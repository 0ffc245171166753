"""Fetching mails from a real IMAP server."""

import asyncio
import os
import signal
import sys

import pytest

from intake_service.usecases import attachments
from shared.bus.crash import PULL_POINTS
from shared.web.auth import Role
from tests.component.intake.test_channels import put
from tests.component.intake.test_pulling import pulling, state, until
from tests.support import dovecot
from tests.support.mails import file, mail, of_parts, text

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    dovecot.needed()
    with dovecot.imap_server(tmp_path_factory.mktemp("imap")) as running:
        yield running


@pytest.fixture
def imap(server):
    """With an empty folder, numbered anew."""
    server.renew()
    return server


def letter(number, **changes):
    return mail(f"It is broken, {number}.", message_id=f"m-{number}@mail.example", **changes)


async def fetched(intake, imap, monkeypatch, **settings):
    monkeypatch.setenv("INTAKE_SECRET_MAIL", dovecot.PASSWORD)
    body = {
        "kind": "imap",
        "account": "help@shop.example",
        "title": {"zh": "邮箱", "en": "Mail"},
        "owner_team": "mail-team",
        "settings": {"host": "127.0.0.1", "port": imap.port, "security": "none", "username": "help"}
        | {"folder": dovecot.FOLDER, "poll_seconds": 1}
        | settings,
        "secrets": {"password": "env:INTAKE_SECRET_MAIL"},
    }
    made = await put(intake, "box", body)
    assert made.status_code == 201, made.text


async def kept(intake, count):
    for _ in range(500):
        if await intake.one("select count(*) from receipts") >= count:
            break
        await asyncio.sleep(0.02)
    return await intake.rows("select message_id, status from receipts order by message_id")


@pytest.mark.parametrize("idle", [True, False])
async def test_what_is_there_and_what_comes_is_fetched_once(intake, imap, monkeypatch, idle):
    imap.append(letter(1), letter(2))
    await fetched(intake, imap, monkeypatch, idle=idle)
    async with pulling(intake):
        assert await kept(intake, 2) == [(f"m-{number}@mail.example", "created") for number in (1, 2)]
        imap.append(letter(3))
        assert len(await kept(intake, 3)) == 3
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert (found["health"], found["unaccounted"]) == ("healthy", 0)


async def test_a_mailbox_that_was_numbered_anew_is_read_again_and_doubles_nothing(intake, imap, monkeypatch):
    imap.append(letter(1), letter(2))
    await fetched(intake, imap, monkeypatch)
    async with pulling(intake):
        await kept(intake, 2)
    before = await intake.one("select cursor ->> 'uidvalidity' from channel_states")
    imap.renew()
    imap.append(letter(2), letter(3))
    async with pulling(intake):
        assert [each[0] for each in await kept(intake, 3)] == [f"m-{number}@mail.example" for number in (1, 2, 3)]
    assert await intake.one("select cursor ->> 'uidvalidity' from channel_states") != before
    assert await intake.one("select count(*) from complaints") == 3


async def test_what_cannot_be_understood_is_set_aside_and_the_next_is_taken(intake, imap, monkeypatch):
    large = of_parts("mixed", text("See it."), file(b"\x00" * 3_000_000, "Content-Type: image/png; name=a.png"))
    imap.append(letter(1, sender=None), b"no mail at all", large, letter(4))
    await fetched(intake, imap, monkeypatch, max_bytes=2_000_000)
    async with pulling(intake):
        await kept(intake, 4)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert found["unaccounted"] == 0
    listed = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert sorted(each["doubts"][0]["reason"] for each in listed) == ["no_identity", "no_identity", "unreadable"]
    assert await intake.one("select count(*) from complaints") == 1


async def test_a_large_mail_is_fetched_in_parts_as_it_is(intake, imap, monkeypatch):
    large = of_parts("mixed", text("See it."), file(os.urandom(3_000_000), "Content-Type: image/png; name=a.png"))
    imap.append(large)
    await fetched(intake, imap, monkeypatch)
    async with pulling(intake):
        await kept(intake, 1)
    deps = intake.services[0].deps
    assert await attachments.whole(await intake.one("select body_sha256 from receipts"), deps) == large


async def test_a_wrong_password_is_told_without_the_password(intake, imap, monkeypatch):
    imap.append(letter(1))
    await fetched(intake, imap, monkeypatch)
    monkeypatch.setenv("INTAKE_SECRET_MAIL", "wrong")
    async with pulling(intake):
        found = await until(intake, lambda it: it["problems"])
    assert found["problems"] == ["127.0.0.1 refuses the login of help."]
    assert (await state(intake))["health"] == "unhealthy"


@pytest.mark.parametrize("point", sorted(PULL_POINTS))
async def test_a_fetcher_that_is_killed_loses_nothing_and_doubles_nothing(intake, imap, monkeypatch, point):
    imap.append(letter(1), letter(2))
    await fetched(intake, imap, monkeypatch)
    environment = {**os.environ, "INTAKE_DATABASE_URL": intake.database.url, "REDRESS_CRASH_AT": point}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.component.intake.shelf", env=environment
    )
    assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    async with pulling(intake, process=1):
        assert await kept(intake, 2) == [(f"m-{number}@mail.example", "created") for number in (1, 2)]
        await until(intake, lambda it: it["waiting"] == 0)
    assert await intake.one("select count(*) from complaints") == 2
