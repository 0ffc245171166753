"""Messages, notes and links (A3, A8)."""

import asyncio

import pytest

from shared.web.auth import Role
from tests.component.intake.conftest import complaint

MESSAGE = {
    "direction": "inbound",
    "channel": {"channel": "wecom", "account": "shop-service", "message_id": "m-1"},
    "text": "什么时候能修好？",
}


@pytest.fixture
async def path(intake):
    return f"/v1/complaints/{(await intake.receive())['number']}"


async def three(intake):
    return [await intake.receive(channel__message_id=f"call-{place}") for place in range(3)]


async def test_a_message_is_kept_and_told(intake, path):
    answer = await intake.post(f"{path}/messages", MESSAGE, Role.ADAPTER)
    assert answer.status_code == 201
    (shown,) = (await intake.get(f"{path}/messages")).json()["data"]
    assert (shown["text"], shown["direction"], shown["actor"]["kind"]) == ("什么时候能修好？", "inbound", "adapter")
    assert shown["sent_at"] == "2024-05-10T02:21:00Z"
    kind, event = (await intake.outbox())[-1]
    assert kind == "redress.complaint.message-added.v1"
    assert (event["message_id"], event["inbound"], event["channel"]) == (answer.json()["id"], True, "wecom")
    assert event["facts"]["number"] == "C-20240510-000001"
    assert event["facts"]["customer"]["display"] == "138****1234"


async def test_the_same_message_delivered_again_is_answered_with_the_first(intake, path):
    answers = await asyncio.gather(*[intake.post(f"{path}/messages", MESSAGE, process=n % 2) for n in range(10)])
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert len(await intake.outbox()) == 2


async def test_a_message_with_an_idempotency_key_is_added_once(intake, path):
    message = {**MESSAGE, "channel": {"channel": "chat"}}
    key = {"Idempotency-Key": "k"}
    first = await intake.post(f"{path}/messages", message, headers=key)
    again = await intake.post(f"{path}/messages", message, headers=key)
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await intake.one("select count(*) from messages") == 1


async def test_one_delivery_can_not_be_added_to_two_complaints(intake):
    first, second, _ = await three(intake)
    await intake.post(f"/v1/complaints/{first['id']}/messages", MESSAGE)
    answer = await intake.post(f"/v1/complaints/{second['id']}/messages", MESSAGE)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:redress:problem:delivery-elsewhere"
    assert first["id"] in answer.json()["detail"]


async def test_a_message_from_the_future_is_refused(intake, path):
    answer = await intake.post(f"{path}/messages", {**MESSAGE, "sent_at": "2024-05-11T00:00:00Z"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/sent_at"


async def test_the_thread_comes_oldest_first_in_pages(intake, path):
    for minute in (5, 1, 3):
        sent = {**MESSAGE, "channel": {"channel": "chat"}, "sent_at": f"2024-05-10T02:0{minute}:00Z"}
        await intake.post(f"{path}/messages", {**sent, "text": str(minute)})
    first = (await intake.get(f"{path}/messages?limit=2")).json()
    second = (await intake.get(first["links"]["next"])).json()
    assert [item["text"] for item in first["data"] + second["data"]] == ["1", "3", "5"]
    assert second["links"]["next"] is None


async def test_a_note_is_kept_and_told_and_is_not_a_message(intake, path):
    answer = await intake.post(f"{path}/notes", {"text": "客户情绪激动"})
    assert answer.status_code == 201
    (shown,) = (await intake.get(f"{path}/notes")).json()["data"]
    assert (shown["text"], shown["actor"]["id"]) == ("客户情绪激动", "agent-li")
    assert (await intake.get(f"{path}/messages")).json()["data"] == []
    kind, event = (await intake.outbox())[-1]
    assert (kind, event["text"]) == ("redress.complaint.note-added.v1", "客户情绪激动")


async def test_adapters_write_no_notes_and_read_nothing(intake, path):
    assert (await intake.post(f"{path}/notes", {"text": "x"}, Role.ADAPTER)).status_code == 403
    assert (await intake.get(path, Role.ADAPTER)).status_code == 403
    assert (await intake.get("/v1/complaints", Role.ADAPTER)).status_code == 403


async def test_a_duplicate_is_linked_to_its_original_and_told_once(intake):
    first, second, _ = await three(intake)
    link = {"relation": "duplicate_of", "other": first["number"], "reason": "同一故障"}
    made = await intake.post(f"/v1/complaints/{second['id']}/links", link)
    again = await intake.post(f"/v1/complaints/{second['number']}/links", {**link, "other": first["id"]})
    assert (made.status_code, again.status_code) == (201, 200)
    kind, event = (await intake.outbox())[-1]
    assert kind == "redress.complaint.linked.v1"
    assert (event["facts"]["complaint_id"], event["other_id"]) == (second["id"], first["id"])
    assert (event["other_number"], event["relation"], event["reason"]) == (first["number"], "duplicate_of", "同一故障")
    assert len([kind for kind, _ in await intake.outbox() if kind == "redress.complaint.linked.v1"]) == 1
    for side in (first, second):
        (shown,) = (await intake.get(f"/v1/complaints/{side['id']}")).json()["links"]
        assert (shown["number"], shown["other_number"]) == (second["number"], first["number"])


async def test_a_duplicate_has_one_original_which_is_itself_no_duplicate(intake):
    first, second, third = await three(intake)

    async def duplicate(of, original):
        body = {"relation": "duplicate_of", "other": original["number"]}
        return (await intake.post(f"/v1/complaints/{of['id']}/links", body)).status_code

    assert await duplicate(second, first) == 201
    assert await duplicate(second, third) == 409
    assert await duplicate(third, second) == 409
    assert await duplicate(first, third) == 409
    assert await duplicate(first, first) == 409
    assert await duplicate(third, first) == 201


async def test_two_complaints_that_are_made_duplicates_of_each_other_at_once_make_one_duplicate(intake):
    first, second, _ = await three(intake)
    answers = await asyncio.gather(
        *[
            intake.post(
                f"/v1/complaints/{one['id']}/links",
                {"relation": "duplicate_of", "other": other["number"]},
                process=place,
            )
            for place, (one, other) in enumerate([(first, second), (second, first)])
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_complaint_that_does_not_exist_is_told_apart(intake, path):
    nobody = "/v1/complaints/C-20240510-999999"
    for each in (
        await intake.get(nobody),
        await intake.get(f"{nobody}/messages"),
        await intake.get(f"{nobody}/notes"),
        await intake.post(f"{nobody}/messages", MESSAGE),
        await intake.post(f"{nobody}/notes", {"text": "x"}),
        await intake.post(f"{nobody}/links", {"relation": "related_to", "other": nobody[15:]}),
    ):
        assert each.status_code == 404
        assert each.json()["type"] == "urn:redress:problem:no-such-complaint"
    answer = await intake.post(f"{path}/links", {"relation": "related_to", "other": nobody[15:]})
    assert answer.status_code == 409
    assert (await intake.get("/v1/complaints/not-a-key")).status_code == 422


async def test_complaints_are_listed_by_channel(intake):
    await intake.receive()
    chat = await intake.receive(channel={"channel": "chat"})
    listed = (await intake.get("/v1/complaints?channel=chat")).json()
    assert [item["number"] for item in listed["data"]] == [chat["number"]]
    assert listed["data"][0]["complainant"] == "138****1234"


async def test_the_record_of_a_bare_complaint_can_be_shown(intake):
    told = (await intake.post("/v1/complaints", {"channel": {"channel": "social"}, "symptom": "差评"})).json()
    shown = (await intake.get(f"/v1/complaints/{told['id']}")).json()
    assert (shown["complainant"]["display"], shown["happened_at"], shown["demands"]) == ("*", None, [])
    assert complaint()["symptom"] not in str(shown)
