"""Versions of policies and calendars brought to the clocks that run (F9): a page of histories to a transaction.

From the commit that begins a version every fold is by it, for that commit waits for those who fold by the book as it
was. So whoever hears of a complaint first prices its clocks anew, these pages or its next event, and each tells it
once. A process that dies leaves `reached`, from where the next goes on.
"""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.engine import AFTER_COMMIT
from sla_service.store import books, histories, turns
from sla_service.store.turns import Turn
from sla_service.usecases.deps import Deps
from sla_service.usecases.hear import settle

log = structlog.get_logger()

#: Histories that are priced anew at a time.
_PAGE = 200


async def plan(tx: AsyncSession, turn: Turn, at: datetime, deps: Deps) -> None:
    """Bring a version to running clocks at `at`; by an author who holds the lock of the book."""
    begun = at <= deps.clock.now()
    if begun:
        await books.take_book(tx)
    await turns.add_turn(tx, turn, at, begun=begun)
    tx.info.setdefault(AFTER_COMMIT, []).append(lambda: deps.turns.sooner(at))


async def run_turns(deps: Deps) -> None:
    """For ever: begin what has come, price running clocks anew, wait for the next."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_turn_when_due(deps))
        group.create_task(_watch_other_replicas(deps))


async def _turn_when_due(deps: Deps) -> None:
    while True:
        deps.turns.listen()
        await reprice_due(deps)
        coming = await _next_at(deps)
        if coming is not None and coming <= deps.clock.now():
            await asyncio.sleep(deps.settings.timer_poll_seconds)  # another replica is at it
            continue
        deps.turns.set(coming)
        await deps.clock.wait(coming, deps.turns.ring)


async def _watch_other_replicas(deps: Deps) -> None:
    while True:
        await asyncio.sleep(deps.settings.timer_poll_seconds)
        deps.turns.sooner(await _next_at(deps))


async def _next_at(deps: Deps) -> datetime | None:
    async with deps.reading() as tx:
        return await turns.next_at(tx)


async def reprice_due(deps: Deps) -> None:
    """Everything that has come, page by page, as far as no other process is at it."""
    await _begin_due(deps)
    while await _reprice_page(deps):
        pass


async def before_timers(deps: Deps) -> None:
    """While a version is on its way, the histories whose timers are due come first: nobody is to be warned or called
    by terms that hold no more."""
    now = deps.clock.now()
    due = await _next_at(deps)
    if due is None or due > now:
        return
    await _begin_due(deps)
    async with deps.reading() as tx:
        pending = await turns.under_way(tx)
        firing = sorted({one for turn in pending for one in await turns.about_to_fire(tx, turn, now)})
    for place in range(0, len(firing), _PAGE):
        async with deps.session() as tx:
            await books.hold_book(tx)
            found = await histories.lock_histories(tx, dict.fromkeys(firing[place : place + _PAGE]))
            await settle(tx, found, {}, deps)


async def _begin_due(deps: Deps) -> None:
    async with deps.reading() as tx:
        if not await turns.some_due(tx, deps.clock.now()):
            return
    async with deps.session() as tx:
        await books.lock_book(tx)
        await books.take_book(tx)
        if await turns.begin_due(tx, deps.clock.now()):
            await books.next_revision(tx)


async def _reprice_page(deps: Deps) -> bool:
    async with deps.session() as tx:
        if (turn := await turns.claim(tx)) is None:
            return False
        await books.hold_book(tx)
        page = await turns.concerned(tx, turn, _PAGE)
        if not page:
            await turns.move_on(tx, turn, turn.reached, deps.clock.now())
            log.info("running clocks were priced anew", by=turn.kind, name=turn.name, version=turn.version)
            return True
        found = await histories.lock_histories(tx, dict.fromkeys(page))
        await settle(tx, found, {}, deps)
        await turns.move_on(tx, turn, page[-1], None)
        return True
