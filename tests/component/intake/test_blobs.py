"""Every store of files keeps the same promises: a folder, and S3 (a server of moto's, spoken to over HTTP)."""

import asyncio
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest

from intake_service.blobs import Blobs, BlobsAway, NoSuchBlob, Stored, TooLong, open_blobs

#: Several parts of S3's, and several blocks.
LARGE = b"".join(number.to_bytes(4) for number in range(3 * 2**20))
DAY = timedelta(days=1)
NO_TIME = timedelta(seconds=-5)


@pytest.fixture(scope="module")
def s3() -> Generator[str]:
    """The address of an S3 server that lives as long as these tests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    urlopen(f"{address}/moto-api/", timeout=1).close()
                    break
                except OSError:
                    assert server.poll() is None, "the S3 server ended"
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()


@pytest.fixture(params=["file", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    if request.param == "file":
        return open_blobs((tmp_path / "with space").as_uri())
    address = request.getfixturevalue("s3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-tests")
    bucket = f"files-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    httpx.put(f"{address}/{bucket}", timeout=60).raise_for_status()
    return open_blobs(f"s3://{bucket}/attachments?region=us-east-1&endpoint={address}")


async def stream(content: bytes, piece: int = 60_000, fail: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), piece):
        yield content[start : start + piece]
    if fail is not None:
        raise fail


async def put(blobs: Blobs, content: bytes) -> Stored:
    return await blobs.put(stream(content), 2**30)


async def read(blobs: Blobs, sha256: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([block async for block in blobs.read(sha256, start, end)])


async def kept(blobs: Blobs) -> list[str]:
    return sorted([sha256 async for sha256 in blobs.older_than(NO_TIME)])


@pytest.mark.parametrize("content", [b"", b"a", LARGE], ids=["empty", "small", "large"])
async def test_what_was_put_is_read_back_by_its_sha_256(blobs: Blobs, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert await put(blobs, content) == Stored(digest, len(content), content[:4096])
    assert await read(blobs, digest) == content
    assert await blobs.exists(digest)


async def test_parts_are_read_alone(blobs: Blobs) -> None:
    stored = await put(blobs, LARGE)
    for start, end in ((0, 1), (5, 5), (6_000_000, 6_500_000), (len(LARGE) - 1, len(LARGE)), (7_000_000, None)):
        assert await read(blobs, stored.sha256, start, end) == LARGE[start:end]


async def test_the_same_twice_is_kept_once_also_at_the_same_time(blobs: Blobs) -> None:
    await put(blobs, b"once")
    await asyncio.gather(*(put(blobs, b"once") for _ in range(5)))
    assert await kept(blobs) == [hashlib.sha256(b"once").hexdigest()]


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(blobs: Blobs) -> None:
    stored = await put(blobs, b"gone")
    await blobs.delete(stored.sha256)
    await blobs.delete(stored.sha256)
    assert not await blobs.exists(stored.sha256)
    with pytest.raises(NoSuchBlob):
        await read(blobs, stored.sha256)


async def test_a_stream_that_is_too_long_or_breaks_leaves_nothing(blobs: Blobs) -> None:
    with pytest.raises(TooLong):
        await blobs.put(stream(LARGE), len(LARGE) - 1)
    with pytest.raises(ConnectionError):
        await blobs.put(stream(LARGE, fail=ConnectionError("the sender went away")), 2**30)
    assert await kept(blobs) == []
    assert await blobs.sweep(NO_TIME) == 0


async def test_a_task_that_is_cancelled_leaves_nothing(blobs: Blobs) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(2**20)
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(blobs.put(endless(), 2**30))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await kept(blobs) == []


async def test_what_is_young_is_not_swept(blobs: Blobs) -> None:
    stored = await put(blobs, b"young")
    assert [sha256 async for sha256 in blobs.older_than(DAY)] == []
    assert await blobs.sweep(DAY) == 0
    assert await blobs.exists(stored.sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 62 + "/."])
async def test_only_a_sha_256_names_a_file(blobs: Blobs, name: str) -> None:
    for wanted in (read(blobs, name), blobs.exists(name), blobs.delete(name)):
        with pytest.raises(NoSuchBlob):
            await wanted


async def test_a_store_that_cannot_be_reached_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-tests")
    (tmp_path / "unfinished").write_bytes(b"")
    for away in (tmp_path.as_uri(), "s3://files?region=us-east-1&endpoint=http://127.0.0.1:9"):
        with pytest.raises(BlobsAway):
            await put(open_blobs(away), b"a")


@pytest.mark.parametrize(
    "url", ["ftp://host/folder", "file://host/folder", "s3://", "s3://bucket?retries=3", "file:///folder?a=1"]
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is n"):
        open_blobs(url)
