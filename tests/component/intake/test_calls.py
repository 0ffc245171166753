"""The hotline's calls, joined with what seats record of them; a call that nobody recorded is found."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from intake_service.main import service
from shared.web.auth import Role
from tests.component.intake.conftest import NOW
from tests.component.intake.test_channels import put
from tests.component.intake.test_doors import APP, opened, send
from tests.support.signing import SECRET

HOTLINE = {
    **APP,
    "kind": "cti",
    "account": "4008001234",
    "title": {"zh": "热线", "en": "Hotline"},
    "settings": {"record_within_minutes": 15},
}
CALL = {"call_id": "call-1", "caller": "13812341234", "seat": "seat-07"}
LIFE: list[dict[str, Any]] = [
    {**CALL, "event": "ringing", "at": "2024-05-10T10:00:00+08:00"},
    {**CALL, "event": "started", "at": "2024-05-10T10:00:10+08:00"},
    {**CALL, "event": "ended", "at": "2024-05-10T10:05:00+08:00", "duration_seconds": 290},
    {**CALL, "event": "recorded", "at": "2024-05-10T10:05:30+08:00", "recording_url": "https://pbx.example/r/1.wav"},
]
RECORD: dict[str, Any] = {
    "channel": {"channel": "hotline", "account": "4008001234", "seat": "seat-07", "message_id": "call-1"},
    "symptom": "查询最近七天的订单时提示加载失败",
}


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("INTAKE_SECRET_DOOR", SECRET)


async def hear(intake, *events, process=0):
    for event in events:
        answer = await send(intake, "pbx/calls", event, at=intake.clock.now().timestamp(), process=process)
        assert answer.status_code == 200, answer.text
    return answer.json()


async def record(intake, **changes):
    answer = await intake.post("/v1/complaints", {**RECORD, **changes})
    assert answer.status_code == 201, answer.text
    return (await intake.get(f"/v1/complaints/{answer.json()['number']}")).json()


async def shown(intake, number):
    return (await intake.get(f"/v1/complaints/{number}")).json()


async def lost(intake):
    return [each["call_id"] for each in (await intake.get("/v1/calls?without_record=true")).json()["data"]]


async def test_a_record_typed_during_its_call_has_the_callers_number_and_the_beginning(intake):
    await opened(intake, "pbx", HOTLINE)
    await hear(intake, *LIFE[:2])
    found = await record(intake)
    assert (found["complainant"]["phones"], found["received_at"]) == (["138****1234"], "2024-05-10T02:00:10Z")
    await hear(intake, *LIFE[2:])
    call = (await shown(intake, found["number"]))["call"]
    assert (call["recording_url"], call["duration_seconds"]) == ("https://pbx.example/r/1.wav", 290)
    assert (call["caller"], call["seat"], call["complaint"]["number"]) == ("138****1234", "seat-07", found["number"])
    listed = (await intake.get(f"/v1/calls?complaint={found['number']}")).json()["data"]
    assert listed == [call]


async def test_a_call_that_is_heard_of_after_its_record_tells_the_person_the_number(intake):
    await opened(intake, "pbx", HOTLINE)
    found = await record(intake)
    assert (found["complainant"]["phones"], found["call"]) == ([], None)
    await hear(intake, *reversed(LIFE))
    now = await shown(intake, found["number"])
    assert (now["complainant"]["phones"], now["call"]["started_at"]) == (["138****1234"], "2024-05-10T02:00:10Z")
    changes = [kind for kind, _ in await intake.outbox("redress.intake.contacts")]
    assert changes == ["redress.contacts.changed.v1"]
    again = await record(intake, channel={"channel": "chat"}, complainant={"phones": ["13812341234"]})
    assert again["complainant"]["id"] == now["complainant"]["id"]


async def test_a_number_that_is_somebody_elses_is_not_taken(intake):
    await opened(intake, "pbx", HOTLINE)
    owner = await record(intake, channel={"channel": "chat"}, complainant={"phones": ["13812341234"]})
    found = await record(intake)
    await hear(intake, *LIFE)
    now = await shown(intake, found["number"])
    assert (now["complainant"]["phones"], now["call"]["caller"]) == ([], "138****1234")
    assert now["complainant"]["id"] != owner["complainant"]["id"]


async def test_twenty_deliveries_of_each_event_at_once_are_one_call(intake):
    await opened(intake, "pbx", HOTLINE)
    await asyncio.gather(*(hear(intake, event, process=each % 2) for each in range(20) for event in LIFE))
    (call,) = (await intake.get("/v1/calls")).json()["data"]
    assert call["ended_at"] == "2024-05-10T02:05:00Z"
    assert await intake.one("select count(*) from calls") == 1


async def test_events_of_one_call_need_one_connection_each_while_the_channels_are_looked_up_anew(intake):
    """Whoever held the call would wait for a connection that those who wait for the call have."""
    await opened(intake, "pbx", HOTLINE)
    changes = {"channels_refresh_seconds": 1e-6, "database_pool_size": 2}
    busy = service(intake.services[0].deps.settings.model_copy(update=changes), intake.clock, None)
    intake.services.append(busy)
    async with asyncio.timeout(5):
        await asyncio.gather(*(hear(intake, LIFE[0], process=2) for _ in range(20)))
    assert await intake.one("select count(*) from calls") == 1


async def test_a_call_that_nobody_recorded_is_found_until_it_is_recorded_or_dismissed(intake):
    await opened(intake, "pbx", HOTLINE)
    for number in (1, 2, 3):
        await hear(intake, *({**event, "call_id": f"call-{number}"} for event in LIFE))
    await record(intake)
    assert await lost(intake) == ["call-3", "call-2"]
    view = (await intake.get("/v1/channels/pbx", Role.LEAD)).json()
    assert (view["unaccounted"], view["last_contact_at"]) == (2, "2024-05-10T02:21:00Z")
    count = (await intake.get("/v1/reconciliation", Role.LEAD)).json()
    assert (count["unaccounted"], [each["calls_without_record"] for each in count["sources"]]) == (2, [2])

    await record(intake, channel={**RECORD["channel"], "message_id": "call-2"})
    (call,) = (await intake.get("/v1/calls?without_record=true")).json()["data"]
    path = f"/v1/calls/{call['id']}/dismiss"
    assert (await intake.post(path, {"reason": "because"})).status_code == 422
    assert (await intake.post(path, {"reason": "wrong_number"}, Role.QUALITY)).status_code == 403
    done = await intake.post(path, {"reason": "wrong_number", "note": "找另一家店"})
    assert (done.status_code, done.json()["dismissed"]["reason"]) == (200, "wrong_number")
    again = await intake.post(path, {"reason": "hung_up"})
    assert again.json()["dismissed"] == done.json()["dismissed"]
    assert await lost(intake) == []
    assert (await intake.get("/v1/channels/pbx", Role.LEAD)).json()["unaccounted"] == 0


async def test_a_call_is_due_some_minutes_after_its_end_or_when_nothing_was_heard_for_hours(intake):
    await opened(intake, "pbx", HOTLINE)
    at = NOW.replace(minute=10).isoformat()
    await hear(intake, {**CALL, "event": "ended", "at": at}, {**CALL, "call_id": "open", "event": "started", "at": at})
    assert await lost(intake) == []
    await intake.clock.advance_to(NOW + timedelta(minutes=5))
    assert await lost(intake) == ["call-1"]
    await intake.clock.advance_to(NOW + timedelta(hours=4, minutes=5))
    assert await lost(intake) == ["open", "call-1"]


async def test_a_call_with_a_record_is_not_dismissed_and_one_that_is_not_there_is_not_found(intake):
    await opened(intake, "pbx", HOTLINE)
    call = await hear(intake, *LIFE)
    await record(intake)
    refused = await intake.post(f"/v1/calls/{call['id']}/dismiss", {"reason": "wrong_number"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:redress:problem:call-has-record")
    nobody = "0190d0a4-7c1c-7000-8000-000000000000"
    assert (await intake.post(f"/v1/calls/{nobody}/dismiss", {"reason": "wrong_number"})).status_code == 404


async def test_forged_old_and_wrong_events_are_refused_with_a_pointer(intake):
    await opened(intake, "pbx", HOTLINE)
    forged = await send(intake, "pbx/calls", LIFE[0], **{"webhook-signature": "v1,AAAA"})
    stale = await send(intake, "pbx/calls", LIFE[0], at=(NOW - timedelta(minutes=6)).timestamp())
    assert (forged.status_code, stale.status_code) == (403, 403)
    for wrong, pointer in (
        ({**LIFE[0], "event": "hold"}, "/event"),
        ({**LIFE[0], "callid": "x"}, "/callid"),
        ({**LIFE[0], "at": "2024-05-10T23:00:00+08:00"}, "/at"),
    ):
        answer = await send(intake, "pbx/calls", wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await send(intake, "pbx/calls", b"{")).status_code == 400
    assert await intake.one("select count(*) from calls") == 0


async def test_erasing_a_person_deletes_who_called_and_what_was_recorded_for_good(intake):
    await opened(intake, "pbx", HOTLINE)
    await hear(intake, *LIFE, {**LIFE[0], "call_id": "other"})
    found = await record(intake)
    erased = await intake.post(f"/v1/complainants/{found['complainant']['id']}/erasure", {}, Role.ADMIN)
    assert erased.status_code in (200, 201), erased.text
    await hear(intake, *LIFE)
    for call in (await intake.get("/v1/calls")).json()["data"]:
        assert (call["caller"], call["recording_url"], call["seat"]) == (None, None, "seat-07")
    assert "1381234" not in str(await intake.rows("select * from calls"))


async def test_events_in_any_order_make_the_same_call(intake):
    await opened(intake, "pbx", HOTLINE)
    found = []
    for number, order in enumerate(itertools.islice(itertools.permutations(LIFE), 0, 24, 5)):
        told = await hear(intake, *({**event, "call_id": f"call-{number}"} for event in order))
        found.append({name: told[name] for name in told if name not in ("id", "call_id", "heard_at")})
    assert all(each == found[0] for each in found)


async def test_a_channel_of_calls_is_of_the_hotline(intake):
    assert (await put(intake, "pbx", {**HOTLINE, "channel": "chat"})).status_code == 422
    assert (await put(intake, "pbx", {**HOTLINE, "settings": {"record_within_minutes": 0}})).status_code == 422
