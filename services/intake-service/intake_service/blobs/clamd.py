"""A virus scanner that speaks clamd's protocol (`zINSTREAM`, clamd(8)), over TCP or a Unix socket.

The clients on PyPI send whole files at once or know no Unix socket; the protocol is one command.
"""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_ANSWER = 4096


class ScannerAway(Exception):
    """It can't be reached, does not answer in time, or answers with nonsense: ask again later."""


class CannotScan(Exception):
    """It answered that it can't scan this file, and would say so again."""


@dataclass(frozen=True, slots=True)
class Clamd:
    """At `tcp://host:port` or `unix:///path`; `timeout` in seconds is for a whole file."""

    address: str
    timeout: float

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if not (parts.scheme == "tcp" and parts.hostname and parts.port) and not (
            parts.scheme == "unix" and parts.path
        ):
            raise ValueError(f"{self.address!r} is neither tcp://host:port nor unix:///path")

    async def scan(self, stream: AsyncIterable[bytes]) -> str | None:
        """The name of what was found, None for a clean file. Raises `ScannerAway`, `CannotScan`, and what the stream
        raises."""
        try:
            async with asyncio.timeout(self.timeout):
                return verdict(await self._asked(stream))
        except TimeoutError as error:
            raise ScannerAway(f"no answer in {self.timeout} s") from error

    async def _asked(self, stream: AsyncIterable[bytes]) -> bytes:
        try:
            reader, writer = await self._connected()
        except OSError as error:
            raise ScannerAway(f"{self.address}: {error.strerror or error}") from error
        try:
            await self._send(writer, b"zINSTREAM\0")
            async for block in stream:
                if block and not await self._send(writer, len(block).to_bytes(4) + block):
                    break
            await self._send(writer, bytes(4))
            try:
                return await reader.readuntil(b"\0")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
                raise ScannerAway("the connection ended without an answer") from error
        finally:
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.address)
        if parts.scheme == "unix":
            return await asyncio.open_unix_connection(parts.path, limit=MAX_ANSWER)
        return await asyncio.open_connection(parts.hostname, parts.port, limit=MAX_ANSWER)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> bool:
        """False where it takes no more: then it has answered already, such as that the file is too long for it."""
        try:
            writer.write(data)
            await writer.drain()
        except OSError:
            return False
        return True


def verdict(answer: bytes) -> str | None:
    """What `stream: … FOUND` names, None for `stream: OK`. Raises `CannotScan`, `ScannerAway`."""
    said = answer.rstrip(b"\0").decode("utf-8", "replace").strip()
    if said == "stream: OK":
        return None
    if said.startswith("stream: ") and said.endswith(" FOUND"):
        return said.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    if said.endswith("ERROR"):
        raise CannotScan(said[:200])
    raise ScannerAway(f"it answered {said[:80]!r}")
