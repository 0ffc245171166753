"""The one source of time.

Use cases never call ``datetime.now()``: they get a `Clock` from their ``Deps``. Tests and simulations drive a
`SimulatedClock`; the services run on the `SystemClock`. All instants are timezone-aware UTC.
"""

import asyncio
import contextlib
import heapq
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    async def wait(self, until: datetime | None, wake: asyncio.Event) -> None:
        """Return when `until` has come or `wake` is set, whichever is first; `None` waits for `wake` alone."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, until: datetime | None, wake: asyncio.Event) -> None:
        seconds = None if until is None else (until - self.now()).total_seconds()
        if seconds is not None and seconds <= 0:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), seconds)


class SimulatedClock:
    """A clock that stands still until it is told to move.

    `advance_to` visits every instant that somebody waits for on its way, so a timer that is due at 14:00 sees 14:00
    and not the end of the jump.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._waiters: list[tuple[datetime, int, asyncio.Event]] = []
        self._serial = 0

    def now(self) -> datetime:
        return self._now

    async def wait(self, until: datetime | None, wake: asyncio.Event) -> None:
        if until is None:
            await wake.wait()
            return
        if until <= self._now:
            return
        reached = asyncio.Event()
        self._serial += 1
        heapq.heappush(self._waiters, (until, self._serial, reached))
        tasks = [asyncio.ensure_future(event.wait()) for event in (reached, wake)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self._waiters = [waiter for waiter in self._waiters if waiter[2] is not reached]
            heapq.heapify(self._waiters)

    async def advance_to(self, instant: datetime, *, settle_seconds: float = 0.05) -> None:
        """Move to `instant`, stopping at every awaited instant for `settle_seconds` of real time."""
        target = instant.astimezone(UTC)
        if target < self._now:
            raise ValueError(f"time does not run backwards: {target} is before {self._now}")
        while self._waiters and self._waiters[0][0] <= target:
            at, _, reached = heapq.heappop(self._waiters)
            self._now = max(self._now, at)
            reached.set()
            await asyncio.sleep(settle_seconds)
        self._now = target
