"""Which messages join a complaint, and which make a new one with a suggested link (A8)."""

import asyncio

from shared.web.auth import Role
from tests.component.intake.test_messages import send

STRANGER = [{"kind": "email", "value": "stranger@example.org"}]
ALSO_ZHANG = [{"kind": "phone", "value": "13800001234"}, {"kind": "email", "value": "ZHANG@example.com"}]


async def first(intake, **changes):
    told = (await send(intake, **changes)).json()
    assert told["status"] == "created", told
    return told["complaint"]


async def test_a_reply_of_whoever_complained_is_added_and_told(intake):
    complaint = await first(intake)
    answer = await send(
        intake,
        source__message_id="m-2",
        source__thread_id=None,
        source__reply_to="m-1@mail.example",
        sender__identities=ALSO_ZHANG,
        content__text="还没有修好",
        content__subject="",
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "appended")
    assert answer.json()["complaint"] == complaint
    (shown,) = (await intake.get(f"/v1/complaints/{complaint['id']}/messages")).json()["data"]
    assert (shown["text"], shown["direction"], shown["sent_at"]) == ("还没有修好", "inbound", "2024-05-10T02:20:00Z")
    kind, event = (await intake.outbox())[-1]
    assert kind == "redress.complaint.message-added.v1"
    assert (event["message_id"], event["inbound"], event["channel"]) == (shown["id"], True, "email")
    assert event["facts"]["number"] == complaint["number"]


async def test_a_message_of_the_same_thread_joins_and_an_answer_to_that_one_does_too(intake):
    complaint = await first(intake)
    second = await send(intake, source__message_id="m-2")
    third = await send(intake, source__message_id="m-3", source__thread_id=None, source__reply_to="m-2")
    by_root = await send(intake, source__message_id="m-4", source__thread_id="m-1@mail.example")
    for answer in (second, third, by_root):
        assert (answer.json()["status"], answer.json()["complaint"]) == ("appended", complaint)


async def test_an_answer_to_what_an_agent_sent_joins(intake):
    complaint = await first(intake)
    channel = {"channel": "email", "account": "help@shop.example", "message_id": "ours-1"}
    sent = {"direction": "outbound", "channel": channel, "text": "正在处理"}
    await intake.post(f"/v1/complaints/{complaint['id']}/messages", sent)
    told = (await send(intake, source__message_id="m-2", source__thread_id=None, source__reply_to="ours-1")).json()
    assert (told["status"], told["complaint"]) == ("appended", complaint)


async def test_a_stranger_who_knows_the_thread_makes_a_new_complaint_with_a_suggestion(intake):
    complaint = await first(intake)
    reply = {"source__reply_to": "m-1@mail.example"}
    sources: list[dict[str, str | None]] = [{}, {**reply}, {**reply, "source__thread_id": None}]
    for place, source in enumerate(sources):
        stranger = [{"kind": "email", "value": f"stranger{place}@example.org"}]
        told = (await send(intake, source__message_id=f"s-{place}", sender__identities=stranger, **source)).json()
        assert (told["status"], told["suggested"]) == ("suggestion", complaint)
        assert told["complaint"]["id"] != complaint["id"]
    assert (await intake.get(f"/v1/complaints/{complaint['id']}/messages")).json()["data"] == []
    kinds = {kind for kind, _ in await intake.outbox()}
    assert kinds == {"redress.complaint.received.v1"}


async def test_a_quoted_number_never_joins_but_suggests(intake):
    complaint = await first(intake)
    for place, identities in enumerate((STRANGER, ALSO_ZHANG)):
        told = (
            await send(
                intake,
                source__message_id=f"s-{place}",
                source__thread_id=None,
                sender__identities=identities,
                content__text=f"关于投诉{complaint['number']}，我也一样",
            )
        ).json()
        assert (told["status"], told["suggested"]) == ("suggestion", complaint)


async def test_a_number_that_no_complaint_has_suggests_nothing(intake):
    await first(intake, content__text="见 C-20240510-999999", source__thread_id=None)


async def test_a_stranger_goes_on_with_their_own_complaint_on_the_thread(intake):
    await first(intake)
    told = (await send(intake, source__message_id="s-1", sender__identities=STRANGER)).json()
    again = (await send(intake, source__message_id="s-2", sender__identities=STRANGER)).json()
    assert (again["status"], again["complaint"]) == ("appended", told["complaint"])


async def test_a_thread_is_of_one_account(intake):
    await first(intake)
    other = await send(intake, source__account="sales@shop.example", source__reply_to="m-1@mail.example")
    assert other.json()["status"] == "created"


async def test_twenty_messages_of_a_new_thread_at_once_make_one_complaint(intake):
    answers = await asyncio.gather(*[send(intake, place % 2, source__message_id=f"m-{place}") for place in range(20)])
    told = [answer.json() for answer in answers]
    assert sorted(each["status"] for each in told) == ["appended"] * 19 + ["created"]
    assert len({each["complaint"]["id"] for each in told}) == 1
    assert await intake.one("select count(*) from messages") == 19
    assert len(await intake.outbox()) == 20


async def test_a_reply_that_is_delivered_twenty_times_at_once_is_added_once(intake):
    await first(intake)
    answers = await asyncio.gather(*[send(intake, place % 2, source__message_id="m-2") for place in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert await intake.one("select count(*) from messages") == 1
    assert len(await intake.outbox()) == 2


async def test_nothing_joins_the_complaint_of_whoever_was_erased(intake):
    complaint = await first(intake)
    (person,) = await intake.rows("select person_id from complaints")
    await intake.post(f"/v1/complainants/{person[0]}/erasure", None, Role.ADMIN)
    told = (await send(intake, source__message_id="m-2")).json()
    assert (told["status"], told["suggested"]) == ("created", None)
    assert told["complaint"]["id"] != complaint["id"]
