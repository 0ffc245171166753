"""What the channel asks of WeCom's customer service: `kf/sync_msg` and the files of messages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from intake_service.channels.kind import Fetched
from intake_service.domain.files import stated_name
from shared.errcode import ErrCode, TryLater, WeComApi, told

_NO_SUCH_TOKEN = 95007


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of `kf/sync_msg`. It may be empty and yet not be the last: only `more` tells."""

    items: tuple[Any, ...]
    cursor: str
    more: bool


async def sync(api: WeComApi, account: str, cursor: str, token: str | None = None, limit: int = 1000) -> Batch:
    """What is after `cursor` (empty: the oldest of the last three days). `token` is a callback's, good for ten minutes;
    without one WeCom lets us ask rarely. Raises `ErrCode`, `TryLater`."""
    asked = {"open_kfid": account, "limit": limit, "voice_format": 0, **({"cursor": cursor} if cursor else {})}
    try:
        answer = await api.post("/cgi-bin/kf/sync_msg", {**asked, **({"token": token} if token else {})})
    except ErrCode as error:
        if error.code != _NO_SUCH_TOKEN or not token:
            raise
        answer = await api.post("/cgi-bin/kf/sync_msg", asked)
    items, following = answer.get("msg_list"), answer.get("next_cursor")
    return Batch(
        items=tuple(items) if isinstance(items, list) else (),
        cursor=following if isinstance(following, str) and following else cursor,
        more=answer.get("has_more") in (1, True),
    )


@asynccontextmanager
async def download(api: WeComApi, media_id: str) -> AsyncIterator[Fetched]:
    """A file of a message, streamed. Raises `ErrCode` (it is over three days old, or never was), `TryLater`."""
    token = await api.token()
    try:
        async with _file(api, media_id, token) as file:
            yield file
            return
    except ErrCode as error:
        if not api.was_over(error, token):
            raise
    async with _file(api, media_id, await api.token()) as file:
        yield file


@asynccontextmanager
async def _file(api: WeComApi, media_id: str, token: str) -> AsyncIterator[Fetched]:
    asked = {"access_token": token, "media_id": media_id}
    try:
        async with api.http.stream("GET", f"{api.host}/cgi-bin/media/get", params=asked) as response:
            # A refusal is JSON; so may be a file that a customer sent, which comes with a Content-disposition.
            if response.status_code >= 400 or "content-disposition" not in response.headers:
                await response.aread()
                told(response)
                raise TryLater("neither a file nor a refusal")
            yield Fetched(
                stated_name(response.headers["content-disposition"], None),
                _media_type(response),
                response.aiter_bytes(),
            )
    except httpx.HTTPError as error:
        raise TryLater(type(error).__name__) from None


def _media_type(response: httpx.Response) -> str:
    given: str = response.headers.get("content-type", "")
    return given.partition(";")[0].strip().lower() or "application/octet-stream"
