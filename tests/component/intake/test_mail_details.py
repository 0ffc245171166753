"""What is kept of mails beside their words, and mails of machines that are taken after all."""

from uuid import UUID

import pytest

from shared.replies import Use
from shared.web.auth import Role
from tests.component.intake.test_channels import put
from tests.component.intake.test_smtp import (
    HELP,
    OURS,
    STRANGER,
    case_of,
    channel,
    deliver,
    door,
    from_stranger,
)
from tests.support.mails import auto_reply, bounce, file, html, mail, of_parts, text

CHECKED = "Authentication-Results: mx.shop.example; dkim=pass header.d=example.com; spf=fail smtp.mailfrom=a@b.example"


@pytest.fixture
async def house(intake):
    made = await put(intake, "help", channel(HELP))
    assert made.status_code == 201, made.text
    return intake


async def receipt_of(intake, status):
    (row,) = await intake.rows("select id from receipts where status = :status", status=status)
    return (await intake.get(f"/v1/receipts/{row.id}")).json()


def laid_out(*fields, message_id="m-1@mail.example"):
    raw = of_parts(
        "mixed",
        text("It is broken."),
        html('<p onclick="x()">It is <b>broken</b>.<script>alert(1)</script></p>'),
        file(b"x\x9f", "Content-Type: application/ms-tnef; name=winmail.dat"),
    )
    return raw.replace(b"m-1@mail.example", message_id.encode()).replace(
        b"Subject:", "".join(f"{field}\r\n" for field in fields).encode() + b"Subject:", 1
    )


async def test_who_checked_a_mail_and_what_came_along_is_told_with_it(house):
    async with door(house) as client:
        await deliver(client, laid_out(CHECKED))
        case = await case_of(house)
        await deliver(client, laid_out("In-Reply-To: <m-1@mail.example>", message_id="m-2@mail.example"))
    told = (await receipt_of(house, "created"))["details"]
    assert [(each["method"], each["result"], each["domain"], each["server"]) for each in told["checks"]] == [
        ("dkim", "pass", "example.com", "mx.shop.example"),
        ("spf", "fail", "b.example", "mx.shop.example"),
    ]
    assert (told["notes"], told["report"]) == (["tnef"], None)
    assert (await house.get(f"/v1/complaints/{case.id}")).json()["details"] == told
    (message,) = (await house.get(f"/v1/complaints/{case.id}/messages")).json()["data"]
    assert (message["details"]["checks"], message["details"]["notes"]) == ([], ["tnef"])


async def test_html_is_shown_harmless_and_under_a_policy(house):
    async with door(house) as client:
        await deliver(client, laid_out())
    href = (await receipt_of(house, "created"))["details"]["html_href"]
    shown = await house.get(href)
    assert shown.headers["content-type"].startswith("text/html")
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "<b>broken</b>" in shown.text
    assert "script" not in shown.text
    assert "onclick" not in shown.text
    assert (await house.get(href, Role.ADAPTER)).status_code == 403


async def test_html_that_an_adapter_hands_in_is_made_harmless_too(house):
    message = {
        "source": {"channel": "chat", "account": "shop", "message_id": "c-1"},
        "sender": {"identities": [{"kind": "email", "value": "zhang@example.com"}]},
        "content": {"text": "It is broken."},
        "occurred_at": "2024-05-10T10:20:00+08:00",
        "details": {"html": "<img src=x onerror=alert(1)><p>It is broken.</p>"},
    }
    told = (await house.post("/v1/messages", message, Role.ADAPTER)).json()
    shown = await house.get(told["details"]["html_href"])
    assert "onerror" not in shown.text
    assert "<p>It is broken.</p>" in shown.text


async def test_what_is_in_quarantine_is_shown_there_alone(house):
    async with door(house) as client:
        await deliver(client, laid_out().replace(b"From: Zhang San <zhang@example.com>\r\n", b""))
    told = await receipt_of(house, "quarantined")
    assert (await house.get(told["details"]["html_href"])).status_code == 404


async def test_a_bounce_tells_why_and_of_what(house):
    async with door(house) as client:
        await deliver(client, mail())
        ours = OURS.message_id(UUID(int=7), (await case_of(house)).id, "shop.example")
        await deliver(client, bounce(ours, status="5.2.2"), sender="")
    report = (await receipt_of(house, "noted"))["details"]["report"]
    assert report == {"action": "failed", "status": "5.2.2", "about": [ours.strip("<>")]}


def large(*fields):
    return mail("It is broken.\r\n" + "x" * 70_000, *fields)


async def test_a_large_mail_lies_in_the_attachment_store_as_it_came(house):
    async with door(house) as client:
        await deliver(client, large().replace(b"From: Zhang San <zhang@example.com>\r\n", b""))
        await deliver(client, large().replace(b"m-1@", b"m-2@"))
    assert await house.rows("select body, envelope is null from receipts where status = 'created'") == [(None, True)]
    receipt = await house.one("select id from receipts where status = 'quarantined'")
    shown = await house.get(f"/v1/quarantine/{receipt}?reason=looking", Role.LEAD)
    assert shown.status_code == 200, shown.text
    assert len(shown.json()["body"]) > 4 * 70_000 / 3
    assert await house.one("select count(*) from blobs") == 2


async def test_with_their_sender_large_mails_leave_the_attachment_store(house):
    async with door(house) as client:
        await deliver(client, large())
    # Uploads that nobody named are gone after a day.
    await house.run(
        "delete from attachments a where not exists (select from attachment_uses u where u.attachment_id = a.id)"
    )
    person = await house.one("select person_id from complaints")
    erased = await house.post(f"/v1/complainants/{person}/erasure", None, Role.ADMIN)
    assert erased.status_code in (200, 201), erased.text
    assert await house.one("select count(*) from blobs") == 0
    assert await house.rows("select body, body_sha256, details, html, fingerprint from receipts") == [(None,) * 5]


async def noted(intake):
    return (await intake.get("/v1/receipts?status=noted", Role.LEAD)).json()["data"]


async def test_mails_of_machines_are_listed_for_those_in_charge(house):
    async with door(house) as client:
        await deliver(client, mail())
        await deliver(client, auto_reply("somebody@else.example"))
        await deliver(client, auto_reply("somebody@else.example", "away-2@mail.example"))
    assert [each["message_id"] for each in await noted(house)] == ["away-2@mail.example", "away-1@mail.example"]
    assert (await house.get("/v1/receipts?status=noted", Role.ADAPTER)).status_code == 403


async def test_a_mail_that_was_taken_for_a_machines_is_a_complaint_after_all(house):
    async with door(house) as client:
        await deliver(client, mail("It is broken.", "Auto-Submitted: auto-generated"))
    (listed,) = await noted(house)
    assert await house.one("select count(*) from complaints") == 0
    shown = await house.get(f"/v1/quarantine/{listed['id']}?reason=looking", Role.LEAD)
    assert (shown.status_code, shown.json()["owner"]) == (200, None)
    told = await house.post(f"/v1/quarantine/{listed['id']}/retry", {}, Role.LEAD)
    assert (told.status_code, told.json()["status"], told.json()["id"]) == (200, "created", listed["id"])
    assert await noted(house) == []
    again = await house.post(f"/v1/quarantine/{listed['id']}/retry", {}, Role.LEAD)
    assert again.status_code == 409
    async with door(house) as client:
        await deliver(client, mail("It is broken.", "Auto-Submitted: auto-generated"))
    assert await house.one("select count(*) from complaints") == 1


async def test_a_machines_mail_on_a_case_that_a_person_wrote_is_told_to_everybody(house):
    async with door(house) as client:
        await deliver(client, mail())
        case = await case_of(house)
        signed = OURS.address(Use.REPLY, HELP, case.id)
        await deliver(
            client, from_stranger("Auto-Submitted: auto-replied", body="Please hurry."), signed, sender=STRANGER
        )
    before = len(await house.outbox())
    (listed,) = await noted(house)
    told = await house.post(f"/v1/quarantine/{listed['id']}/retry", {}, Role.LEAD)
    assert (told.status_code, told.json()["status"]) == (200, "appended")
    assert await house.rows("select direction from messages") == [("inbound",)]
    (added,) = (await house.outbox())[before:]
    assert "message" in added[0]


async def test_a_noted_mail_without_words_is_in_quarantine_with_a_clock(house):
    async with door(house) as client:
        await deliver(client, mail("", "Auto-Submitted: auto-replied", subject=None))
    (listed,) = await noted(house)
    told = (await house.post(f"/v1/quarantine/{listed['id']}/retry", {}, Role.LEAD)).json()
    assert told["status"] == "quarantined"
    (waiting,) = (await house.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert waiting["owner"] == "mail-team"
    assert waiting["due_at"] == "2024-05-11T02:21:00Z"
