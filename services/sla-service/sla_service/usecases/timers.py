"""Timers: a wake-up at the due instant, nothing more. What is true was decided by the facts.

Invariant: every armed clock has its next instant in `clocks.wake_at`; whoever wakes claims what is due with
``for update skip locked``, so of several workers one fires each clock, in the transaction that also moves `wake_at` on.
That lock is the lease: it is shared clock by clock, and goes with the connection of a worker that dies.
The instant in memory only says when to look; the poll of the database (in real time) is the truth between replicas.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.contracts.envelope import StaffContact
from shared.contracts.sla import ClockEvent
from shared.db.engine import AFTER_COMMIT
from sla_service.clocks.policy import Book, Role, Step
from sla_service.domain.changes import Kept, Raised, WhoIs, fire
from sla_service.store import clocks, due, escalations
from sla_service.usecases.deps import Deps
from sla_service.usecases.turns import before_timers

log = structlog.get_logger()

#: Seconds of real time until rows that another worker held just now are tried again.
_HELD = 0.02
#: Rounds that fire begin at least so many seconds apart: the first clock is fired at its instant, and of many that
#: come one after the other each round takes a few.
_APART = 0.025
_PLACES: dict[Role, str] = {"team_lead": "lead", "department_manager": "manager", "executive": "executive"}


async def run_timers(deps: Deps) -> None:
    """For ever: wake at the next armed instant, fire what is due, look for the next."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_fire_when_due(deps))
        group.create_task(_watch_other_replicas(deps))


async def _fire_when_due(deps: Deps) -> None:
    while True:
        deps.alarm.listen()
        began = time.monotonic()
        fired = await fire_due(deps)
        if fired == deps.settings.timer_batch:
            await _catch_up(deps)
            continue
        if fired:
            await asyncio.sleep(began + _APART - time.monotonic())
        coming = await _next_wake(deps)
        if coming is not None and coming <= deps.clock.now():
            await asyncio.sleep(0 if fired else _HELD)
            continue
        deps.alarm.set(coming)
        await deps.clock.wait(coming, deps.alarm.ring)


async def _watch_other_replicas(deps: Deps) -> None:
    while True:
        await asyncio.sleep(deps.settings.timer_poll_seconds)
        deps.alarm.sooner(await _next_wake(deps))


async def _next_wake(deps: Deps) -> datetime | None:
    async with deps.reading() as tx:
        return await due.next_wake(tx)


@dataclass(frozen=True)
class _Turns:
    """Rounds that overlap claim one after the other, and write in the same order."""

    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


async def _catch_up(deps: Deps) -> None:
    """After an outage, or when thousands are due at once: while the database writes a round, the next is worked out."""
    turns = _Turns()

    async def rounds() -> None:
        while await fire_due(deps, turns) == deps.settings.timer_batch:
            pass

    async with asyncio.TaskGroup() as group:
        group.create_task(rounds())
        group.create_task(rounds())


async def fire_due(deps: Deps, turns: _Turns | None = None) -> int:
    """Fire one batch of what is due, in the order of its instants; how many clocks that were (F10)."""
    turns = turns or _Turns()
    await before_timers(deps)
    async with AsyncExitStack() as turn, deps.session() as tx:
        async with turns.claiming:
            now = deps.clock.now()
            claimed = await due.claim_due(tx, now, deps.settings.timer_batch)
            if not claimed:
                return 0
            book = await deps.shelf.book(tx)
            who = await _roster(tx, [kept for kept, _ in claimed])
            chains = [_chain(kept, book) for kept, _ in claimed]
            asking = [
                kept.view.clock_id
                for (kept, _), chain in zip(claimed, chains, strict=True)
                if kept.escalated and any(step.unless_acknowledged for step in chain)
            ]
            acknowledged = await escalations.acknowledged(tx, asking) if asking else {}
        changed: list[Kept] = []
        events: list[ClockEvent] = []
        raised: list[Raised] = []
        for (kept, complaint), chain in zip(claimed, chains, strict=True):
            after, told, steps = fire(kept, chain, complaint, now, who, acknowledged.get(kept.view.clock_id))
            changed.append(after)
            events += told
            raised += steps
        # Until the commit: what is due later is not told earlier.
        await turn.enter_async_context(turns.writing)
        await due.save_fired(tx, changed)
        tx.info.setdefault(AFTER_COMMIT, []).append(deps.wallboard.changed)
        await escalations.add_escalations(tx, raised)
        outbox.add(tx, *sorted(events, key=lambda event: event.occurred_at))
        return len(claimed)


def _chain(kept: Kept, book: Book) -> tuple[Step, ...]:
    priced = book.rule(kept.view.policy, kept.view.policy_version, kept.view.metric)
    return priced.rule.escalation if priced else ()


async def _roster(tx: AsyncSession, claimed: Sequence[Kept]) -> WhoIs:
    """Who stands in the roles of the teams of these clocks."""
    alone = {one.holder.staff_id for one in claimed if one.view.owner_team is None and one.holder}
    homes = await clocks.teams_of(tx, alone) if alone else {}
    named = {one.view.owner_team for one in claimed if one.view.owner_team}
    rosters = await clocks.rosters(tx, named | set(homes.values()))

    def who(team_id: str | None, role: Role, holder: StaffContact | None) -> StaffContact | None:
        home = team_id or (homes.get(holder.staff_id) if holder else None)
        return _stands(rosters.get(home or "", {}), role, holder)

    return who


def _stands(roster: Mapping[str, StaffContact | None], role: Role, holder: StaffContact | None) -> StaffContact | None:
    if role == "agent":
        return holder or roster.get("contact")
    return roster.get(_PLACES[role])
