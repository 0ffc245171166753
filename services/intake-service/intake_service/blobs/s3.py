"""Objects in S3 or whatever speaks it: written under a name of their own, in parts, then copied to their place by the
store. Credentials come as for every client of S3 (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a role of the machine)."""

from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from intake_service.blobs.port import BLOCK, BlobsAway, Measured, NoSuchBlob, Stored, key_of

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, RetryConfig, S3Config

UNFINISHED = "unfinished"
#: S3 takes no smaller part; so many bytes are in memory at a time, for each file on its way.
PART = 5 * 1024 * 1024
RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
SETTINGS = ("region", "endpoint", "virtual_hosted_style_request")


class S3Blobs:
    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def of_url(cls, url: str) -> "S3Blobs":
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if not parts.netloc or not given.keys() <= set(SETTINGS):
            raise ValueError(f"{url!r} is not s3://bucket/prefix with at most {', '.join(SETTINGS)}")
        config: S3Config = {}
        if "region" in given:
            config["region"] = given["region"]
        if "endpoint" in given:
            config["endpoint"] = given["endpoint"]
        if "virtual_hosted_style_request" in given:
            config["virtual_hosted_style_request"] = given["virtual_hosted_style_request"].lower() in ("1", "true")
        client: ClientConfig = {"allow_http": given.get("endpoint", "").startswith("http://")}
        prefix = parts.path.strip("/") or None
        return cls(S3Store(parts.netloc, prefix=prefix, config=config, client_options=client, retry_config=RETRIES))

    async def put(self, stream: AsyncIterable[bytes], limit: int) -> Stored:
        measured = Measured(stream, limit, PART)
        begun = f"{UNFINISHED}/{uuid4()}"
        with _reached():
            try:
                await obstore.put_async(self._store, begun, aiter(measured), chunk_size=PART, max_concurrency=1)
                await obstore.copy_async(self._store, begun, key_of(measured.stored.sha256))
            finally:
                await obstore.delete_async(self._store, begun)
        return measured.stored

    async def read(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        if end is not None and end <= start:
            return
        with _reached():
            try:
                found = await obstore.get_async(self._store, key_of(sha256), options=_options(start, end))
            except FileNotFoundError as error:
                raise NoSuchBlob(sha256) from error
            async for block in found.stream(min_chunk_size=BLOCK):
                yield bytes(block)

    async def exists(self, sha256: str) -> bool:
        with _reached():
            try:
                await obstore.head_async(self._store, key_of(sha256))
            except FileNotFoundError:
                return False
        return True

    async def delete(self, sha256: str) -> None:
        with _reached():
            await obstore.delete_async(self._store, key_of(sha256))

    async def sweep(self, age: timedelta) -> int:
        names = [name async for name in self._listed(UNFINISHED, age)]
        with _reached():
            for name in names:
                await obstore.delete_async(self._store, name)
        return len(names)

    async def older_than(self, age: timedelta) -> AsyncIterator[str]:
        async for name in self._listed(None, age):
            if not name.startswith(f"{UNFINISHED}/"):
                yield name.rpartition("/")[2]

    async def _listed(self, prefix: str | None, age: timedelta) -> AsyncIterator[str]:
        before = datetime.now(UTC) - age
        with _reached():
            async for found in obstore.list(self._store, prefix):
                for each in found:
                    if each["last_modified"] < before:
                        yield each["path"]


def _options(start: int, end: int | None) -> "GetOptions | None":
    """None for the whole: an empty object has no range at all."""
    if end is not None:
        return {"range": (start, end)}
    return {"range": {"offset": start}} if start else None


@contextmanager
def _reached() -> Generator[None]:
    try:
        yield
    except BaseError as error:
        raise BlobsAway(str(error)[:300]) from error
