"""What can't be understood is kept, whole and in somebody's charge, until it is dealt with (A8)."""

import asyncio
import json
from base64 import b64decode
from datetime import timedelta

import pytest

from shared.web.auth import Role
from tests.component.intake.test_messages import message, send


async def quarantined(intake, **changes):
    answer = await send(intake, **(changes or {"content__text": " "}))
    assert (answer.status_code, answer.json()["status"]) == (202, "quarantined")
    return answer.json()["id"]


async def retry(intake, receipt, corrected=None, process=0, **rest):
    body = {} if corrected is None else {"message": corrected}
    return await intake.post(f"/v1/quarantine/{receipt}/retry", body, Role.LEAD, process, **rest)


@pytest.mark.parametrize(
    ("changes", "reason", "pointer"),
    [
        ({"content__text": "\u200b"}, "no_text", "/content/text"),
        ({"content__text": "慢" * 10_001}, "too_long", "/content/text"),
        ({"sender__identities": []}, "no_identity", "/sender/identities"),
        ({"sender__identities": [{"kind": "phone", "value": "anonymous"}]}, "no_identity", "/sender/identities"),
        ({"occurred_at": "2024-05-10T02:23:01Z"}, "from_the_future", "/occurred_at"),
        ({"raw": {"data": "\u0000%%"}}, "undecodable_raw", "/raw"),
    ],
)
async def test_what_can_not_be_understood_is_kept_with_its_bytes_its_reason_and_its_owner(
    intake, changes, reason, pointer
):
    receipt = await quarantined(intake, **changes)
    (listed,) = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert (listed["id"], listed["owner"]) == (receipt, "intake-leads")
    assert [(doubt["reason"], doubt["pointer"]) for doubt in listed["doubts"]] == [(reason, pointer)]
    assert listed["doubts"][0]["message"]["zh"]
    shown = (await intake.get(f"/v1/quarantine/{receipt}", Role.LEAD)).json()
    assert json.loads(b64decode(shown["body"])) == message(**changes)
    assert await intake.one("select count(*) from complaints") == 0
    assert await intake.outbox() == []


async def test_the_quarantine_is_for_leads_and_admins(intake):
    receipt = await quarantined(intake)
    for role, status in ((Role.LEAD, 200), (Role.ADMIN, 200), (Role.AGENT, 403), (Role.ADAPTER, 403)):
        for path in ("/v1/quarantine", f"/v1/quarantine/{receipt}"):
            assert (await intake.get(path, role)).status_code == status
    assert (await intake.post(f"/v1/quarantine/{receipt}/retry", {}, Role.AGENT)).status_code == 403


async def test_the_same_delivery_again_has_the_same_receipt(intake):
    receipt = await quarantined(intake)
    again = await send(intake, content__text=" ")
    assert (again.status_code, again.json()["id"]) == (200, receipt)


async def test_a_corrected_message_is_dealt_with_and_its_receipt_tells(intake):
    receipt = await quarantined(intake)
    answer = await retry(intake, receipt, message())
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, receipt, "created")
    assert (await intake.get(f"/v1/receipts/{receipt}", Role.ADAPTER)).json() == answer.json()
    assert (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"] == []
    assert [kind for kind, _ in await intake.outbox()] == ["redress.complaint.received.v1"]
    late = await send(intake, content__text=" ")
    assert (late.status_code, late.json()) == (200, answer.json())


async def test_a_corrected_reply_joins_its_complaint(intake):
    complaint = (await send(intake)).json()["complaint"]
    receipt = await quarantined(intake, source__message_id="m-2", sender__identities=[])
    told = (await retry(intake, receipt, message(source__message_id="m-2"))).json()
    assert (told["status"], told["complaint"]) == ("appended", complaint)


async def test_what_came_from_the_future_is_understood_when_its_time_has_come(intake):
    receipt = await quarantined(intake, occurred_at="2024-05-10T03:00:00Z")
    assert (await retry(intake, receipt)).json()["status"] == "quarantined"
    await intake.clock.advance_to(intake.clock.now() + timedelta(hours=1))
    assert (await retry(intake, receipt)).json()["status"] == "created"


async def test_twenty_retries_at_once_make_one_complaint(intake):
    receipt = await quarantined(intake)
    answers = await asyncio.gather(*[retry(intake, receipt, message(), place % 2) for place in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert await intake.one("select count(*) from complaints") == 1


async def test_a_retry_with_an_idempotency_key_is_answered_as_the_first_time(intake):
    receipt = await quarantined(intake)
    answers = [await retry(intake, receipt, message(), headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


async def test_a_correction_keeps_the_key_and_is_itself_well_formed(intake):
    receipt = await quarantined(intake)
    other = await retry(intake, receipt, message(source__message_id="m-2"))
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/message/source")
    wrong = await retry(intake, receipt, message(occurred_at="yesterday"))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/message/occurred_at")
    assert (await retry(intake, "01a20a2a-8086-767b-aa5a-d30e48984fe7")).status_code == 404
