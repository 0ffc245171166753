"""Mails by SMTP and LMTP, as a mail server delivers them."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiosmtplib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intake_service.smtp import open_door
from intake_service.smtp.limits import Room
from shared.replies import Replies, Use
from shared.web.auth import Role
from tests.component.intake.conftest import REPLY_SECRET
from tests.component.intake.test_channels import put
from tests.support.mails import auto_reply, bounce, file, html, mail, of_parts, text

HELP, SALES = "help@shop.example", "sales@shop.example"
ZHANG, STRANGER = "zhang@example.com", "stranger@example.org"
OURS = Replies(REPLY_SECRET.encode())


def channel(address, **settings):
    return {
        "kind": "smtp",
        "account": address,
        "title": {"zh": "邮箱", "en": "Mail"},
        "owner_team": "mail-team",
        "settings": {"addresses": [address]} | settings,
    }


@pytest.fixture
async def house(intake):
    for name, address in (("help", HELP), ("sales", SALES)):
        made = await put(intake, name, channel(address))
        assert made.status_code == 201, made.text
    return intake


@asynccontextmanager
async def door(intake, **settings):
    """A client that is connected to the door of the first process."""
    deps = intake.services[0].deps
    settings = {"smtp_port": 0, "channels_refresh_seconds": 0.01} | settings
    deps = replace(deps, settings=deps.settings.model_copy(update=settings))
    async with await open_door(deps) as server:
        port = server.sockets[0].getsockname()[1]
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await client.connect()
        yield client
        client.close()


async def deliver(client, raw, *recipients, sender=ZHANG):
    return await client.sendmail(sender, list(recipients or [HELP]), raw)


async def statuses(intake):
    return await intake.rows("select account, status from receipts order by recorded_at, account")


def from_stranger(*fields, body="me too", message_id="s-1@mail.example"):
    return mail(body, *fields, sender=f"From: {STRANGER}", message_id=message_id)


async def case_of(intake):
    (row,) = await intake.rows("select id, number from complaints order by recorded_at limit 1")
    return row


async def test_a_mail_that_is_answered_with_250_is_a_complaint(house):
    async with door(house) as client:
        _, answer = await deliver(client, of_parts("alternative", text("从早上开始加载失败"), html("<p>x</p>")))
    assert answer.startswith("2.0.0 ")
    assert await statuses(house) == [(HELP, "created")]
    shown = (await house.get(f"/v1/complaints/{(await case_of(house)).id}")).json()
    assert shown["symptom"] == "An order\n\n从早上开始加载失败"
    assert (shown["made_at"], shown["complainant"]["emails"]) == ("2024-05-10T02:20:00Z", ["z***@example.com"])


async def test_files_of_a_mail_are_with_the_complaint(house):
    bill = file(b"%PDF-1.4 bill", 'Content-Type: application/pdf; name="bill.pdf"')
    async with door(house) as client:
        await deliver(client, of_parts("mixed", text("See the bill."), bill))
    (shown,) = (await house.get(f"/v1/complaints/{(await case_of(house)).id}")).json()["attachments"]
    assert (shown["name"], shown["media_type"], shown["size_bytes"]) == ("bill.pdf", "application/pdf", 13)
    answer = await house.get(shown["href"])
    assert answer.content == b"%PDF-1.4 bill"


async def test_a_mail_that_is_delivered_again_by_another_way_is_one_complaint(house):
    async with door(house) as client:
        await deliver(client, mail())
        await deliver(client, b"Received: by relay.example; Fri, 10 May 2024 10:20:03 +0800\r\n" + mail())
    assert await statuses(house) == [(HELP, "created")]
    assert await house.one("select count(*) from complaints") == 1


async def test_a_mail_to_two_of_our_addresses_is_one_complaint_with_two_receipts(house):
    async with door(house) as client:
        await deliver(client, mail(), HELP, SALES)
    assert await statuses(house) == [(HELP, "created"), (SALES, "duplicate")]
    assert await house.one("select count(*) from complaints") == 1
    assert await house.one("select count(distinct complaint_id) from receipts") == 1


async def test_another_mail_with_the_id_of_one_in_another_mailbox_is_not_taken_for_it(house):
    async with door(house) as client:
        await deliver(client, mail(), HELP)
        await deliver(client, from_stranger(message_id="m-1@mail.example"), SALES, sender=STRANGER)
    assert await statuses(house) == [(HELP, "created"), (SALES, "created")]


async def test_what_nobody_accepts_is_refused_before_it_is_sent(house):
    async with door(house) as client:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await deliver(client, mail(), "nobody@shop.example")
        assert refused.value.recipients[0].code == 550
        errors, _ = await deliver(client, mail(), "nobody@shop.example", HELP)
        assert list(errors) == ["nobody@shop.example"]


async def test_what_is_too_large_is_refused(house):
    async with door(house, smtp_max_bytes=5_000) as client:
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await deliver(client, mail("x\r\n" * 5_000))
    assert refused.value.code == 552
    assert await statuses(house) == []


async def test_while_the_database_cannot_write_the_sender_keeps_the_mail(house):
    await house.run("alter table receipts rename to receipts_away")
    async with door(house) as client:
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await deliver(client, mail())
        assert refused.value.code == 451
        await house.run("alter table receipts_away rename to receipts")
        await deliver(client, mail())
    assert await statuses(house) == [(HELP, "created")]


async def test_without_a_sender_or_words_it_is_in_quarantine_with_its_bytes(house):
    async with door(house) as client:
        await deliver(client, mail(sender=None))
    (listed,) = (await house.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert ([each["reason"] for each in listed["doubts"]], listed["owner"]) == (["no_identity"], "mail-team")
    assert await house.one("select body from receipts") == mail(sender=None) + b"\r\n"


async def test_an_answer_to_the_signed_address_joins_and_a_quoted_number_does_not(house):
    async with door(house) as client:
        await deliver(client, mail())
        case = await case_of(house)
        signed = OURS.address(Use.REPLY, HELP, case.id)
        await deliver(client, from_stranger(body="from my other address"), signed, sender=STRANGER)
        quoting = from_stranger(body=f"about {case.number}", message_id="s-2@mail.example")
        await deliver(client, quoting, sender=STRANGER)
        knowing = from_stranger("In-Reply-To: <m-1@mail.example>", message_id="s-3@mail.example")
        await deliver(client, knowing, sender="other@example.net")
    assert sorted(await statuses(house)) == sorted(
        [(HELP, "created"), (HELP, "appended"), (HELP, "suggestion"), (HELP, "suggestion")]
    )


async def test_machines_make_no_case_and_are_told_to_nobody(house):
    async with door(house) as client:
        await deliver(client, mail())
        case, before = await case_of(house), await house.outbox()
        ours = OURS.message_id(UUID(int=7), case.id, "shop.example")
        await deliver(client, bounce(ours), OURS.address(Use.BOUNCE, HELP, case.id), sender="")
        await deliver(client, auto_reply(ours))
        await deliver(client, mail(sender=f"From: {HELP}", message_id="own@shop.example"))
    assert await house.rows(
        "select message_id, status, complaint_id from receipts where status = 'noted' order by 1"
    ) == [
        ("away-1@mail.example", "noted", case.id),
        ("bounce-1@mx.example", "noted", case.id),
        ("own@shop.example", "noted", None),
    ]
    assert await house.outbox() == before
    assert await house.rows("select direction from messages") == [("automatic",), ("automatic",)]


async def test_a_loop_ends_by_being_noted(house):
    await put(house, "help", channel(HELP, loop_limit=3), **{"If-Match": '"1"'})
    async with door(house) as client:
        await asyncio.sleep(0.02)
        for number in range(5):
            await deliver(client, mail(f"{number}", message_id=f"l-{number}@x"))
    assert [status for _, status in await statuses(house)].count("noted") == 2


async def test_lmtp_answers_for_each_recipient(house):
    deps = house.services[0].deps
    deps = replace(deps, settings=deps.settings.model_copy(update={"smtp_port": 0, "smtp_lmtp": True}))
    async with await open_door(deps) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        told = []
        for line in (
            *(b"LHLO mx.example", b"MAIL FROM:<zhang@example.com>", b"RCPT TO:<help@shop.example>"),
            *(b"RCPT TO:<nobody@shop.example>", b"RCPT TO:<sales@shop.example>", b"DATA"),
        ):
            writer.write(line + b"\r\n")
            while (answer := await reader.readline())[3:4] == b"-":
                pass
            told.append(answer[:3])
        writer.write(mail() + b"\r\n.\r\n")
        told += [(await reader.readline())[:3] for _ in range(2)]
        writer.close()
    # 220 greets, so each answer is of the line before.
    assert told == [b"220", b"250", b"250", b"250", b"550", b"250", b"354", b"250"]


async def test_a_port_that_is_taken_is_told(house):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        deps = house.services[0].deps
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            await open_door(replace(deps, settings=deps.settings.model_copy(update={"smtp_port": port})))


async def test_a_line_of_100_000_characters_is_taken(house):
    async with door(house) as client:
        await deliver(client, mail("It is broken.\r\n" + "x" * 100_000))
    assert await statuses(house) == [(HELP, "created")]


async def test_more_connections_than_are_allowed_are_told_to_come_again(house):
    async with door(house, smtp_connections=1) as client:
        other = aiosmtplib.SMTP(hostname="127.0.0.1", port=client.port, start_tls=False)
        with pytest.raises(aiosmtplib.SMTPConnectError, match="421"):
            await other.connect()
        await client.quit()
        await asyncio.sleep(0.05)
        await other.connect()
        await deliver(other, mail())
        other.close()
    assert await statuses(house) == [(HELP, "created")]


async def test_mails_that_find_no_room_come_one_after_the_other(house):
    async with door(house, smtp_memory_bytes=1_024) as client:

        async def one(number):
            other = aiosmtplib.SMTP(hostname="127.0.0.1", port=client.port, start_tls=False)
            async with other:
                await deliver(other, mail("x" * 900, message_id=f"m-{number}@mail.example"))

        await asyncio.gather(*[one(number) for number in range(5)])
    assert await statuses(house) == [(HELP, "created")] * 5


async def test_whoever_waits_too_long_for_room_is_told_to_come_again(house, monkeypatch):
    monkeypatch.setattr(Room.enter, "__defaults__", (0.05,))
    async with door(house, smtp_memory_bytes=1_024) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for line in (b"EHLO slow.example", b"MAIL FROM:<zhang@example.com>", b"RCPT TO:<help@shop.example>", b"DATA"):
            writer.write(line + b"\r\n")
        while not (await reader.readline()).startswith(b"354"):
            pass
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await deliver(client, mail())
        assert refused.value.code == 451
        writer.close()
        await asyncio.sleep(0.05)
        await deliver(client, mail())
    assert await statuses(house) == [(HELP, "created")]


@pytest.fixture
def certificate(tmp_path):
    """Self-signed, for localhost: the paths of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return files


async def test_with_a_certificate_mails_come_by_starttls_alone_where_it_is_required(house, certificate):
    tls = {"smtp_certificate": certificate[0], "smtp_key": certificate[1], "smtp_require_tls": True}
    async with door(house, **tls) as client:
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await deliver(client, mail())
        assert refused.value.code == 530
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        async with aiosmtplib.SMTP(
            hostname="localhost", port=client.port, start_tls=True, tls_context=trusting
        ) as secure:
            await deliver(secure, mail())
        doubting = aiosmtplib.SMTP(hostname="localhost", port=client.port, start_tls=True)
        with pytest.raises((ssl.SSLError, aiosmtplib.SMTPException)):
            await doubting.connect()
    assert await statuses(house) == [(HELP, "created")]


async def test_twenty_deliveries_at_once_are_one_complaint(house):
    async with door(house) as client:

        async def one():
            other = aiosmtplib.SMTP(hostname="127.0.0.1", port=client.port, start_tls=False)
            async with other:
                await deliver(other, mail())

        await asyncio.gather(*[one() for _ in range(20)])
    assert await statuses(house) == [(HELP, "created")]


async def test_whatever_the_store_refuses_is_kept_beside(house):
    async with door(house) as client:
        await deliver(client, mail())
        await deliver(client, mail("other words under the same id"))
    assert sorted(status for _, status in await statuses(house)) == ["created", "quarantined"]
