"""The kind `dingtalk`: a robot that DingTalk calls us for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
from pydantic import Field

from intake_service.channels.dingtalk.client import download
from intake_service.channels.dingtalk.messages import Said, read
from intake_service.channels.kind import Fetch, Kind, OpenChannel
from intake_service.channels.settings import Host, Zone
from intake_service.domain.channels import ChannelSpec, Incoming, Unreadable
from intake_service.domain.message import ReplyUntil
from intake_service.domain.record import Part
from intake_service.domain.text import Line
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel

_REQUEST_SECONDS = 20.0


class DingTalkSettings(Part):
    app_key: Annotated[Line | None, Field(description="Where it is not the robotCode.")] = None
    host: Host = "https://api.dingtalk.com"
    file_hosts: Annotated[
        tuple[Line, ...], Field(max_length=20, description="Files are fetched from these hosts, and those below.")
    ] = ("dingtalk.com", "aliyuncs.com")
    time_zone: Zone = "Asia/Shanghai"


def incoming(spec: ChannelSpec, raw: bytes) -> Incoming:
    """One callback, whatever it is."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    found = read(body, spec.account, ZoneInfo(spec.settings["time_zone"]))
    if not isinstance(found, Said):
        why = Bilingual(zh=f"不是可读的机器人消息：{found.reason}", en=f"It is no readable message: {found.reason}")
        return Incoming(Unreadable(why), raw)
    message = found.message
    if (session := found.session) is not None:
        until = ReplyUntil(expires_at=session.expires_at, webhook=session.webhook)
        message = message.model_copy(update={"reply": until})
    return Incoming(message, raw, media=found.media)


@asynccontextmanager
async def files(channel: OpenChannel) -> AsyncIterator[Fetch]:
    async with httpx.AsyncClient(timeout=_REQUEST_SECONDS) as http:
        yield partial(download, http, asyncio.Lock(), channel)


KIND = Kind(
    "dingtalk",
    Channel.DINGTALK,
    DingTalkSettings,
    secret_names=frozenset({"app_secret"}),
    read=incoming,
    files=files,
)
