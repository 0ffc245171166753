"""The kind `wecom`: an account of WeCom's customer service, fetched by `kf/sync_msg`, woken by its callback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import structlog
from pydantic import Field

from intake_service.channels.kind import (
    EXPIRED,
    ChannelFault,
    Fetch,
    Fetched,
    FetchLater,
    Kind,
    NotFetched,
    OpenChannel,
    PullSettings,
)
from intake_service.channels.settings import Host, Zone
from intake_service.channels.wecom.client import Batch, download, sync
from intake_service.channels.wecom.crypto import Crypto, Malformed, aes_key
from intake_service.channels.wecom.hints import HINTS
from intake_service.channels.wecom.messages import Noted, Said, Unreadable, read
from intake_service.domain import channels as frame
from intake_service.domain.channels import ChannelSpec, Incoming, Json, Media, Pulled
from intake_service.domain.message import ReplyUntil
from intake_service.domain.text import LATEST as BEYOND
from intake_service.domain.text import Line
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel
from shared.errcode import HOST, ErrCode, TryLater, WeComApi

log = structlog.get_logger()

#: Items of one answer: as many as are committed together.
_LIMIT = 200
#: After this much silence of a customer WeCom takes no answer to them any more.
ANSWERED_WITHIN = timedelta(hours=48)
#: Seconds to leave WeCom in peace that says "there is more" and shows nothing.
_HOLLOW = 1.0
_REQUEST_SECONDS = 20.0
#: "Invalid media_id": also what WeCom says of a file after three days.
_NO_SUCH_FILE = 40007
LATEST = BEYOND - timedelta(microseconds=1)


class WeComSettings(PullSettings):
    corp_id: Annotated[Line, Field(description="CorpID of the company.", examples=["ww0123456789abcdef"])]
    host: Host = HOST
    time_zone: Zone = "Asia/Shanghai"


async def pull(channel: OpenChannel, cursor: Json | None) -> AsyncIterator[Pulled]:
    """Everything from the cursor on, then what comes; `has_more` alone tells whether there is more."""
    at = str((cursor or {}).get("cursor", ""))
    channel_id, settings = channel.spec.channel_id, channel.settings
    async with _api_of(channel) as api:
        while True:
            batch = await _sync(api, channel.spec, at)
            moved, at = batch.cursor != at, batch.cursor
            yield Pulled(incoming(channel.spec, batch), {"cursor": at})
            if not batch.more:
                await HINTS.wait(channel_id, settings.poll_seconds)
            elif not moved:
                await asyncio.sleep(_HOLLOW)


@asynccontextmanager
async def _api_of(channel: OpenChannel) -> AsyncIterator[WeComApi]:
    async with httpx.AsyncClient(timeout=_REQUEST_SECONDS) as http:
        yield WeComApi(http, channel.settings.corp_id, channel.secrets["secret"], channel.settings.host)


@asynccontextmanager
async def files(channel: OpenChannel) -> AsyncIterator[Fetch]:
    """`media/get`, with one access token for all."""
    async with _api_of(channel) as api:
        yield partial(_file, api)


@asynccontextmanager
async def _file(api: WeComApi, media: Media) -> AsyncIterator[Fetched]:
    try:
        async with download(api, media.media_id) as file:
            yield file
    except ErrCode as error:
        refused = Bilingual(zh=f"企业微信拒绝（{error.code}）", en=f"WeCom refuses it ({error.code})")
        raise NotFetched(EXPIRED if error.code == _NO_SUCH_FILE else refused) from None
    except TryLater as error:
        raise FetchLater(str(error), error.seconds) from None


async def _sync(api: WeComApi, spec: ChannelSpec, cursor: str) -> Batch:
    try:
        return await sync(api, spec.account, cursor, HINTS.token(spec.channel_id), _LIMIT)
    except ErrCode as error:
        raise ChannelFault(f"WeCom refuses: {error}. Look it up in its global error codes 全局错误码.") from None
    except TryLater as error:
        raise ChannelFault(f"WeCom does not answer as it should: {error}.") from None


def incoming(spec: ChannelSpec, batch: Batch) -> list[Incoming]:
    """The messages of customers. Events and what colleagues write are logged: nothing of a customer is in them."""
    zone = ZoneInfo(spec.settings["time_zone"])
    arrived: list[Incoming] = []
    for item in batch.items:
        found = read(item, spec.account, zone)
        if isinstance(found, Noted):
            _note(spec, found)
        else:
            arrived.append(_arrived(found, json.dumps(item).encode(), item))
    return arrived


def _arrived(found: Said | Unreadable, raw: bytes, item: object) -> Incoming:
    if isinstance(found, Said):
        until = ReplyUntil(expires_at=min(found.message.occurred_at + ANSWERED_WITHIN, LATEST))
        return Incoming(found.message.model_copy(update={"reply": until}), raw, media=found.media)
    message_id = item.get("msgid") if isinstance(item, dict) else None
    why = Bilingual(zh=f"不是可读的微信客服消息：{found.reason}", en=f"It is no readable message: {found.reason}")
    return Incoming(frame.Unreadable(why, message_id if isinstance(message_id, str) else None), raw)


def reread(spec: ChannelSpec, raw: bytes) -> Incoming:
    """Of an item as it was kept."""
    item = json.loads(raw)
    found = read(item, spec.account, ZoneInfo(spec.settings["time_zone"]))
    return _arrived(found if not isinstance(found, Noted) else Unreadable(f"it is {found.kind}"), raw, item)


def _note(spec: ChannelSpec, noted: Noted) -> None:
    if noted.kind == "msg_send_fail":
        failed = {name: noted.event.get(name) for name in ("fail_msgid", "fail_type")}
        log.warning("wecom could not deliver an answer", channel=spec.channel_id, **failed)
    else:
        log.info("wecom event", channel=spec.channel_id, event_kind=noted.kind)


def crypto_of(channel: OpenChannel) -> Crypto:
    """What its callbacks are opened with. Raises `ChannelFault`."""
    token, key = channel.secrets.get("callback_token"), channel.secrets.get("encoding_aes_key")
    if token is None or key is None:
        raise ChannelFault("The channel names no secrets callback_token and encoding_aes_key; callbacks need both.")
    try:
        return Crypto(token, aes_key(key), channel.settings.corp_id)
    except Malformed as error:
        raise ChannelFault(f"Secret 'encoding_aes_key': {error}.") from None


KIND = Kind(
    "wecom",
    Channel.WECOM,
    WeComSettings,
    secret_names=frozenset({"secret"}),
    optional_secrets=frozenset({"callback_token", "encoding_aes_key"}),
    pull=pull,
    read=reread,
    files=files,
)
