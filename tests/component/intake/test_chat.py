"""Live chat over real sockets, on two processes of one installation: nothing lost, nothing twice (A1, A3, A8)."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect

from intake_service.channels.chat import sign_identity
from shared.service.run import WS_MAX_BYTES
from shared.web.auth import Role
from tests.component.intake.chatting import SITE, Socket
from tests.support.web import client_of, token_of


async def test_a_chat_is_one_complaint_whose_clocks_hear_the_agents_answer(chat):
    opened = await chat.open(language="zh")
    assert await chat.intake.one("select count(*) from complaints") == 0
    async with chat.socket(opened) as visitor:
        await visitor.say("1", "订单无法查询")
        assert await visitor.next("accepted") == {"type": "accepted", "message_id": "1", "seq": 1}
        await visitor.say("2", "很急")
        assert (await visitor.next("accepted"))["seq"] == 2
        assert (await chat.act(opened, "join")).json()["state"] == "joined"
        async with chat.socket(opened, process=1, agent="agent-li") as agent:
            assert [(await agent.next())["seq"] for _ in range(3)] == [1, 2, 3]
            await agent.say("1", "请稍候")
            assert (await agent.next("accepted"))["seq"] == 4
            heard = await visitor.until("message", seq=4)
            assert (heard["author"], heard["name"], heard["text"]) == ("agent", "李工", "请稍候")
    (row,) = await chat.intake.rows("select id, channel, account, record from complaints")
    assert (row.channel, row.account, row.record["symptom"]) == ("chat", "shop", "订单无法查询")
    thread = await chat.intake.rows(
        "select direction, text from messages where complaint_id = :id order by id", id=row.id
    )
    assert [tuple(each) for each in thread] == [("inbound", "很急"), ("outbound", "请稍候")]
    added = [payload for kind, payload in await chat.intake.outbox() if kind == "redress.complaint.message-added.v1"]
    assert [(payload["inbound"], payload["channel"]) for payload in added] == [(True, "chat"), (False, "chat")]
    assert [entry[2] for entry in await chat.transcript(opened)] == ["订单无法查询", "很急", None, "请稍候"]


async def test_a_socket_that_dies_before_the_answer_loses_nothing_and_doubles_nothing(chat):
    opened = await chat.open()
    async with chat.socket(opened) as visitor:
        await visitor.say("1", "first")
        await visitor.next("accepted")
        await visitor.say("2", "second")
        visitor.connection.transport.abort()
    await chat.said(opened, "other", "said meanwhile by another device", process=1)
    async with chat.socket(opened, after=1, process=1) as visitor:
        await visitor.say("2", "second")
        seq = (await visitor.next("accepted"))["seq"]
        await visitor.say("3", "third")
        assert (await visitor.next("accepted"))["seq"] == 4
    assert sorted(text for _, _, text in await chat.transcript(opened)) == sorted(
        ["first", "second", "said meanwhile by another device", "third"]
    )
    assert (await chat.transcript(opened))[seq - 1][2] == "second"
    assert [each[0] for each in await chat.transcript(opened, after=2)] == [3, 4]


async def test_twenty_sends_of_one_message_at_once_by_two_processes_are_one(chat):
    opened = await chat.open()
    answers = await asyncio.gather(*(chat.said(opened, "1", "订单无法查询", process=each % 2) for each in range(20)))
    assert [(answer.status_code, answer.json()["seq"]) for answer in answers] == [(201, 1)] * 20
    assert await chat.intake.one("select count(*) from complaints") == 1
    assert await chat.intake.one("select count(*) from receipts") == 1
    other = await chat.said(opened, "1", "something else")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/message_id")
    assert await chat.transcript(opened) == [(1, "message", "订单无法查询")]


async def test_twenty_first_messages_at_once_make_one_complaint_and_twenty_places(chat):
    opened = await chat.open()
    await asyncio.gather(*(chat.said(opened, str(each), f"line {each}", process=each % 2) for each in range(20)))
    assert await chat.intake.one("select count(*) from complaints") == 1
    found = await chat.transcript(opened)
    assert [seq for seq, _, _ in found] == list(range(1, 21))
    assert {text for _, _, text in found} == {f"line {each}" for each in range(20)}


async def test_an_agents_answer_that_is_sent_twice_is_one_and_only_the_agent_in_charge_answers(chat):
    opened = await chat.open()
    say = {"message_id": "1", "text": "请稍候"}
    assert (await chat.act(opened, "messages", say)).json()["type"].endswith("nothing-said-yet")
    assert (await chat.act(opened, "join")).status_code == 409
    await chat.said(opened, "1", "hello")
    assert (await chat.act(opened, "messages", say)).json()["type"].endswith("not-your-chat")
    await chat.act(opened, "join")
    assert (await chat.act(opened, "join")).status_code == 200
    assert (await chat.act(opened, "join", agent="agent-wu")).json()["type"].endswith("chat-taken")
    answers = await asyncio.gather(*(chat.act(opened, "messages", say) for _ in range(10)))
    assert {(answer.status_code, answer.json()["seq"]) for answer in answers} == {(201, 3)}
    assert (await chat.act(opened, "messages", say | {"text": "no"})).status_code == 422
    assert (await chat.act(opened, "messages", say, agent="agent-wu")).status_code == 409
    assert await chat.intake.one("select count(*) from messages where direction = 'outbound'") == 1


async def test_a_chat_is_handed_over_to_an_agent_or_a_queue_and_the_transcript_tells(chat):
    opened = await chat.open()
    await chat.said(opened, "1", "hello")
    await chat.act(opened, "join")
    to_wu = {"agent": "agent-wu", "reason": "technical"}
    assert (await chat.act(opened, "hand-over", {"queue": "q"}, agent="agent-wu")).status_code == 409
    handed = (await chat.act(opened, "hand-over", to_wu)).json()
    assert (handed["state"], handed["agent"], handed["offered_to"]) == ("waiting", None, "agent-wu")
    assert (await chat.act(opened, "join", agent="agent-xu")).json()["type"].endswith("chat-taken")
    (waiting,) = (await chat.intake.get("/v1/chats?state=waiting")).json()["data"]
    assert (waiting["chat_id"], waiting["queue"], waiting["visitor"]) == (opened.chat_id, "chat-team", "*")
    assert (await chat.act(opened, "join", agent="agent-wu")).json()["agent"]["id"] == "agent-wu"
    lead = await chat.act(opened, "hand-over", {"queue": "second-line"}, agent="lead-he", role=Role.LEAD)
    assert (lead.json()["queue"], lead.json()["offered_to"]) == ("second-line", None)
    assert (await chat.intake.get("/v1/chats?queue=second-line")).json()["data"][0]["chat_id"] == opened.chat_id
    inside = (await chat.intake.get(f"/v1/chats/{opened.chat_id}/messages")).json()["data"]
    assert [each["type"] for each in inside] == ["message", "joined", "handed_over", "joined", "handed_over"]
    assert (inside[2]["agent"], inside[2]["reason"], inside[4]["queue"]) == ("agent-wu", "technical", "second-line")
    async with chat.socket(opened, after=2) as visitor:
        seen = await visitor.next("handed_over")
        assert seen.keys() == {"type", "seq", "at", "author", "name"}
    assert (await chat.act(opened, "hand-over", {"agent": "a", "queue": "q"})).status_code == 422


async def test_who_is_there_and_who_types_is_seen_on_the_other_process(chat):
    opened = await chat.open()
    await chat.said(opened, "1", "hello")
    async with chat.socket(opened) as visitor:
        assert (await visitor.next("presence"))["present"] == [{"role": "visitor", "name": "*", "typing": False}]
        async with chat.socket(opened, process=1, agent="agent-li") as agent:
            both = [
                {"role": "agent", "name": "李工", "typing": False},
                {"role": "visitor", "name": "*", "typing": False},
            ]
            await visitor.until("presence", present=both)
            await agent.send(type="typing")
            await visitor.until("presence", present=[both[0] | {"typing": True}, both[1]])
            shown = (await chat.intake.get(f"/v1/chats/{opened.chat_id}")).json()
            assert shown["present"] == [both[0] | {"typing": True}, both[1]]
        await visitor.until("presence", present=[both[1]])


async def test_an_ended_chat_closes_its_sockets_and_takes_nothing_new(chat):
    opened = await chat.open()
    await chat.said(opened, "1", "hello")
    await chat.act(opened, "join")
    async with chat.socket(opened, process=1) as visitor:
        assert (await chat.act(opened, "end")).status_code == 204
        assert (await visitor.next("ended"))["seq"] == 3
        assert await visitor.closed() == 1000
    assert (await chat.said(opened, "1", "hello")).json()["seq"] == 1
    assert (await chat.said(opened, "2", "more")).json()["type"].endswith("chat-ended")
    assert await chat.intake.one("select count(*) from messages") == 0
    assert (await chat.act(opened, "end")).status_code == 204


async def test_a_forged_or_expired_token_opens_nothing(chat):
    opened, other = await chat.open(), await chat.open()
    forged = opened.token[:-2] + ("aa" if opened.token[-2:] != "aa" else "bb")
    for token in (other.token, forged, "", "é"):
        async with chat.socket(opened, token=token) as visitor:
            assert (await visitor.next())["code"] == "bad-chat-token"
            assert await visitor.closed() == 4401
    for bearer in ("x", token_of(Role.QUALITY), token_of(Role.ADAPTER)):
        async with chat.socket(opened, bearer=bearer) as visitor:
            assert (await visitor.next())["code"] in ("unauthorized", "forbidden")
            assert await visitor.closed() == 4401
    assert (await chat.said(SimpleNamespace(chat_id=opened.chat_id, token="no"), "1", "x")).status_code == 401
    async with client_of(chat.intake.services[0].app) as client:
        assert (await client.get(f"/v1/chats/{opened.chat_id}/messages")).status_code == 401
    async with chat.socket(opened) as visitor:
        await visitor.next("presence")
        await chat.intake.clock.advance_to(chat.intake.clock.now() + timedelta(hours=25))
        await visitor.say("1", "late")
        assert (await visitor.next("error"))["code"] == "bad-chat-token"
        assert await visitor.closed() == 4401
    assert await chat.intake.one("select count(*) from receipts") == 0


async def test_wrong_frames_are_answered_and_the_chat_goes_on(chat):
    opened = await chat.open()
    async with chat.socket(opened) as visitor:
        wrong = [
            "no json",
            "[" * 10_000,
            '{"type": "message"}',
            '{"type": "message", "message_id": "a b", "text": "x"}',
            '{"type": "message", "message_id": "m", "text": "\\u0000"}',
            '{"type": "message", "message_id": "m", "text": "\\ud800"}',
            '{"type": "message", "message_id": "m", "text": "\\u200b"}',
            json.dumps({"type": "message", "message_id": "m", "text": "x" * 10_001}),
            '{"type": "shout"}',
            '{"type": "hello", "token": "x"}',
            b"\x00\xff",
        ]
        for frame in wrong:
            await visitor.connection.send(frame)
            assert (await visitor.next("error"))["code"] == "bad-frame"
        await visitor.send(type="ping")
        await visitor.next("pong")
        await visitor.say("m", "still here")
        assert (await visitor.next("accepted"))["seq"] == 1
    async with chat.socket(opened) as visitor:
        await visitor.connection.send("x" * (WS_MAX_BYTES + 1))
        assert await visitor.closed() == 1009
    assert await chat.transcript(opened) == [(1, "message", "still here")]


@pytest.mark.parametrize(
    "chat",
    [{"chat_sockets_per_address": 2, "chat_messages_burst": 2, "chat_hello_seconds": 0.2, "chat_idle_seconds": 0.5}],
    indirect=True,
)
async def test_sockets_messages_and_silence_have_limits(chat):
    opened = await chat.open()
    async with chat.socket(opened) as visitor, chat.socket(opened), chat.socket(opened) as third:
        assert await third.closed() == 1013
        for each in range(3):
            await visitor.say(str(each), "x")
        told = await visitor.next("error")
        assert (told["code"], told["message_id"], told["retry_after"]) == ("too-many-requests", "2", 1)
        assert await visitor.closed() == 4408
    async with connect(f"{chat.urls[0]}/v1/chats/{opened.chat_id}/socket") as silent:
        assert await Socket(silent).closed() == 4408
    assert [each.deps.chats.sockets for each in chat.intake.services] == [0, 0]
    assert await chat.intake.one("select count(*) from chat_presences") == 0


@pytest.mark.parametrize("chat", [{"chat_send_seconds": 0.3}], indirect=True)
async def test_whoever_does_not_read_is_cut_off_and_holds_nothing(chat):
    opened = await chat.open()
    await chat.said(opened, "1", "hello")
    await chat.intake.run(
        "insert into messages select gen_random_uuid(), complaint_id, 'inbound', 'chat', 'shop', null, 'd' || n, "
        "repeat('长', 10000), '[]', '{}', since, since from chats, generate_series(2, 600) n",
        "insert into chat_entries select id, n, 'message', 'visitor', '', 'm' || n, 'd' || n, '{}', since "
        "from chats, generate_series(2, 600) n",
    )
    async with chat.socket(opened):
        async with asyncio.timeout(10):
            while not chat.servers[0].server_state.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            while chat.servers[0].server_state.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert chat.intake.services[0].deps.chats.sockets == 0


async def test_whom_the_site_vouches_for_is_known_and_masked_and_erased_with_their_chat(chat):
    now = int(chat.intake.clock.now().timestamp())
    stated = {"account_id": "u-1", "name": "王女士", "phone": "13812341234", "at": now}
    signed = sign_identity(json.dumps(stated), SITE)
    opened = await chat.open(identity=signed)
    await chat.said(opened, "1", "订单无法查询")
    await chat.said(opened, "2", "很急")
    shown = (await chat.intake.get(f"/v1/chats/{opened.chat_id}")).json()
    assert (shown["visitor"], shown["identified"]) == ("王*", True)
    again = await chat.open(identity=signed)
    await chat.said(again, "1", "another matter")
    await chat.act(opened, "join")
    await chat.act(opened, "hand-over", {"queue": "second-line", "reason": "王女士的账号"})
    persons = await chat.intake.rows("select distinct person_id from complaints")
    assert (len(persons), await chat.intake.one("select count(*) from complaints")) == (1, 2)
    async with chat.socket(again) as visitor:
        await visitor.next("presence")
        admin = await chat.intake.client(Role.ADMIN)
        erased = await admin.post(f"/v1/complainants/{persons[0].person_id}/erasure")
        assert erased.status_code == 200, erased.text
        assert await visitor.closed() == 1000
    assert await chat.intake.rows("select distinct visitor::text, state from chats") == [("{}", "ended")]
    assert [text for _, _, text in await chat.transcript(opened)] == ["", "", None, None]
    handed = await chat.intake.one("select data::text from chat_entries where type = 'handed_over'")
    assert handed == '{"queue": "second-line"}'
    assert (await chat.said(opened, "3", "more")).status_code == 409


async def test_an_identity_that_the_site_did_not_sign_just_now_is_refused(chat):
    now = int(chat.intake.clock.now().timestamp())
    good = json.dumps({"account_id": "u-1", "at": now})
    late = json.dumps({"account_id": "u-1", "at": now - 301})
    bad = [sign_identity(good, "another"), sign_identity(late, SITE), sign_identity("[]", SITE), "YQ.YQ"]
    async with client_of(chat.intake.services[0].app) as client:
        for identity in bad:
            answer = await client.post("/v1/channels/site/chats", json={"identity": identity})
            assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "bad-visitor-identity")
        assert (await client.post("/v1/channels/nosite/chats", json={})).status_code == 404
        limited = [(await client.post("/v1/channels/site/chats", json={})).status_code for _ in range(20)]
    assert (limited[0], limited[-1]) == (201, 429)
