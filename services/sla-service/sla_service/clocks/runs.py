"""Clocks before anybody has said how long they may take.

A `Run` is a function of the set of facts; `lifecycle` finds those of a complaint, `action_runs` that of an improvement
action.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.vocabulary import ClockStatus, ClockSubject, Metric, Urgency
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.facts import IN_TIME, Fact, FactKind

if TYPE_CHECKING:
    from sla_service.clocks.policy import Priced


class End(NamedTuple):
    at: int
    status: ClockStatus
    reason: str
    fact_id: UUID | None


class Pause(NamedTuple):
    """`question_id` is the last message to the customer within the day before, if there is one."""

    begin: int
    reason: str
    fact_id: UUID
    end: int | None = None
    end_fact_id: UUID | None = None
    question_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on the clock is priced anew: another urgency, another due instant of its own, (without a fact) a
    changed calendar, or another policy; `ended` says that the one before was ended."""

    at: int
    fact_id: UUID | None
    urgency: Urgency | None = None
    own_due: int | None = None
    calendar: Calendar | None = None
    priced: "Priced | None" = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """`repeated` marks a period of a cadence after the first; `void` one that its policy does not ask for."""

    subject: ClockSubject
    subject_id: UUID
    metric: Metric
    cycle: int
    start: int
    start_fact_id: UUID | None
    urgency: Urgency | None
    case_cycle: int = 1
    end: End | None = None
    pauses: tuple[Pause, ...] = ()
    changes: tuple[Change, ...] = ()
    own_due: int | None = None
    repeated: bool = False
    void: bool = False
    team_id: str | None = None
    team_name: Bilingual | None = None
    holder: StaffContact | None = None
    #: Whose proceeding it is: the one track whose policies may price it.
    authority: str | None = None


def action_runs(action_id: UUID, facts: Iterable[Fact]) -> list[Run]:
    """F8: from the first plan to the deed; a plan made anew brings a new due time, from then on."""
    plans = sorted((f for f in facts if f.kind is FactKind.ACTION_PLANNED), key=lambda f: (f.revision, f.at, f.fact_id))
    if not plans:
        return []
    first, last = plans[0], plans[-1]
    done = _first(facts, FactKind.ACTION_DONE)
    return [
        Run(
            ClockSubject.IMPROVEMENT_ACTION,
            action_id,
            Metric.IMPROVEMENT_ACTION,
            1,
            first.at,
            first.fact_id,
            None,
            end=fulfilled(done, first.at) if done else None,
            changes=tuple(Change(max(plan.at, first.at), plan.fact_id, own_due=plan.other_at) for plan in plans[1:]),
            own_due=first.other_at,
            holder=last.person,
        )
    ]


def _first(facts: Iterable[Fact], kind: FactKind) -> Fact | None:
    return min((one for one in facts if one.kind is kind), key=IN_TIME, default=None)


def fulfilled(fact: Fact, start: int) -> End:
    """An answer dated before the question (a clock that runs wrong elsewhere) counts at the question's instant."""
    return End(max(fact.at, start), ClockStatus.FULFILLED, fact.kind.value, fact.fact_id)


def answered_by(facts: Sequence[Fact], start: int) -> list[End]:
    """The end that the first of the facts makes, if there is one; they are in order of time."""
    if facts and facts[0].at < start:
        facts = [min((one for one in facts if one.at <= start), key=lambda one: one.fact_id)]
    return [fulfilled(one, start) for one in facts[:1]]


def cancelled(move: Fact, start: int) -> End:
    return End(
        max(move.at, start), ClockStatus.CANCELLED, move.to_state.value if move.to_state else "moved", move.fact_id
    )


def earliest(ends: Iterable[End]) -> End | None:
    """What ended it; at the same instant an answer counts before a cancellation."""
    found: End | None = None
    for end in ends:
        if found is None or end.at < found.at or (end.at == found.at and _counts_before(end, found)):
            found = end
    return found


def _counts_before(end: End, other: End) -> bool:
    cancelled, other_cancelled = end.status is ClockStatus.CANCELLED, other.status is ClockStatus.CANCELLED
    return (cancelled, str(end.fact_id)) < (other_cancelled, str(other.fact_id))
