"""The live wallboard: the clocks nearest to their breach, and what changes among them.

Every watcher has one wake-up flag and what it was last shown, never a queue: when it is woken, however often meanwhile,
it reads what is so now and tells the difference. So a slow reader has no backlog.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.vocabulary import ClockStatus
from shared.web.principal import Principal
from sla_service.usecases.ask import Asked, Shown, list_clocks
from sla_service.usecases.deps import Deps

#: Seconds of real time: between two looks of one watcher at least, and at most (for what other replicas have changed).
PACE, POLL = 0.2, 5.0
#: Seconds after which a watcher has to come again, with a token that is still good.
LIFE = 3600.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is to be shown."""

    shown: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new or different since the last word, and what is no more among the nearest."""

    changed: Sequence[Shown]
    gone: Sequence[UUID]


async def near_breach(principal: Principal, limit: int, deps: Deps) -> list[Shown]:
    """Running clocks that are not late yet, by their due instant."""
    return await list_clocks(Asked(status=ClockStatus.RUNNING, breached=False), principal, None, limit, deps)


async def watch(principal: Principal, limit: int, deps: Deps) -> AsyncGenerator[Snapshot | Changes]:
    """A snapshot at once, then changes as they occur, until the service stops or an hour has passed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LIFE
    with deps.wallboard.watched() as wake:
        known = await near_breach(principal, limit, deps)
        yield Snapshot(known)
        while loop.time() < until:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL)
            if not deps.wallboard.open:
                return
            wake.clear()
            now = await near_breach(principal, limit, deps)
            if (changes := _between(known, now)) is not None:
                yield changes
            known = now
            await asyncio.sleep(PACE)


async def keep_open(deps: Deps) -> None:
    """For ever; the watchers end when this ends."""
    deps.wallboard.open = True
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        deps.wallboard.close()


def _between(before: Sequence[Shown], after: Sequence[Shown]) -> Changes | None:
    known = {one.view.clock_id: one for one in before}
    here = {one.view.clock_id for one in after}
    changed = [one for one in after if known.get(one.view.clock_id) != one]
    gone = [clock_id for clock_id in known if clock_id not in here]
    return Changes(changed, gone) if changed or gone else None
