"""Server APIs that answer by `errcode`: WeCom 企业微信, with its access tokens, and DingTalk's robots 钉钉.

Errors are judged by `errcode` alone; the texts beside it change (documentation 全局错误码).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

HOST = "https://qyapi.weixin.qq.com"
#: Seconds before its end at which a token is not used any more.
_MARGIN = 120.0
_TOKEN_OVER = frozenset({40001, 40014, 42001})
_TOO_OFTEN = frozenset({45009, 45033, 130101})
_BUSY = frozenset({-1, 6000})
#: Seconds to leave a provider in peace after it said that we ask too often: its limits are per minute.
PEACE = 60.0


class ErrCode(Exception):
    """The provider refused; another attempt with the same would hear the same. `code` is its errcode."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"errcode {code}: {said}"[:300])
        self.code = code


class TryLater(Exception):
    """Nothing is wrong with what was asked: the provider is away, busy, or was asked too often; wait `seconds` at
    least."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why[:300])
        self.seconds = seconds


class WeComApi:
    """One secret of one company. A token is fetched once and used by all calls until it ends."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        corp_id: str,
        secret: str,
        host: str = HOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.http = http
        self.host = host.rstrip("/")
        self._corp_id = corp_id
        self._secret = secret
        self._monotonic = monotonic
        self._token = ""
        self._good_until = float("-inf")
        self._fetching = asyncio.Lock()

    async def post(self, path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer where its errcode is 0. Raises `ErrCode`, `TryLater`."""
        token = await self.token()
        try:
            return await request(self.http, "POST", self.host + path, params={"access_token": token}, json=asked)
        except ErrCode as error:
            if not self.was_over(error, token):
                raise
        token = await self.token()
        return await request(self.http, "POST", self.host + path, params={"access_token": token}, json=asked)

    async def token(self) -> str:
        """An access token that is good by what we know. Raises `ErrCode`, `TryLater`."""
        async with self._fetching:
            if self._monotonic() >= self._good_until:
                params = {"corpid": self._corp_id, "corpsecret": self._secret}
                answer = await request(self.http, "GET", f"{self.host}/cgi-bin/gettoken", params=params)
                token, lasts = answer.get("access_token"), answer.get("expires_in")
                if not isinstance(token, str) or not isinstance(lasts, int):
                    raise TryLater("gettoken answered without a token")
                self._token = token
                self._good_until = self._monotonic() + max(lasts - _MARGIN, lasts / 2)
            return self._token

    def was_over(self, error: ErrCode, token: str) -> bool:
        """Whether WeCom refused because `token` ended before its time; another one is fetched then."""
        if error.code in _TOKEN_OVER and self._token == token:
            self._good_until = float("-inf")
        return error.code in _TOKEN_OVER


async def request(http: httpx.AsyncClient, method: str, url: str, **rest: Any) -> Mapping[str, Any]:
    """The JSON of an answer with errcode 0. Raises `ErrCode`, `TryLater`, neither of which names the address: it may
    hold a secret."""
    try:
        response = await http.request(method, url, **rest)
    except httpx.HTTPError as error:
        raise TryLater(type(error).__name__) from None
    return told(response)


def told(response: httpx.Response) -> Mapping[str, Any]:
    """What an answer that was read says. Raises `ErrCode`, `TryLater`."""
    if response.status_code >= 400:
        raise TryLater(f"HTTP {response.status_code}")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(code := answer.get("errcode", 0), int):
        raise TryLater("an answer that is not documented")
    if code == 0:
        return answer
    said = f"errcode {code}: {answer.get('errmsg', '')}"
    if code in _TOO_OFTEN:
        raise TryLater(said, PEACE)
    if code in _BUSY:
        raise TryLater(said)
    raise ErrCode(code, str(answer.get("errmsg", "")))
