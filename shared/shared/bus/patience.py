"""Waiting for what is away, without mistaking it for poison."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.bus.port import BusSettings, pause
from shared.bus.transient import Fault, describe, fault_of

T = TypeVar("T")
log = structlog.get_logger("bus")

CONFLICTS = 5


class Stopping(Exception):
    """The member is being detached: what is not committed is left for its next start."""


class Patience:
    """Runs a piece of work again while the database is away, and a few times when two transactions met."""

    def __init__(self, settings: BusSettings, answers: Callable[[], Awaitable[bool]]) -> None:
        self._settings = settings
        self._answers = answers
        self.stopping = asyncio.Event()
        #: What is waited for at the moment.
        self.problem: str | None = None

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises whatever `work` raises that is not transient, and `Stopping`."""
        conflicts = 0
        delay = self._settings.backoff_seconds
        while True:
            try:
                result = await work()
            except Exception as error:
                fault = fault_of(error)
                if fault is Fault.UNCLEAR:
                    fault = Fault.EVENT if await self._answers() else Fault.AWAY
                if fault is Fault.CONFLICT and conflicts < CONFLICTS:
                    conflicts += 1
                    await self.pause(random.uniform(0.005, 0.02) * 2**conflicts)
                    continue
                if fault is not Fault.AWAY:
                    raise
                if self.problem is None:
                    log.warning("database away", error=describe(error))
                self.problem = f"database away: {describe(error)}"
                await self.pause(delay)
                delay = min(delay * 2, self._settings.away_seconds)
            else:
                self.problem = None
                return result

    async def pause(self, seconds: float) -> None:
        """Raises `Stopping` as soon as the member is being detached."""
        if await pause(self.stopping, seconds):
            raise Stopping
