"""The files of what a robot was told: a download code becomes an address for a while, and that a file.

By the developer documentation 获取企业内部应用的 accessToken and 下载机器人接收消息的文件内容
(open.dingtalk.com/document/orgapp/download-the-file-content-of-the-robot-receiving-message).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from intake_service.channels.kind import EXPIRED, Fetched, FetchLater, NotFetched, OpenChannel
from intake_service.domain.channels import Media
from shared.contracts.envelope import Bilingual

#: Seconds before its end at which a token is not used any more.
_MARGIN = 120.0
_ELSEWHERE = Bilingual(
    zh="下载地址不在设置 file_hosts 之内", en="its address is at none of the hosts of the setting file_hosts"
)


class _TokenOver(Exception):
    """DingTalk does not take the access token."""


class Tokens:
    """Access tokens until they end, in memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[str, float]] = {}

    async def of(self, http: httpx.AsyncClient, channel: OpenChannel) -> str:
        """Raises `NotFetched`, `FetchLater`."""
        host, key, secret = _credentials(channel)
        token, until = self._known.get((host, key, secret), ("", 0.0))
        if time.monotonic() < until:
            return token
        try:
            answer = await _asked(http, f"{host}/v1.0/oauth2/accessToken", {"appKey": key, "appSecret": secret})
        except _TokenOver:
            raise NotFetched(_refused("401")) from None
        fresh, lasts = answer.get("accessToken"), answer.get("expireIn")
        if not isinstance(fresh, str) or not isinstance(lasts, int):
            raise FetchLater("accessToken answered without a token")
        self._known[host, key, secret] = (fresh, time.monotonic() + max(lasts - _MARGIN, lasts / 2))
        return fresh

    def forget(self, channel: OpenChannel, token: str) -> None:
        """DingTalk ended this one before its time."""
        if self._known.get(_credentials(channel), ("", 0.0))[0] == token:
            del self._known[_credentials(channel)]


#: Of this process: each callback is served alone, and tokens are not to be fetched for each.
TOKENS = Tokens()


def _credentials(channel: OpenChannel) -> tuple[str, str, str]:
    settings = channel.settings
    return settings.host, settings.app_key or channel.spec.account, channel.secrets["app_secret"]


@asynccontextmanager
async def download(
    http: httpx.AsyncClient, asking: asyncio.Lock, channel: OpenChannel, media: Media
) -> AsyncIterator[Fetched]:
    """A file, streamed. Who share `asking` fetch one token for all. Raises `NotFetched`, `FetchLater`."""
    async with asking:
        token = await TOKENS.of(http, channel)
    try:
        address = await _address(http, channel, media, token)
    except _TokenOver:
        TOKENS.forget(channel, token)
        async with asking:
            token = await TOKENS.of(http, channel)
        try:
            address = await _address(http, channel, media, token)
        except _TokenOver:
            raise NotFetched(_refused("401")) from None
    if not _is_theirs(address, channel):
        raise NotFetched(_ELSEWHERE)
    try:
        async with http.stream("GET", address) as response:
            if _is_busy(response):
                raise FetchLater(f"HTTP {response.status_code}")
            if response.status_code in (403, 404, 410):
                raise NotFetched(EXPIRED)
            if response.status_code != 200:
                raise NotFetched(_refused(str(response.status_code)))
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            yield Fetched(media.name or media.kind, media_type or "application/octet-stream", response.aiter_bytes())
    except httpx.HTTPError as error:
        raise FetchLater(type(error).__name__) from None


async def _address(http: httpx.AsyncClient, channel: OpenChannel, media: Media, token: str) -> str:
    answer = await _asked(
        http,
        f"{channel.settings.host}/v1.0/robot/messageFiles/download",
        {"downloadCode": media.media_id, "robotCode": channel.spec.account},
        {"x-acs-dingtalk-access-token": token},
    )
    address = answer.get("downloadUrl")
    if not isinstance(address, str):
        raise FetchLater("messageFiles/download answered without an address")
    return address


async def _asked(
    http: httpx.AsyncClient, url: str, told: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """The answer of the API. Raises `_TokenOver`, `NotFetched`, `FetchLater`."""
    try:
        response = await http.post(url, json=told, headers=headers)
    except httpx.HTTPError as error:
        raise FetchLater(type(error).__name__) from None
    if response.status_code == 401:
        raise _TokenOver
    if _is_busy(response):
        raise FetchLater(f"HTTP {response.status_code}")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise FetchLater("an answer that is not documented")
    if response.status_code != 200:
        raise NotFetched(_refused(str(answer.get("code", response.status_code))[:100]))
    return answer


def _is_busy(response: httpx.Response) -> bool:
    return response.status_code == 429 or response.status_code >= 500


def _refused(code: str) -> Bilingual:
    return Bilingual(zh=f"钉钉拒绝（{code}）", en=f"DingTalk refuses it ({code})")


def _is_theirs(address: str, channel: OpenChannel) -> bool:
    """Whether it leads to the API's own host, or by TLS to one of `file_hosts` or below."""
    try:
        url, own = httpx.URL(address), httpx.URL(channel.settings.host)
    except httpx.InvalidURL:
        return False
    if url.userinfo:
        return False
    if (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port):
        return True
    hosts = channel.settings.file_hosts
    return url.scheme == "https" and any(url.host == host or url.host.endswith(f".{host}") for host in hosts)
