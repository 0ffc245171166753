"""Live chat by WebSocket: every place of the transcript in order, each once; what is said is answered after its commit.

A socket is a view of what is committed, nothing more: whoever loses it opens another one behind the last `seq` it saw,
and sends again what was not answered.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError

from intake_service import usecases
from intake_service.api.chats import MAX_SEQ, SAYING, said_by, take
from intake_service.api.common import WRITE
from intake_service.channels.chat import BadFrame, Hello, Ping, Say, Typing, read_frame
from intake_service.domain.chat import ChatState, Entry
from intake_service.usecases import Deps, Party
from shared.telemetry.logs import describe
from shared.web.auth import Authenticator
from shared.web.body import json_bytes
from shared.web.errors import Forbidden, Problem, TooManyRequests, Unauthorized, Unavailable
from shared.web.handlers import of_exception

log = structlog.get_logger()
router = APIRouter()

#: How sockets are closed (RFC 6455, 7.4): 4xxx are our own.
GOING, TOO_MUCH, FAILED, BUSY = 1000, 1008, 1011, 1013
NOT_SIGNED_IN, NO_CHAT, IDLE, TOO_SLOW = 4401, 4404, 4408, 4409
_SEQ = re.compile(r"[0-9]{1,10}")


class _Close(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.websocket("/v1/chats/{chat_id}/socket")
async def chat_socket(socket: WebSocket, chat_id: UUID) -> None:
    deps: Deps = socket.app.state.deps
    address = socket.client.host if socket.client else "?"
    await socket.accept()
    if not deps.chats.enter(address):
        await _closed(socket, _Close(BUSY, "too many sockets"))
        return
    try:
        await _Session(socket, chat_id, deps).serve()
    except _Close as close:
        await _closed(socket, close)
    except WebSocketDisconnect:
        pass
    except Exception as error:
        log.error("chat socket failed", exception=describe(error))
        busy = isinstance(of_exception(error), Unavailable)
        await _closed(socket, _Close(BUSY, "try again") if busy else _Close(FAILED, "our mistake"))
    finally:
        deps.chats.leave(address)


async def _closed(socket: WebSocket, close: _Close) -> None:
    """One that does not read any more is not waited for: the server cuts it off."""
    try:
        async with asyncio.timeout(1):
            await socket.close(close.code, close.reason)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        pass


class _Session:
    def __init__(self, socket: WebSocket, chat_id: UUID, deps: Deps) -> None:
        self.socket = socket
        self.chat_id = chat_id
        self.deps = deps
        self.settings = deps.settings

    async def serve(self) -> None:
        after = self._after()
        check = await self._hello()
        try:
            party = await check()
            listener = await usecases.enter(self.chat_id, party, self.deps)
        except Problem as problem:
            raise await self._refused(problem, NO_CHAT if problem.status == 404 else NOT_SIGNED_IN) from problem
        self.check, self.listener = check, listener
        tasks = [asyncio.create_task(self._tell(after)), asyncio.create_task(self._hear())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await usecases.leave(listener, self.deps)
        for task in done:
            task.result()

    def _after(self) -> int:
        told = self.socket.query_params.get("after", "0")
        return min(int(told), MAX_SEQ) if _SEQ.fullmatch(told) else 0

    async def _hello(self) -> "Callable[[], Any]":
        """Who is there, to be asked again: tokens expire while a socket is open."""
        try:
            async with asyncio.timeout(self.settings.chat_hello_seconds):
                frame = await self._frame()
        except TimeoutError as error:
            raise _Close(IDLE, "nobody said who it is") from error
        except BadFrame as bad:
            raise await self._refused(Unauthorized(f"Say hello first: {bad}"), NOT_SIGNED_IN) from bad
        if not isinstance(frame, Hello) or (frame.token is None) == (frame.bearer is None):
            said = Unauthorized("The first frame is `hello` with `token` or `bearer`.")
            raise await self._refused(said, NOT_SIGNED_IN)
        authenticator: Authenticator = self.socket.app.state.authenticator

        async def who() -> Party:
            if frame.token is not None:
                return usecases.guest_of(frame.token, self.chat_id, self.deps)
            principal = await authenticator.identify({"authorization": f"Bearer {frame.bearer}"})
            if principal is None or not principal.has(*WRITE.roles):
                raise Forbidden(f"This needs one of the roles {', '.join(WRITE.roles)}.")
            return principal

        return who

    async def _party(self) -> Party:
        try:
            party: Party = await self.check()
        except Problem as problem:
            raise await self._refused(problem, NOT_SIGNED_IN) from problem
        return party

    async def _tell(self, seen: int) -> None:
        """Everything behind `seen`, and whatever comes after it."""
        present: Any = None
        while True:
            self.listener.wake.clear()
            transcript, now_present = await usecases.news(self.chat_id, seen, await self._party(), self.deps)
            for entry in transcript.data:
                await self._send(_frame(entry))
                seen = entry.seq
            if transcript.data:
                continue
            if now_present != present:
                present = now_present
                await self._send({"type": "presence", "present": [each.model_dump() for each in present]})
            if transcript.state is ChatState.ENDED:
                raise _Close(GOING, "the chat has ended")
            await self.listener.wake.wait()

    async def _hear(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.settings.chat_idle_seconds):
                    frame = await self._frame()
            except TimeoutError as error:
                raise _Close(IDLE, "nothing was heard") from error
            except BadFrame as bad:
                self._count()
                await self._send(_error("bad-frame", str(bad), bad.message_id))
                continue
            self._count()
            match frame:
                case Say():
                    await self._said(frame)
                case Typing():
                    await usecases.typing(self.listener, self.deps)
                case Ping():
                    await self._send({"type": "pong"})
                case Hello():
                    await self._send(_error("bad-frame", "You said hello already."))

    async def _said(self, said: Say) -> None:
        party = await self._party()
        try:
            take(self.deps.chats.saying, said_by(self.chat_id, party), SAYING)
            accepted = await usecases.say(self.chat_id, said, party, self.deps)
        except (Problem, SQLAlchemyError, OSError) as error:
            problem = of_exception(error)
            if problem.status >= 500:
                log.warning("chat message not kept", exception=describe(error))
            await self._send(_error(problem.slug, problem.detail, said.message_id, problem))
            return
        await self._send({"type": "accepted", **accepted.model_dump()})

    def _count(self) -> None:
        if self.deps.chats.frames.take(str(self.listener.socket_id))[0] < 0:
            raise _Close(TOO_MUCH, "too many frames")

    async def _frame(self) -> Hello | Say | Typing | Ping:
        """Raises `BadFrame`, `WebSocketDisconnect`."""
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", GOING))
        text = message.get("text")
        if text is None:
            raise BadFrame("frames are text")
        return read_frame(text)

    async def _send(self, frame: Any) -> None:
        try:
            async with asyncio.timeout(self.settings.chat_send_seconds):
                await self.socket.send_text(json_bytes(frame).decode())
        except TimeoutError as error:
            raise _Close(TOO_SLOW, "you read too slowly") from error
        except RuntimeError as error:
            raise WebSocketDisconnect(GOING) from error

    async def _refused(self, problem: Problem, code: int) -> _Close:
        await self._send(_error(problem.slug, problem.detail))
        return _Close(BUSY if problem.status >= 500 else code, problem.slug)


def _frame(entry: Entry) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude_none=True)


def _error(code: str, detail: str, message_id: str | None = None, problem: Problem | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "error", "code": code, "detail": detail}
    if message_id is not None:
        told["message_id"] = message_id
    if problem is not None and problem.errors and (pointer := problem.errors[0].pointer) is not None:
        told["pointer"] = pointer
    if isinstance(problem, TooManyRequests | Unavailable) and (wait := problem.headers.get("Retry-After")):
        told["retry_after"] = int(wait)
    return told
