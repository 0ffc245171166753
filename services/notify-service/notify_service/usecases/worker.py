"""The loop that delivers: woken after commits, by the instant of the next attempt, and by polling behind both."""

import asyncio
import contextlib

import structlog

from notify_service import store
from notify_service.usecases.deliver import Shipment, claim, ship
from notify_service.usecases.deps import Deps

log = structlog.get_logger()
#: Shipments under way at once; a slow carrier does not hold up the others before that.
_MOST_UNDER_WAY = 8
#: How long an end in order waits for what is under way. What is cut off keeps its lease and is sent again after it.
_DRAIN_SECONDS = 10.0


class Worker:
    """Any number may run, in any number of processes."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self._under_way: set[asyncio.Task[None]] = set()

    async def deliver_messages(self) -> None:
        """Until it is cancelled; then what is under way is sent and recorded."""
        try:
            while True:
                self.deps.wake.clear()
                if not await self._round():
                    await self._rest()
        finally:
            if self._under_way:
                _, cut_off = await asyncio.wait(self._under_way, timeout=_DRAIN_SECONDS)
                for task in cut_off:
                    task.cancel()

    async def _round(self) -> bool:
        """Claim, and send it off; whether there was anything."""
        while len(self._under_way) >= _MOST_UNDER_WAY:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        shipments = await claim(self.deps)
        for shipment in shipments:
            task = asyncio.create_task(self._ship(shipment))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(shipments)

    async def _ship(self, shipment: Shipment) -> None:
        try:
            await ship(shipment, self.deps)
        except Exception:  # not recorded: the lease runs out and it is sent again under the same id
            log.exception("shipment was not recorded", means=shipment.means, messages=len(shipment.items))

    async def _rest(self) -> None:
        """Until the next message is due or somebody wakes us. Polling runs on real time: a simulated clock that stands
        still must not hide what another process committed."""
        async with self.deps.reading() as tx:
            until = await store.next_due(tx)
        if until is not None and until <= self.deps.clock.now():
            until = None  # another worker has it in hand
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.deps.settings.delivery_poll_seconds):
                await self.deps.clock.wait(until, self.deps.wake)
