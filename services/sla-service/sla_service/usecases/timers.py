"""Timers: a wake-up at the due instant, nothing more. What is true was decided by the facts.

Invariant: every armed clock has its next instant in `clocks.wake_at`; whoever wakes claims what is due with
``for update skip locked``, so of several workers one fires each clock, in the transaction that also moves `wake_at` on.
The instant in memory only says when to look; the poll of the database (in real time) is the truth between replicas.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog

from shared.bus import outbox
from shared.contracts.envelope import StaffContact
from shared.contracts.sla import ClockEvent
from shared.db.engine import AFTER_COMMIT
from sla_service.clocks.policy import Book, Role, Step
from sla_service.domain.changes import Kept, Raised, fire
from sla_service.store import clocks, escalations
from sla_service.usecases.deps import Deps

log = structlog.get_logger()

#: Seconds of real time until rows that another worker held just now are tried again.
_HELD = 0.02
_PLACES: dict[Role, str] = {"team_lead": "lead", "department_manager": "manager", "executive": "executive"}


async def run_timers(deps: Deps) -> None:
    """For ever: wake at the next armed instant, fire what is due, look for the next."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_fire_when_due(deps))
        group.create_task(_watch_other_replicas(deps))


async def _fire_when_due(deps: Deps) -> None:
    while True:
        deps.alarm.listen()
        if await fire_due(deps) == deps.settings.timer_batch:
            continue
        coming = await _next_wake(deps)
        if coming is not None and coming <= deps.clock.now():
            await asyncio.sleep(_HELD)
            continue
        deps.alarm.set(coming)
        await deps.clock.wait(coming, deps.alarm.ring)


async def _watch_other_replicas(deps: Deps) -> None:
    while True:
        await asyncio.sleep(deps.settings.timer_poll_seconds)
        deps.alarm.sooner(await _next_wake(deps))


async def _next_wake(deps: Deps) -> datetime | None:
    async with deps.reading() as tx:
        return await clocks.next_wake(tx)


async def fire_due(deps: Deps) -> int:
    """Fire one batch of what is due, in the order of its instants; how many clocks that were (F10)."""
    async with deps.session() as tx:
        now = deps.clock.now()
        claimed = await clocks.claim_due(tx, now, deps.settings.timer_batch)
        if not claimed:
            return 0
        book = await deps.shelf.book(tx)
        alone = {one.holder.staff_id for one, _ in claimed if one.view.owner_team is None and one.holder}
        homes = await clocks.teams_of(tx, alone) if alone else {}
        named = {one.view.owner_team for one, _ in claimed if one.view.owner_team}
        rosters = await clocks.rosters(tx, named | set(homes.values()))

        def who(team_id: str | None, role: Role, holder: StaffContact | None) -> StaffContact | None:
            home = team_id or (homes.get(holder.staff_id) if holder else None)
            return _stands(rosters.get(home or "", {}), role, holder)

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
        await clocks.save_clocks(tx, changed)
        tx.info.setdefault(AFTER_COMMIT, []).append(deps.wallboard.changed)
        await escalations.add_escalations(tx, raised)
        outbox.add(tx, *sorted(events, key=lambda event: event.occurred_at))
        return len(claimed)


def _chain(kept: Kept, book: Book) -> tuple[Step, ...]:
    priced = book.rule(kept.view.policy, kept.view.policy_version, kept.view.metric)
    return priced.rule.escalation if priced else ()


def _stands(roster: Mapping[str, StaffContact | None], role: Role, holder: StaffContact | None) -> StaffContact | None:
    if role == "agent":
        return holder or roster.get("contact")
    return roster.get(_PLACES[role])
