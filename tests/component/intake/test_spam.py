"""Suspected spam is kept on a list, unacknowledged, until a lead says that it is none."""

from shared.web.auth import Role
from tests.component.intake.test_messages import send
from tests.component.intake.test_webform import TYPED, opened, sent

LINKS = "http://a.example http://b.example http://c.example"


async def numbers(intake, spam):
    return [each["number"] for each in (await intake.get(f"/v1/complaints?spam={spam}")).json()["data"]]


async def test_who_fills_the_trap_is_on_the_list_until_a_lead_takes_it_out(intake):
    await intake.receive()
    assert (await sent(intake, {**await opened(intake), **TYPED, "website": "x"})).status_code == 303
    assert await numbers(intake, "true") == ["C-20240510-000002"]
    assert await numbers(intake, "false") == ["C-20240510-000001"]
    shown = (await intake.get("/v1/complaints/C-20240510-000002")).json()
    assert (shown["spam"], shown["spam_listed"]) == ({"score": 0.8, "reasons": ["trap_filled"]}, True)
    assert [event["suspected_spam"] for _, event in await intake.outbox()] == [False, True]

    door = "/v1/complaints/C-20240510-000002/not-spam"
    assert (await intake.post(door, {}, Role.AGENT)).status_code == 403
    assert (await intake.post(door, {}, Role.LEAD)).json() == shown["spam"]
    assert await numbers(intake, "true") == []
    kind, event = (await intake.outbox())[-1]
    assert (kind, event["symptom"]) == ("redress.complaint.cleared-of-spam.v1", shown["symptom"])
    again = await intake.post(door, {}, Role.LEAD)
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "not-suspected")
    assert await intake.one("select spam_cleared->'actor'->>'id' from complaints where spam_cleared is not null")
    assert (await intake.post("/v1/complaints/C-20240510-000009/not-spam", {}, Role.LEAD)).status_code == 404


async def test_a_message_below_the_threshold_is_marked_and_not_listed(intake):
    number = (await send(intake, content__text=LINKS)).json()["complaint"]["number"]
    shown = (await intake.get(f"/v1/complaints/{number}")).json()
    assert (shown["spam"], shown["spam_listed"]) == ({"score": 0.4, "reasons": ["links"]}, False)
    worse = {"content__text": LINKS, "source__message_id": "m-2", "source__thread_id": "t-2"}
    worse = await send(intake, **worse, signs={"bulk": True, "unauthenticated": True})
    assert await numbers(intake, "true") == [worse.json()["complaint"]["number"]]
    same = {"content__text": LINKS, "source__message_id": "m-2", "source__thread_id": "t-2"}
    assert (await send(intake, **same)).json()["id"] == worse.json()["id"]


async def test_what_a_colleague_records_is_not_weighed(intake):
    number = (await intake.receive(symptom=LINKS))["number"]
    assert (await intake.get(f"/v1/complaints/{number}")).json()["spam"] is None
