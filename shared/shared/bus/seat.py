"""A member at work: its relay, its processor and the housekeeping of both."""

import asyncio
import time

import structlog

from shared.bus.port import BusHealth, Member, pause
from shared.bus.processor import Processor
from shared.bus.relay import Relay
from shared.bus.transient import describe

log = structlog.get_logger("bus")

PRUNE_SECONDS = 3600.0


class Seat:
    """Starts with its making; ends with `close`. `tasks` may be added to by the adapter."""

    def __init__(self, member: Member, relay: Relay, processor: Processor) -> None:
        self.member = member
        self.relay = relay
        self.processor = processor
        self.tasks = [
            asyncio.create_task(relay.run(), name=f"relay of {member.name}"),
            asyncio.create_task(self._housekeeping(), name=f"housekeeping of {member.name}"),
        ]

    def health(self) -> BusHealth:
        now = time.monotonic()
        return BusHealth(
            leader=self.relay.leader,
            backlog=self.relay.backlog,
            relay_seconds=now - self.relay.last_progress,
            consumer_seconds=now - self.processor.last_progress if self.processor.busy else 0.0,
            stopped=self.processor.stopped,
            problem=self.relay.problem or self.processor.problem,
        )

    async def close(self) -> None:
        """Finish what is at hand, for at most `drain_seconds`; what is cut off comes again."""
        self.processor.stopping.set()
        self.relay.stop()
        await asyncio.wait(self.tasks, timeout=self.member.settings.drain_seconds)
        for task in self.tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("bus task failed", service=self.member.name, error=describe(outcome))

    async def _housekeeping(self) -> None:
        """Replays that somebody asked for, and the inbox's old ids."""
        pruned = 0.0
        stopping = self.processor.stopping
        while not await pause(stopping, self.member.settings.replay_poll_seconds):
            try:
                while not stopping.is_set() and await self.processor.replay_one():
                    pass
                if time.monotonic() - pruned > PRUNE_SECONDS:
                    await self.processor.prune()
                    pruned = time.monotonic()
            except Exception as error:
                log.warning("housekeeping interrupted", service=self.member.name, error=describe(error))
