"""What mails at the door may cost: connections, and memory. The protocol's library gathers a mail whole in memory."""

import asyncio
import re
from collections import deque
from typing import Any

import structlog

from intake_service.settings import Settings

log = structlog.get_logger()

#: Longer lines than RFC 5321 has are taken as they are: old programs write them, and a mail is not lost for them.
_LONGEST_LINE = 2**20
#: Seconds that a mail waits for room before its sender is told to come again.
_PATIENCE = 30.0
_TOO_MANY = b"421 4.3.2 Too many connections; come again in a minute\r\n"
#: A size that the library takes for a number and then fails on: digits of other scripts.
_NO_SIZE = re.compile(r"\sSIZE=\S*[^\x00-\x7f]", re.IGNORECASE)
_BAD_SIZE = "501 5.5.4 SIZE is a number in the digits 0 to 9"
_NO_ROOM = "451 4.3.1 Too many mails at once; send it again in a minute"


class Room:
    """Bytes of the mails that are at work at once; whoever asked first comes first. A mail that is larger than all of
    it comes alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int, patience: float = _PATIENCE) -> bool:
        """Whether there was room, perhaps after a while. Who has entered leaves."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((min(size, self._size), turn))
        self._let_in()
        try:
            await asyncio.wait_for(asyncio.shield(turn), patience)
        except TimeoutError:
            return self._gave_up(size, turn)
        except asyncio.CancelledError:
            if self._gave_up(size, turn):
                self.leave(size)
            raise
        return True

    def leave(self, size: int) -> None:
        self._free += min(size, self._size)
        self._let_in()

    def _gave_up(self, size: int, turn: "asyncio.Future[None]") -> bool:
        """Whether its turn had come at that very moment."""
        if turn.done():
            return True
        self._waiting.remove((min(size, self._size), turn))
        self._let_in()
        return False

    def _let_in(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            self._free -= size
            turn.set_result(None)


class Limits:
    """Of one door."""

    def __init__(self, settings: Settings) -> None:
        self.most = settings.smtp_connections
        self.connections = 0
        self.room = Room(settings.smtp_memory_bytes)


def limited(protocol: type[Any], limits: Limits) -> type[Any]:
    """The library's protocol (SMTP or LMTP) within these limits."""

    class Limited(protocol):  # type: ignore[misc]
        line_length_limit = _LONGEST_LINE
        _counts: bool | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            if self._counts is None:  # the second time is STARTTLS
                self._counts = limits.connections < limits.most
                limits.connections += self._counts
            if not self._counts:
                log.warning("too many connections for mails", limit=limits.most)
                assert isinstance(transport, asyncio.WriteTransport)
                transport.write(_TOO_MANY)
                transport.close()
                return
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            if self._counts:
                self._counts = False
                limits.connections -= 1
                super().connection_lost(error)

        def eof_received(self) -> bool | None:
            told: bool | None = super().eof_received() if self._counts else None
            return told

        async def smtp_MAIL(self, arg: str | None) -> None:
            if arg is not None and _NO_SIZE.search(arg):
                await self.push(_BAD_SIZE)
                return
            await super().smtp_MAIL(arg)

        async def smtp_DATA(self, arg: str) -> None:
            size = self._size()
            if not await limits.room.enter(size):
                await self.push(_NO_ROOM)
                return
            try:
                await super().smtp_DATA(arg)
            finally:
                limits.room.leave(size)

        def _size(self) -> int:
            """What the sender says (RFC 1870), else the most that is taken."""
            stated = (option.partition("=") for option in self.envelope.mail_options)
            sizes = [int(size) for name, _, size in stated if name == "SIZE" and size.isdigit()]
            return sizes[0] if sizes else int(self.data_size_limit)

    return Limited
