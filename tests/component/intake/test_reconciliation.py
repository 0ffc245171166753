"""The count of what came in equals the count of what is accounted for (A8), and the quarantine has a clock."""

import asyncio
from datetime import timedelta

import pytest

from intake_service.channels import KINDS
from intake_service.domain.quarantine import is_of, needles
from intake_service.usecases.reconciliation import measure
from shared.web.auth import Role
from tests.component.intake import shelf
from tests.component.intake.conftest import complaint
from tests.component.intake.test_channels import CHANNEL, put
from tests.component.intake.test_messages import message, send
from tests.component.intake.test_pulling import mail, pulling, state_channel, stock, until
from tests.component.intake.test_quarantine import quarantined


async def reconciled(intake):
    found = (await intake.get("/v1/reconciliation", Role.LEAD)).json()
    return found["unaccounted"], {
        source["account"]: tuple(source[name] for name in ("accepted", "repeated", "receipts", "exist", "taken"))
        for source in found["sources"]
    }


async def test_what_was_accepted_has_a_receipt_each(intake):
    await put(intake, "mail", CHANNEL)
    for _ in range(3):
        await send(intake)
    await send(intake, source__message_id="m-2", content__text=" ")
    await send(intake, source__account="other")
    await asyncio.gather(*(send(intake, process=n % 2, source__message_id="m-3") for n in range(6)))
    refused = await send(intake, content__text="another body")
    assert refused.status_code == 422
    assert await reconciled(intake) == (
        0,
        {"help@shop.example": (10, 7, 3, None, None), "other": (1, 0, 1, None, None)},
    )
    shown = (await intake.get("/v1/channels/mail", Role.LEAD)).json()
    assert shown["last_message_at"] == "2024-05-10T02:21:00Z"


async def test_a_receipt_that_is_gone_is_seen(intake):
    await send(intake)
    await intake.run("delete from receipts")
    assert await reconciled(intake) == (1, {"help@shop.example": (1, 0, 0, None, None)})
    deps = intake.services[0].deps
    await measure(deps)
    assert deps.gauges.unaccounted.labels("email", "help@shop.example")._value.get() == 1


async def doors(intake):
    """(unaccounted, {account: (accepted, repeated, direct, complaints)})"""
    found = (await intake.get("/v1/reconciliation", Role.LEAD)).json()
    return found["unaccounted"], {
        source["account"]: tuple(source[name] for name in ("accepted", "repeated", "direct", "complaints"))
        for source in found["sources"]
    }


async def test_every_complaint_and_every_repeated_delivery_is_counted_at_its_own_account(intake):
    await send(intake)
    for process in (0, 0, 1):
        await intake.post("/v1/complaints", complaint(), process=process)
    for seat in range(3):
        await intake.post("/v1/complaints", complaint(channel={"channel": "hotline", "account": f"line-{seat % 2}"}))
    once = {"Idempotency-Key": "k-1"}
    for _ in range(2):
        await intake.post("/v1/complaints", complaint(channel__account="kept answer"), headers=once)
    assert await doors(intake) == (
        0,
        {
            "help@shop.example": (1, 0, 0, 1),
            "4008001234": (3, 2, 1, 1),
            "line-0": (2, 0, 2, 2),
            "line-1": (1, 0, 1, 1),
            "kept answer": (1, 0, 1, 1),
        },
    )


async def test_of_twenty_deliveries_at_once_to_two_processes_one_is_counted_as_new(intake):
    answers = await asyncio.gather(*(intake.post("/v1/complaints", complaint(), process=n % 2) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert await doors(intake) == (0, {"4008001234": (20, 19, 1, 1)})


async def test_a_complaint_that_is_gone_is_seen_whichever_door_it_came_by(intake):
    await intake.receive()
    await send(intake)
    await intake.run("update receipts set complaint_id = null", "delete from complaints")
    unaccounted, _ = await doors(intake)
    assert unaccounted == 2


async def test_what_is_refused_is_not_counted(intake):
    unknown = {"id": "01900000-0000-7000-8000-000000000000"}
    assert (await intake.post("/v1/complaints", complaint(attachments=[unknown]))).status_code == 422
    assert (await intake.post("/v1/complaints", complaint(happened_at="2030-01-01T00:00:00Z"))).status_code == 422
    assert await doors(intake) == (0, {})


async def test_forms_are_counted_and_the_channel_of_the_form_tells_the_last_one(intake):
    body = {
        "kind": "web_form",
        "account": "form",
        "title": {"zh": "网页表单", "en": "Web form"},
        "owner_team": "support",
    }
    await put(intake, "form", body)
    client = await intake.client(Role.AGENT)
    typed = {
        "form_id": "0190f6a0-0000-7000-8000-000000000001",
        "kind": "complaint",
        "symptom": "打不开",
        "anonymous": "1",
    }
    for _ in range(2):
        assert (await client.post("/form", data=typed)).status_code == 303
    assert await doors(intake) == (0, {"form": (2, 1, 1, 1)})
    shown = (await intake.get("/v1/channels/form", Role.LEAD)).json()
    assert (shown["health"], shown["last_message_at"]) == ("healthy", "2024-05-10T02:21:00Z")


async def test_what_a_provider_has_and_was_not_fetched_is_seen(intake, tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "shelf", shelf.KIND)
    folder = tmp_path / "mails.json"
    stock(folder, mail(1), None, mail(2), mail(1))
    async with pulling(intake):
        await state_channel(intake, folder)
        await until(intake, lambda it: it["waiting"] == 0)
    assert await reconciled(intake) == (1, {"box": (3, 1, 2, 4, 3)})


async def test_a_message_taken_out_of_quarantine_is_counted_once(intake):
    receipt = await quarantined(intake)
    await intake.post(f"/v1/quarantine/{receipt}/retry", {"message": message()}, Role.LEAD)
    assert await reconciled(intake) == (0, {"help@shop.example": (1, 0, 1, None, None)})


async def test_a_message_in_quarantine_is_due_and_then_overdue(intake):
    await quarantined(intake)
    (listed,) = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert listed["due_at"] == "2024-05-11T02:21:00Z"
    deps = intake.services[0].deps

    async def overdue():
        await measure(deps)
        owner = "intake-leads"
        return deps.gauges.quarantined.labels(owner)._value.get(), deps.gauges.overdue.labels(owner)._value.get()

    assert await overdue() == (1, 0)
    await intake.clock.advance_to(intake.clock.now() + timedelta(hours=24))
    assert await overdue() == (1, 1)


async def test_every_look_at_a_body_is_recorded(intake):
    receipt = await quarantined(intake)
    for reason in ("", "the adapter's team asks"):
        answer = await (await intake.client(Role.LEAD)).get(f"/v1/quarantine/{receipt}", params={"reason": reason})
        assert answer.status_code == 200
    await intake.get("/v1/quarantine", Role.LEAD)
    looks = (await intake.get(f"/v1/quarantine/{receipt}/accesses", Role.QUALITY)).json()["data"]
    assert [(look["reason"], look["actor"]["id"]) for look in looks] == [
        ("the adapter's team asks", "agent-li"),
        ("", "agent-li"),
    ]
    assert (await intake.get(f"/v1/quarantine/{receipt}/accesses", Role.LEAD)).status_code == 403


async def test_erasure_reaches_what_the_person_sent_and_nobody_could_understand(intake):
    complaint = (await send(intake)).json()["complaint"]
    theirs = await quarantined(intake, content__text=" ", source__message_id="m-2")
    others = await quarantined(
        intake,
        content__text=" ",
        source__message_id="m-3",
        source__thread_id="zhang@example.com",
        sender__identities=[{"kind": "email", "value": "wang@example.com"}],
    )
    person = await intake.one("select person_id from complaints where id = :id", id=complaint["id"])
    await intake.post(f"/v1/complainants/{person}/erasure", {}, Role.ADMIN)
    assert [each["id"] for each in (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]] == [others]
    assert (await intake.get(f"/v1/quarantine/{theirs}", Role.LEAD)).status_code == 409
    assert await intake.one("select body from receipts where id = :id", id=theirs) is None
    again = await send(intake, content__text=" ", source__message_id="m-2")
    assert (again.status_code, again.json()["id"]) == (200, theirs)


@pytest.mark.parametrize(
    ("body", "theirs"),
    [
        (b"From: ZHANG@example.com\r\n\r\nunreadable \xff", True),
        (b"caller=13800001234", True),
        (b"From: wang@example.com", False),
        (b"account 12345", False),
    ],
)
def test_bytes_that_nobody_can_read_are_searched_for_addresses_and_numbers(body, theirs):
    identities = {(2, "+8613800001234"), (4, "zhang@example.com"), (1, "\x1f12345")}
    assert needles(identities) == ("13800001234", "zhang@example.com")
    assert is_of(identities, body, None, "CN") is theirs
