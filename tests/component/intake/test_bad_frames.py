"""What comes by the sockets of chats on a bad day: an error or a closing that says why, and the chat goes on."""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.component.intake.bad_input import BODIES, spoiled
from tests.component.intake.chatting import Chat, Socket

SAY = {"type": "message", "message_id": "m", "text": "订单无法查询"}


async def still_there(chat: Chat, opened: SimpleNamespace) -> None:
    """Who reads and writes is served by both processes, and everything that came is accounted for."""
    for process in (0, 1):
        async with chat.socket(opened, process=process) as visitor:
            await visitor.say(f"good-{process}", "still here")
            await visitor.next("accepted")
    kept = await chat.intake.one("select count(*) from receipts where status in ('created', 'appended')")
    assert [seq for seq, _, _ in await chat.transcript(opened)] == list(range(1, kept + 1))
    assert await chat.intake.one("select count(*) from receipts") == kept


async def answer_to(visitor: Socket, frame: Any) -> Any:
    await visitor.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    while (told := await visitor.next())["type"] not in ("error", "accepted"):
        pass
    return told


async def test_whatever_a_frame_is_it_is_answered_and_the_next_one_is_taken(chat: Chat) -> None:
    opened = await chat.open()
    async with chat.socket(opened) as visitor:
        for name, body in BODIES.items():
            if name != "10 MB of text":
                frame = body.decode() if body.isascii() else body
                told = await answer_to(visitor, frame)
                assert (told["code"], len(json.dumps(told)) < 2_000) == ("bad-frame", True), name
        assert (await answer_to(visitor, {**SAY, "message_id": "1"}))["seq"] == 1
    for start in range(3):
        async with chat.socket(opened, process=start % 2) as visitor:
            for name, frame in list(spoiled(SAY, share=1))[start::3]:
                told = await answer_to(visitor, frame)
                assert told["type"] == "accepted" or told["code"] in ("bad-frame", "message-key-reused"), (name, told)
    await still_there(chat, opened)


async def test_whoever_does_not_say_hello_as_is_written_is_told_and_disconnected(chat: Chat) -> None:
    opened = await chat.open()
    good = {"type": "hello", "token": opened.token}
    url = f"{chat.urls[0]}/v1/chats/{opened.chat_id}/socket"
    wrong = [body for _, body in spoiled(good, share=3)] + [{**good, "bearer": "x"}, {"type": "ping"}, SAY]
    wrong += [{"type": "hello", "bearer": bad} for bad in ("a.b.c", "\ud800", "x" * 7_000, "\x00")]
    for frame in [*wrong, *(body[:100_000] for body in BODIES.values())]:
        async with connect(url) as connection:
            told = await answer_to(Socket(connection), frame)
            assert told["code"] in ("unauthorized", "bad-chat-token"), (frame, told)
            assert await Socket(connection).closed() == 4401
    await still_there(chat, opened)


def raw_frame(head: int, content: bytes) -> bytes:
    """A frame of a client (RFC 6455, 5.2) whatever is in it; masked by zeros."""
    length = bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2)
    return bytes([head]) + length + bytes(4) + content


WHOLE_TEXT, BEGUN_TEXT, MORE, COMPRESSED = 0x81, 0x01, 0x00, 0xC1


NO_FRAMES = [
    ([raw_frame(WHOLE_TEXT, b"\xff\xfe no UTF-8")], 1007),
    ([raw_frame(WHOLE_TEXT, b"\xed\xa0\x80 half a surrogate")], 1007),
    ([raw_frame(COMPRESSED, b"\x00" * 100)], 1002),
    ([raw_frame(MORE, b"of nothing")], 1002),
    ([raw_frame(0x83, b"no such kind")], 1002),
    ([b"\x81\x05hello"], 1002),
    ([b"\x81\xff" + b"\x7f" * 12], 1009),
    ([raw_frame(BEGUN_TEXT, b"x" * 60_000), *[raw_frame(MORE, b"x" * 60_000)] * 3], 1009),
]


async def test_what_is_no_frame_is_closed_by_the_code_of_the_standard(chat: Chat) -> None:
    opened = await chat.open()
    for sent, closed in NO_FRAMES:
        async with chat.socket(opened) as visitor:
            await visitor.next("presence")
            for each in sent:
                visitor.connection.transport.write(each)
            assert await visitor.closed() == closed, sent[0][:20]
    await still_there(chat, opened)


async def test_ten_megabytes_and_addresses_of_no_chat_stop_nothing(chat: Chat) -> None:
    opened = await chat.open()
    async with chat.socket(opened) as visitor:
        with suppress(ConnectionClosed):  # it is not even read to its end
            await visitor.connection.send(BODIES["10 MB of text"].decode())
        assert await visitor.closed() in (1009, 1006)
    nobody = SimpleNamespace(chat_id="0190d0a4-7c1c-7000-8000-000000000000")
    async with chat.socket(nobody, agent="agent-li") as agent:
        assert await agent.closed() == 4404
    for path in ("x", "%00", "%ff", "9" * 5_000, "..%2f..%2fetc"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{chat.urls[0]}/v1/chats/{path}/socket")
        assert refused.value.response.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    for after in ("-1", "x", "9" * 5_000, "%00", "1e9"):
        async with chat.socket(opened, after=after) as visitor:
            await visitor.next("presence")
    await still_there(chat, opened)


async def test_one_message_by_twenty_sockets_of_two_processes_at_once_has_one_place(chat: Chat) -> None:
    opened = await chat.open()

    async def say(process: int) -> Any:
        async with chat.socket(opened, process=process) as visitor:
            await visitor.next("presence")
            ready.release()
            await gate.wait()
            await visitor.say("1", "订单无法查询")
            return (await visitor.next("accepted"))["seq"]

    gate, ready = asyncio.Event(), asyncio.Semaphore(0)
    saying = asyncio.gather(*(say(each % 2) for each in range(20)))
    for _ in range(20):
        await ready.acquire()
    gate.set()
    assert await saying == [1] * 20
    assert await chat.transcript(opened) == [(1, "message", "订单无法查询")]
    assert await chat.intake.one("select count(*) from complaints") == 1
