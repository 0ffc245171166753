"""What comes by mail on a bad day: kept or put aside, or refused for good; and the next one is taken."""

import asyncio
import smtplib
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from intake_service.smtp import open_door
from shared.web.auth import Role
from tests.component.intake.bad_input import BODIES, TEN_MB, bomb
from tests.component.intake.conftest import Intake
from tests.component.intake.test_channels import put
from tests.component.intake.test_imap import fetched
from tests.component.intake.test_pulling import pulling, until
from tests.component.intake.test_smtp import HELP, ZHANG, channel
from tests.support import dovecot
from tests.support.mails import file, html, lines, mail, nested, of_parts, text

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def named(name: str, raw: bytes) -> bytes:
    """Under an id of its own."""
    slug = "".join(each if each.isalnum() else "-" for each in name)
    return raw.replace(b"<m-1@mail.example>", f"<{slug}@mail.example>".encode())


def attached(name: str, content: bytes, media_type: str = "application/octet-stream") -> bytes:
    field = f'Content-Disposition: attachment; filename="{name}"'
    return of_parts("mixed", text("See the file."), file(content, f"Content-Type: {media_type}", field))


def dated(date: str) -> bytes:
    return mail(date=f"Date: {date}")


#: Every mail of these is answered with 250 and has a receipt.
MAILS: dict[str, bytes] = {
    **{name: mail(body) for name, body in BODIES.items() if name != "10 MB of text"},
    "10 MB of text": mail(("x" * 78 + "\r\n") * (TEN_MB // 80)),
    "control characters": mail("a\x00b\x07c\x1b[2J\x7f", subject="Subject: x\x00\x07\x1b[31m"),
    "no head and no body": b"",
    "a head of 10 MB": mail("x", "X-Long: " + "x" * 900_000),
    "a header field told 10,000 times": mail("x", *["X-Many: 1"] * 10_000),
    "an id of 10,000 characters": mail(message_id="x" * 10_000),
    "300 multiparts in each other": nested(300, text("deep")),
    "12,000 parts": of_parts("mixed", *[text("x")] * 12_000),
    "wrong types": mail("x", "Content-Type: [object Object]; charset=42", "Content-Transfer-Encoding: null"),
    "a charset that is not": mail("x", "Content-Type: text/plain; charset=mars"),
    "a zone that is not": dated("Fri, 10 May 2024 10:20:00 MARS"),
    "a zone of 99 hours": dated("Fri, 10 May 2024 10:20:00 +9999"),
    "a time ahead": dated("Sat, 11 May 2030 10:20:00 +0800"),
    "the year 1": dated("Mon, 01 Jan 0001 00:00:00 +1400"),
    "the year 9999": dated("Fri, 31 Dec 9999 23:59:59 -1400"),
    "a year of 5,000 digits": dated(f"Fri, 31 Dec {'9' * 5_000} 23:59:59 +0000"),
    "lengths of 5,000 digits": mail("x", f"Content-Length: {'9' * 5_000}", f"X-Priority: {'9' * 5_000}"),
    "HTML with scripts": of_parts("alternative", html("<p>Broken<script>alert(1)</script><img src=x onerror=a()>")),
    "XML with an entity": attached("a.xml", BODIES["XML with an entity"], "application/xml"),
    "a zip bomb": attached("photos.zip", bomb(), "application/zip"),
    "a file name that turns around": attached("invoice\u202efdp.exe", b"MZ"),
    "a file name that climbs": attached("..\\\\..\\\\../etc/passwd\x00.pdf", b"%PDF-1.4"),
    "Base64 that is none": lines(
        *("From: a@b.example", "Message-ID: <m-1@mail.example>"),
        *("Content-Transfer-Encoding: base64", "", "\xff\x00!!!!"),
    ),
    "a forged sender": mail("x", "From: help@shop.example", "Authentication-Results: shop.example; spf=pass"),
}
#: What is said in place of a mail, and what is told of it.
COMMANDS: tuple[tuple[bytes, ...], ...] = (
    (b"\x00\xff\xfe",),
    (b"MAIL FROM:<" + b"x" * 600 + b"@mail.example>",),
    (b"MAIL FROM:<" + b"x" * 10_000 + b"@mail.example>",),
    (b"MAIL FROM:<zhang@example.com> SIZE=-1",),
    (b"MAIL FROM:<zhang@example.com> SIZE=" + b"9" * 100,),
    (b"MAIL FROM:<zhang@example.com> SIZE=\xc2\xb2 SMTPUTF8",),
    (b"MAIL FROM:<zhang@example.com> BODY=\xff",),
    (b"MAIL FROM:<zhang@example.com>", b"RCPT TO:<help@shop.example\x00>"),
    (b"MAIL FROM:<zhang@example.com> SMTPUTF8", b"RCPT TO:<\xff\xfe@shop.example>"),
    (b"MAIL FROM:<zhang@example.com> SMTPUTF8", "RCPT TO:<\u202eexe.help@shop.example>".encode()),
    (b"MAIL FROM:<zhang@example.com>", b"RCPT TO:<" + b"../" * 150 + b">"),
    (b"DATA",),
    (b"RCPT TO:<help@shop.example>",),
    (b"MAIL FROM:<zhang@example.com>", b"RCPT TO:<help+c." + b"A" * 300 + b"@elsewhere.example>"),
)


#: When the server says that it got a mail.
ODD_TIMES = (datetime(1901, 12, 31, tzinfo=UTC), datetime(1969, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


@pytest.fixture
async def house(intake: Intake) -> Intake:
    assert (await put(intake, "help", channel(HELP, loop_limit=10_000))).status_code == 201
    return intake


@asynccontextmanager
async def served(intake: Intake, **settings: Any) -> AsyncGenerator[int]:
    deps = intake.services[0].deps
    settings = {"smtp_port": 0, "channels_refresh_seconds": 0.01} | settings
    deps = replace(deps, settings=deps.settings.model_copy(update=settings))
    async with await open_door(deps) as server:
        yield server.sockets[0].getsockname()[1]


def delivered(port: int, *mails: bytes, lmtp: bool = False) -> list[int]:
    """The answers to these mails on one connection, by a client that is not ours."""
    answers = []
    with (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, timeout=30) as client:
        for raw in mails:
            try:
                client.sendmail(ZHANG, [HELP], raw)
                answers.append(250)
            except smtplib.SMTPResponseException as refused:
                answers.append(refused.smtp_code)
    return answers


def answer_to(port: int, *said: bytes) -> int:
    """To the last line of these, after a greeting."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection, connection.makefile("rwb") as wire:
        answer = wire.readline()
        for line in (b"EHLO mx.example", *said):
            wire.write(line + b"\r\n")
            wire.flush()
            while (answer := wire.readline())[3:4] == b"-":
                pass
        return int(answer[:3])


async def accounted(house: Intake, mails: int) -> None:
    """Each has a receipt, a complaint or a place in quarantine, and the time it was made is of our time."""
    assert await house.one("select count(*) from receipts") == mails
    assert (await house.get("/v1/reconciliation", Role.LEAD)).json()["unaccounted"] == 0
    assert await house.one("select count(*) from complaints where made_at > recorded_at or made_at < '1970-01-01'") == 0
    listed = await house.rows("select distinct name from attachments")
    assert not [name for (name,) in listed if set(name) & set("\u202e/\\\x00")]


@pytest.mark.parametrize("lmtp", [False, True])
async def test_whatever_a_mail_holds_it_is_kept_and_the_next_one_is_taken(house: Intake, lmtp: bool) -> None:
    mails = {name: named(name, raw) for name, raw in {**MAILS, "good": mail()}.items()}
    async with served(house, smtp_lmtp=lmtp) as port:
        answers = await asyncio.to_thread(delivered, port, *mails.values(), lmtp=lmtp)
    assert [name for name, answer in zip(mails, answers, strict=True) if answer != 250] == []
    await accounted(house, len(mails))
    assert await house.rows("select status from receipts where message_id = 'good@mail.example'") == [("created",)]


async def kept(house: Intake, mails: int) -> None:
    for _ in range(1_000):
        if await house.one("select count(*) from receipts") >= mails:
            return
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dovecot.Imap]:
    dovecot.needed()
    with dovecot.imap_server(tmp_path_factory.mktemp("imap")) as running:
        running.renew()
        yield running


async def test_whatever_lies_in_a_mailbox_is_fetched_and_the_next_mail_is_taken(
    intake: Intake, server: dovecot.Imap, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = {name: named(name, raw) for name, raw in {**MAILS, "good": mail()}.items()}
    mails["one line of 10 MB"] = named("one line", mail(BODIES["10 MB of text"]))
    with server.client() as client:
        for raw in mails.values():
            client.append(dovecot.FOLDER, raw or b" ")
        for number, at in enumerate(ODD_TIMES):
            client.append(dovecot.FOLDER, named(f"at {number}", mail(date=None)), msg_time=at)
    await fetched(intake, server, monkeypatch, loop_limit=10_000)
    async with pulling(intake):
        await kept(intake, len(mails) + len(ODD_TIMES))
        server.append(named("next", mail()))
        await kept(intake, len(mails) + len(ODD_TIMES) + 1)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert (found["health"], found["problems"]) == ("healthy", [])
    await accounted(intake, len(mails) + len(ODD_TIMES) + 1)
    assert await intake.rows("select status from receipts where message_id = 'next@mail.example'") == [("created",)]


async def test_what_no_mail_server_says_is_refused_for_good_and_the_next_mail_is_taken(house: Intake) -> None:
    async with served(house) as port:
        for said in COMMANDS:
            answer = await asyncio.to_thread(answer_to, port, *said)
            assert 500 <= answer < 560, (said, answer)
        too_much = (mail(BODIES["10 MB of text"]), mail("x\r\n" * 12_000_000), mail())
        assert await asyncio.to_thread(delivered, port, *too_much) == [500, 552, 250]
        for number, sender in enumerate((b"\xff\x00@mail.example", "\u202eexe@mail.example".encode(), b"'\";--@x")):
            data = named(f"sender {number}", mail(sender=None)) + b"\r\n."
            said = (b"MAIL FROM:<" + sender + b"> SMTPUTF8", b"RCPT TO:<help@shop.example>", b"DATA", data)
            assert await asyncio.to_thread(answer_to, port, *said) == 250, sender
    await accounted(house, 4)
