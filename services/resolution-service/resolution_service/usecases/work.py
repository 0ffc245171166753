"""What every command has in common: take the case up under its lock, then put down what was done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain import states
from resolution_service.domain.entries import entry_of, fact_from
from resolution_service.domain.models import Case, Standpoint
from resolution_service.domain.states import Fact, FactKind, Move, Standing
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import BadInstant, CaseNotOpen, IllegalMove, UnknownCase
from shared.bus import outbox
from shared.contracts.envelope import Actor, ActorKind, Event
from shared.contracts.resolution import CaseMovedV1
from shared.contracts.vocabulary import CaseState
from shared.web.etag import etag, if_match

SYSTEM = Actor(kind=ActorKind.SYSTEM, id="resolution-service")


def milestones(case: Standpoint) -> list[Fact]:
    made = []
    if case.acknowledged_at is not None:
        made.append(Fact(FactKind.ACKNOWLEDGED, case.acknowledged_at, UUID(int=1)))
    if case.assessed_at is not None:
        made.append(Fact(FactKind.ASSESSED, case.assessed_at, UUID(int=2)))
    return made


def moved_event(
    case: Standpoint, to: Standing, event_id: UUID, now: datetime, actor: Actor, reason: str = ""
) -> CaseMovedV1:
    return CaseMovedV1(
        event_id=event_id,
        occurred_at=to.since,
        recorded_at=now,
        actor=actor,
        facts=case.facts,
        revision=case.revision + 1,
        cycle=to.cycle,
        from_state=case.state,
        to_state=to.state,
        reason=reason,
    )


@dataclass(frozen=True, slots=True)
class Work:
    """One command on one case, whose row is locked until the block ends."""

    tx: AsyncSession
    deps: Deps
    case: Case
    standing: Standing
    facts: Sequence[Fact]
    actor: Actor
    now: datetime

    def at(
        self, occurred_at: datetime | None, *, after: datetime | None = None, pointer: str = "/occurred_at"
    ) -> datetime:
        """When it was done: now, or earlier where it is written down late, but not before `after` (by default the start
        of the cycle). Raises `BadInstant`."""
        bound = self.standing.cycle_since if after is None else after
        if occurred_at is None:
            return max(self.now, bound)
        if occurred_at > self.now:
            raise BadInstant(
                f"{occurred_at.isoformat()} lies in the future; it is {self.now.isoformat()}.", pointer=pointer
            )
        if occurred_at < bound:
            raise BadInstant(
                f"{occurred_at.isoformat()} is before what it follows, which was at {bound.isoformat()}.",
                pointer=pointer,
            )
        return occurred_at

    def envelope(self, at: datetime) -> dict[str, Any]:
        return {
            "event_id": self.deps.ids(),
            "occurred_at": at,
            "recorded_at": self.now,
            "actor": self.actor,
            "facts": self.case.facts,
        }

    def need_open(self) -> None:
        """Raises `CaseNotOpen`."""
        if self.standing.state not in states.OPEN:
            raise CaseNotOpen.since_it_is(self.standing.state)

    def need_alive(self) -> None:
        """Open, or resolved and not yet closed. Raises `CaseNotOpen`."""
        if self.standing.state not in states.OPEN | states.RESOLVED:
            raise CaseNotOpen.since_it_is(self.standing.state)

    def order(self, to: CaseState, at: datetime, reason: str) -> CaseMovedV1:
        """The move by hand to `to`. Raises `IllegalMove`."""
        if to not in states.legal(self.standing.state, states.Cause.BY_HAND):
            raise IllegalMove.between(self.standing.state, to)
        there = replace(self.standing, state=to, since=at)
        return moved_event(self.case, there, self.deps.ids(), self.now, self.actor, reason)

    async def put_down(self, *events: Event, order: Event | None = None) -> Case:
        """Keep `events` in the file and tell them. `order`, one of them, is what moves the case."""
        entries = [entry_of(event, self.case.facts) for event in events if event is order or not _told_only(event)]
        ordered = order.event_id if order else None
        entries = [entry if entry.event_id == ordered else replace(entry, fact=None) for entry in entries]
        after, follow = replace(self.case, version=self.case.version + 1), []
        if order is not None:
            after = replace(after, revision=after.revision + 1, plain=False)
            entries = [replace(entry, serial=after.revision) if entry.fact else entry for entry in entries]
            given = fact_from(next(entry for entry in entries if entry.fact))
            standing = states.replay(after.facts.received_at, [*self.facts, given])
            after = replace(after, state=given.to or after.state)
            for move in _after(standing, given):
                # Written down late: what came meanwhile has its effect at once.
                later = replace(standing, state=move.to_state, cycle=move.cycle, since=move.at)
                follow.append(moved_event(after, later, self.deps.ids(), self.now, SYSTEM))
                after = replace(after, state=move.to_state, revision=after.revision + 1)
            after = replace(after, state=standing.state, cycle=standing.cycle, since=standing.since)
        await store.insert_entries(self.tx, entries)
        await store.save_case(self.tx, after)
        outbox.add(self.tx, *events, *follow)
        return after


def _after(standing: Standing, given: Fact) -> Sequence[Move]:
    at = next(n for n, move in enumerate(standing.moves) if move.fact is not None and move.fact.id == given.id)
    return standing.moves[at + 1 :]


def _told_only(event: Event) -> bool:
    """A move that another event of ours explains is told, and follows from that one in the file."""
    return isinstance(event, CaseMovedV1)


async def take_up(tx: AsyncSession, deps: Deps, complaint_id: UUID, actor: Actor, expected: str | None = None) -> Work:
    """Lock the case. `expected` is the If-Match header. Raises `UnknownCase`, `PreconditionFailed`."""
    case = await store.lock_case(tx, complaint_id)
    if case is None:
        raise UnknownCase.by(complaint_id)
    if_match(expected, case.version)
    others = [] if case.plain else (await store.bearing_facts(tx, [case.id]))[case.id]
    facts = [*milestones(case), *others]
    standing = states.replay(case.facts.received_at, facts)
    return Work(tx, deps, case, standing, facts, actor, deps.clock.now())


def tagged(case: Case) -> dict[str, str]:
    return {"ETag": etag(case.version)}
