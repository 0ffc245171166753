"""What callbacks told this process: that a channel has news, and the token that makes fetching them cheap.

In memory and lost with the process: polling is the truth, a hint only makes it sooner.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

#: For so long WeCom takes a callback's token.
TOKEN_SECONDS = 600.0


@dataclass
class _News:
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    token: str | None = None
    token_until: float = 0.0


class Hints:
    def __init__(self) -> None:
        self._news: dict[str, _News] = {}

    def ring(self, channel_id: str, token: str | None) -> None:
        news = self._of(channel_id)
        if token is not None:
            news.token, news.token_until = token, time.monotonic() + TOKEN_SECONDS
        news.rung.set()

    async def wait(self, channel_id: str, seconds: float) -> None:
        """Until it rings, `seconds` at most; at once where it rang since the last wait."""
        news = self._of(channel_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news.rung.wait()
        news.rung.clear()

    def token(self, channel_id: str) -> str | None:
        """The token of the last callback, as long as it is good."""
        news = self._of(channel_id)
        return news.token if time.monotonic() < news.token_until else None

    def _of(self, channel_id: str) -> _News:
        return self._news.setdefault(channel_id, _News())


#: Of this process. A channel is rung by the door and waited for by the puller.
HINTS = Hints()
