"""What `POST /v1/messages` promises to an adapter: one receipt for good and one complaint, however often it comes."""

import asyncio
import copy

import pytest

from intake_service.domain.message import MESSAGE_EXAMPLE
from shared.web.auth import Role
from tests.component.intake.conftest import complaint

KINDS = ("account", "phone", "wecom", "email")


def message(**changes):
    """The example message with parts replaced; `source__thread_id` reaches into a part, None takes it out."""
    body = copy.deepcopy(MESSAGE_EXAMPLE)
    for name, value in changes.items():
        part, last = (body[name.split("__")[0]], name.split("__")[1]) if "__" in name else (body, name)
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return body


async def send(intake, process=0, headers=None, **changes):
    return await intake.post("/v1/messages", message(**changes), Role.ADAPTER, process, headers=headers)


async def test_a_message_makes_a_complaint_and_a_receipt_that_are_there_when_it_is_answered(intake):
    answer = await send(intake)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["status"], told["complaint"]["number"], told["doubts"]) == ("created", "C-20240510-000001", [])
    assert answer.headers["Location"] == f"/v1/receipts/{told['id']}"
    assert (await intake.get(answer.headers["Location"], Role.ADAPTER)).json() == told

    shown = (await intake.get(f"/v1/complaints/{told['complaint']['id']}")).json()
    assert shown["symptom"] == "订单无法查询\n\n从早上开始一直加载失败，请尽快处理。"
    assert (shown["made_at"], shown["received_at"]) == ("2024-05-10T02:20:00Z", "2024-05-10T02:21:00Z")
    assert shown["complainant"]["emails"] == ["z***@example.com"]
    assert shown["source"]["message_id"] == "m-1@mail.example"


async def test_it_publishes_what_a_complaint_publishes(intake):
    told = (await send(intake)).json()
    ((kind, event),) = await intake.outbox()
    assert kind == "redress.complaint.received.v1"
    assert (event["facts"]["complaint_id"], event["actor"]["kind"]) == (told["complaint"]["id"], "adapter")
    ((kind, contacts),) = await intake.outbox("redress.intake.contacts")
    assert (kind, contacts["emails"]) == ("redress.contacts.changed.v1", ["zhang@example.com"])


async def test_the_same_delivery_again_is_answered_with_the_first_receipt(intake):
    first, again = await send(intake), await send(intake, occurred_at="2024-05-10T02:20:00Z")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert len(await intake.outbox()) == 1


async def test_twenty_deliveries_at_once_to_two_processes_make_one_complaint_and_one_receipt(intake):
    answers = await asyncio.gather(*[send(intake, process=place % 2) for place in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.content for answer in answers}) == 1
    assert await intake.one("select count(*) from complaints") == 1
    assert await intake.one("select count(*) from receipts") == 1
    assert len(await intake.outbox()) == 1


async def test_the_same_key_with_another_message_is_refused_and_changes_nothing(intake):
    await send(intake)
    answers = await asyncio.gather(
        *[send(intake, process=place % 2, content__text=f"另一条 {place}") for place in range(6)]
    )
    assert {answer.status_code for answer in answers} == {422}
    problem = answers[0].json()
    assert problem["type"] == "urn:redress:problem:message-key-reused"
    assert problem["errors"][0]["pointer"] == "/source/message_id"
    assert await intake.one("select count(*) from complaints") == 1


async def test_an_idempotency_key_gives_the_first_answer_again(intake):
    key = {"Idempotency-Key": "one"}
    first, again = await send(intake, headers=key), await send(intake, headers=key)
    assert (first.status_code, again.status_code, first.content) == (202, 202, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await send(intake, headers=key, source__message_id="m-2")
    assert (other.status_code, other.json()["type"]) == (422, "urn:redress:problem:idempotency-key-reused")


async def test_a_delivery_that_came_by_another_door_is_a_duplicate_of_its_complaint(intake):
    first = await intake.receive(channel={"channel": "email", "account": "help@shop.example", "message_id": "door"})
    thread = {"channel": "email", "account": "help@shop.example", "message_id": "door-2"}
    added = {"direction": "inbound", "channel": thread, "text": "补充"}
    assert (await intake.post(f"/v1/complaints/{first['id']}/messages", added)).status_code == 201
    for message_id in ("door", "door-2"):
        told = (await send(intake, source__message_id=message_id)).json()
        assert (told["status"], told["complaint"]["id"]) == ("duplicate", first["id"])
    assert await intake.one("select count(*) from complaints") == 1


async def test_both_doors_at_once_make_one_complaint(intake):
    channel = {"channel": "email", "account": "help@shop.example", "message_id": "m-1@mail.example"}
    answers = await asyncio.gather(
        *[
            send(intake, process=place % 2)
            if place % 3
            else intake.post("/v1/complaints", complaint(channel=channel), process=place % 2)
            for place in range(12)
        ]
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    assert await intake.one("select count(*) from complaints") == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_sender_is_recognised_by_every_kind_of_identity(intake, kind):
    stated = {"account": "shop-1001", "phone": "138 1234 1234", "wecom": "wang", "email": "Wang@Example.com"}
    first = await intake.receive(complainant__emails=["wang@example.com"], complainant__wecom="wang")
    identity = {"kind": kind, "value": stated[kind], **({"organisation": "某网店公司"} if kind == "account" else {})}
    await send(intake, sender__identities=[identity])
    people = await intake.rows("select distinct person_id from complaints")
    assert [str(row[0]) for row in people] == [first["complainant_id"]]


async def test_a_handle_is_of_one_account_of_one_channel(intake):
    handle = {"sender__identities": [{"kind": "handle", "value": "u-7"}]}
    for place, source in enumerate(({}, {}, {"source__account": "other"}, {"source__channel": "social"})):
        await send(intake, **handle, **source, source__message_id=f"m-{place}", source__thread_id=None)
    assert await intake.one("select count(*) from complaints") == 4
    assert await intake.one("select count(*) from persons") == 3


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"source__message_id": None}, "/source/message_id"),
        ({"source__channel": "pigeon"}, "/source/channel"),
        ({"source__thread_id": "x" * 256}, "/source/thread_id"),
        ({"source__account": "a\u0007"}, "/source/account"),
        ({"sender__identities": "zhang"}, "/sender/identities"),
        ({"sender__identities": [{"kind": "phone", "value": "1"}] * 6}, "/sender/identities"),
        ({"sender__identities": [{"kind": "wecom", "value": "1"}] * 2}, "/sender/identities"),
        ({"sender__identities": [{"kind": "fax", "value": "1"}]}, "/sender/identities/0/kind"),
        ({"sender__name": "a\u202eb"}, "/sender/name"),
        ({"content__text": 7}, "/content/text"),
        ({"content__text": "a\u0000"}, "/content/text"),
        ({"content__text": "慢" * 100_001}, "/content/text"),
        ({"content__subject": "a\nb"}, "/content/subject"),
        ({"content__language": "tlh"}, "/content/language"),
        ({"occurred_at": "2024-05-10T10:20:00"}, "/occurred_at"),
        ({"occurred_at": None}, "/occurred_at"),
        ({"raw": {"data": "A" * 400_001}}, "/raw/data"),
        ({"shape": "round"}, "/shape"),
    ],
)
async def test_what_breaks_the_envelope_is_refused_with_a_pointer(intake, changes, pointer):
    answer = await send(intake, **changes)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await intake.one("select count(*) from receipts") == 0


async def test_bad_json_and_other_media_are_refused(intake):
    client = await intake.client(Role.ADAPTER)
    bad = await client.post("/v1/messages", content=b"{", headers={"Content-Type": "application/json"})
    plain = await client.post("/v1/messages", content=b"{}", headers={"Content-Type": "text/plain"})
    assert (bad.status_code, plain.status_code) == (400, 415)


async def test_a_bound_key_hands_in_and_sees_messages_of_its_own_account_alone(intake):
    async def with_key(account):
        bound = {"name": account, "channel": "email", "account": account}
        key = (await intake.post("/v1/adapter-keys", bound, Role.ADMIN)).json()["key"]
        return {"X-API-Key": key}

    client, mine, theirs = await intake.client(), await with_key("help@shop.example"), await with_key("other")
    assert (await client.post("/v1/messages", json=message(), headers=theirs)).status_code == 403
    answer = await client.post("/v1/messages", json=message(), headers=mine)
    assert answer.status_code == 202
    path = answer.headers["Location"]
    seen = [(await client.get(path, headers=headers)).status_code for headers in (mine, theirs)]
    assert seen == [200, 404]


async def test_erasure_takes_what_the_message_said_and_a_late_delivery_brings_nothing_back(intake):
    first = await send(intake)
    (person,) = await intake.rows("select person_id from complaints")
    assert (await intake.post(f"/v1/complainants/{person[0]}/erasure", None, Role.ADMIN)).status_code == 200
    assert await intake.one("select count(*) from receipts where body is not null or fingerprint is not null") == 0
    again = await send(intake)
    assert (again.status_code, again.content) == (200, first.content)
    assert await intake.one("select count(*) from persons") == 1
