"""A token bucket per caller and process: 429 with `Retry-After`, and the RateLimit headers of
draft-ietf-httpapi-ratelimit-headers on every answer.

Who was signed in before is counted by principal, everybody else by address: a made-up token gets no bucket of its own.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.errors import TooManyRequests
from shared.web.handlers import problem_response
from shared.web.middleware import is_quiet

MAX_BUCKETS = 50_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """`take` says how many are left (negative: refused) and after how many seconds the next one is."""

    def __init__(self, rate: float, burst: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> tuple[int, int]:
        now = self._monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self.burst, now)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.left = min(self.burst, bucket.left + (now - bucket.at) * self.rate)
        bucket.at = now
        if bucket.left < 1:
            return -1, math.ceil((1 - bucket.left) / self.rate)
        bucket.left -= 1
        return int(bucket.left), 0

    def headers(self, name: str, left: int, wait: int) -> dict[str, str]:
        """What the sender is told of the limit, which they know by this name: `left` and `wait` are of `take`."""
        told = {
            "RateLimit-Policy": f'"{name}";q={self.burst};w={self.window}',
            "RateLimit": f'"{name}";r={max(left, 0)};t={wait or self.window}',
        }
        return {**told, "Retry-After": str(wait)} if wait else told

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket is full again."""
        return max(1, math.ceil(self.burst / self.rate))


class RateLimit:
    def __init__(self, app: ASGIApp, *, buckets: Buckets, known: Callable[[Mapping[str, str]], str | None]) -> None:
        """`known` tells by the headers which principal was signed in with them before."""
        self.app = app
        self.buckets = buckets
        self.known = known
        self._policy = f'"default";q={buckets.burst};w={buckets.window}'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_quiet(scope):
            await self.app(scope, receive, send)
            return
        left, wait = self.buckets.take(self.known(Headers(scope=scope)) or f"address:{(scope.get('client') or '?')[0]}")

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                state = f'"default";r={max(left, 0)};t={wait or self.buckets.window}'.encode()
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"ratelimit-policy", self._policy),
                    (b"ratelimit", state),
                ]
            await send(message)

        if left < 0:
            refused = TooManyRequests(f"Wait {wait} s, then go on.", headers={"Retry-After": str(wait)})
            await problem_response(refused)(scope, receive, told)
            return
        await self.app(scope, receive, told)
