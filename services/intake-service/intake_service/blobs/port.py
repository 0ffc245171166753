"""The port: what every store of files can do, and what passes through it."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

#: Bytes that are in memory at a time, for each file on its way.
BLOCK = 256 * 1024
#: Bytes of the beginning that are kept to tell what a file is.
HEAD = 4096


class BlobsAway(Exception):
    """The store can't be reached, or has no space."""


class NoSuchBlob(LookupError):
    """Nothing with this SHA-256 is there."""


class TooLong(ValueError):
    """The stream has more bytes than are taken; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put: SHA-256 in hexadecimal, bytes, and the first of them."""

    sha256: str
    size_bytes: int
    head: bytes


class Blobs(Protocol):
    """All of them raise `BlobsAway`."""

    async def put(self, stream: AsyncIterable[bytes], limit: int) -> Stored:
        """Keep the stream, durably when this returns; the same content twice is kept once. Raises `TooLong`."""
        ...

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in blocks. Raises `NoSuchBlob` before the first."""
        ...

    async def exists(self, sha256: str) -> bool: ...

    async def delete(self, sha256: str) -> None:
        """Gone when this returns; what is not there is gone already."""
        ...

    async def sweep(self, age: timedelta) -> int:
        """Delete what was begun longer ago than `age` and never finished; how many there were."""
        ...

    def older_than(self, age: timedelta) -> AsyncIterator[str]:
        """The SHA-256 of every file that was put longer ago than `age`."""
        ...


def key_of(sha256: str) -> str:
    """`ab/cd/<sha256>`. Raises `NoSuchBlob` for what is no SHA-256, so no path can be made of it."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise NoSuchBlob("not a SHA-256 in lower case")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


class Measured:
    """A stream in blocks, measured as it passes. Raises `TooLong` as soon as it is longer than `limit`."""

    def __init__(self, stream: AsyncIterable[bytes], limit: int, block: int = BLOCK) -> None:
        self._stream = stream
        self._limit = limit
        self._block = block
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = bytearray()
        async for piece in self._stream:
            self._size += len(piece)
            if self._size > self._limit:
                raise TooLong(f"more than {self._limit} bytes")
            if len(self._head) < HEAD:
                self._head += bytes(piece[: HEAD - len(self._head)])
            held += piece
            if len(held) >= self._block:
                yield await self._passed(held)
                held = bytearray()
        if held:
            yield await self._passed(held)

    async def _passed(self, held: bytearray) -> bytes:
        block = bytes(held)
        await asyncio.to_thread(self._hash.update, block)
        return block

    @property
    def stored(self) -> Stored:
        """What has passed by now."""
        return Stored(self._hash.hexdigest(), self._size, self._head)
