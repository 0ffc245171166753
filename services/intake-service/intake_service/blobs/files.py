"""Files in a folder: written beside their place, synced, then renamed into it."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from intake_service.blobs.port import BLOCK, BlobsAway, Measured, NoSuchBlob, Stored, key_of

P = ParamSpec("P")
R = TypeVar("R")

#: Where what is under way lies, in the same file system as what is finished.
UNFINISHED = "unfinished"


class FileBlobs:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / UNFINISHED

    @classmethod
    def of_url(cls, url: str) -> "FileBlobs":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query:
            raise ValueError(f"{url!r} is not file:///folder")
        return cls(Path(unquote(parts.path)))

    async def put(self, stream: AsyncIterable[bytes], limit: int) -> Stored:
        measured = Measured(stream, limit)
        file, path = await _away(self._begin)
        try:
            async for block in measured:
                await _away(file.write, block)
            await _away(self._finish, file, path, measured.stored.sha256)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise
        return measured.stored

    async def read(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        path = self._root / key_of(sha256)
        try:
            file = await _away(path.open, "rb")
        except FileNotFoundError as error:
            raise NoSuchBlob(sha256) from error
        try:
            await _away(file.seek, start)
            left = None if end is None else end - start
            while left is None or left > 0:
                block: bytes = await _away(file.read, BLOCK if left is None else min(BLOCK, left))
                if not block:
                    return
                left = None if left is None else left - len(block)
                yield block
        finally:
            file.close()

    async def exists(self, sha256: str) -> bool:
        return await _away((self._root / key_of(sha256)).exists)

    async def delete(self, sha256: str) -> None:
        await _away((self._root / key_of(sha256)).unlink, missing_ok=True)

    async def sweep(self, age: timedelta) -> int:
        def swept() -> int:
            old = list(_older(self._unfinished.glob("*"), age))
            for path in old:
                path.unlink(missing_ok=True)
            return len(old)

        return await _away(swept)

    async def older_than(self, age: timedelta) -> AsyncIterator[str]:
        def in_folder(folder: Path) -> list[str]:
            return [path.name for path in _older(folder.glob("??/*"), age)]

        for folder in await _away(lambda: sorted(self._root.glob("??"))):
            for name in await _away(in_folder, folder):
                yield name

    def _begin(self) -> tuple[BinaryIO, Path]:
        self._unfinished.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._unfinished)
        return os.fdopen(descriptor, "wb"), Path(name)

    def _finish(self, file: BinaryIO, path: Path, sha256: str) -> None:
        """Content and name are on the disk when this returns. A file that is there already is younger from now on."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        place = self._root / key_of(sha256)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(place)
        for folder in (place.parent, place.parent.parent, self._root):
            _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _older(paths: Iterator[Path], age: timedelta) -> Iterator[Path]:
    """By the file system's clock, which wrote their times."""
    for path in paths:
        try:
            if path.stat().st_mtime < time.time() - age.total_seconds():
                yield path
        except FileNotFoundError:
            continue


async def _away(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """In a thread. Raises `BlobsAway` for what the file system refuses, but `FileNotFoundError` as it is."""
    try:
        return await asyncio.to_thread(call, *args, **kwargs)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BlobsAway(f"{error.strerror or error}") from error
