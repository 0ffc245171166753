"""The state machine of a case (C7).

A case's state is never written by whoever comes last: it is the replay of all facts that bear on it, in the order in
which they became true. Between topics there is no order, so a fact that arrives late takes its place in that order, and
any order of arrival ends in the same state. What a person ordered was checked when it was ordered and stands; what
other services report counts where the state of its instant lets it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from shared.contracts.envelope import Actor
from shared.contracts.vocabulary import CaseState

S = CaseState


class Cause(StrEnum):
    """What may move a case."""

    BY_HAND = "by_hand"
    RESULT = "result"
    MILESTONE = "milestone"
    CUSTOMER_WROTE = "customer_wrote"
    FEEDBACK = "feedback"
    LINK = "link"


#: States in which the work is not done: findings, transfers and results belong here.
OPEN: frozenset[CaseState] = frozenset(
    {S.RECEIVED, S.ACKNOWLEDGED, S.ASSESSED, S.REOPENED, S.IN_PROGRESS, S.WAITING_CUSTOMER, S.WAITING_THIRD_PARTY}
)
#: The result is told and feedback is awaited or given.
RESOLVED: frozenset[CaseState] = frozenset({S.RESOLVED, S.CONFIRMED})
#: Nothing leads out of these.
ENDED: frozenset[CaseState] = frozenset({S.MERGED, S.WITHDRAWN, S.REJECTED})

_BEFORE_WORK = {
    S.IN_PROGRESS: Cause.BY_HAND,
    S.WITHDRAWN: Cause.BY_HAND,
    S.REJECTED: Cause.BY_HAND,
    S.MERGED: Cause.LINK,
}

#: Every legal move and what causes it; what is not here is refused.
MOVES: Mapping[CaseState, Mapping[CaseState, Cause]] = MappingProxyType(
    {
        S.RECEIVED: {S.ACKNOWLEDGED: Cause.MILESTONE, S.ASSESSED: Cause.MILESTONE, **_BEFORE_WORK},
        S.ACKNOWLEDGED: {S.ASSESSED: Cause.MILESTONE, **_BEFORE_WORK},
        S.ASSESSED: {**_BEFORE_WORK},
        S.IN_PROGRESS: {
            S.WAITING_CUSTOMER: Cause.BY_HAND,
            S.WAITING_THIRD_PARTY: Cause.BY_HAND,
            S.RESOLVED: Cause.RESULT,
            S.WITHDRAWN: Cause.BY_HAND,
            S.REJECTED: Cause.BY_HAND,
            S.MERGED: Cause.LINK,
        },
        S.WAITING_CUSTOMER: {
            S.IN_PROGRESS: Cause.BY_HAND,  # or the customer's message
            S.WITHDRAWN: Cause.BY_HAND,
            S.MERGED: Cause.LINK,
        },
        S.WAITING_THIRD_PARTY: {
            S.IN_PROGRESS: Cause.BY_HAND,
            S.WITHDRAWN: Cause.BY_HAND,
            S.MERGED: Cause.LINK,
        },
        S.RESOLVED: {
            S.CONFIRMED: Cause.FEEDBACK,
            S.CLOSED: Cause.FEEDBACK,
            S.REOPENED: Cause.FEEDBACK,
            S.MERGED: Cause.LINK,
        },
        S.CONFIRMED: {S.CLOSED: Cause.FEEDBACK, S.REOPENED: Cause.FEEDBACK, S.MERGED: Cause.LINK},
        S.CLOSED: {S.REOPENED: Cause.FEEDBACK},
        S.REOPENED: {S.IN_PROGRESS: Cause.BY_HAND, S.WITHDRAWN: Cause.BY_HAND, S.MERGED: Cause.LINK},
        S.MERGED: {},
        S.WITHDRAWN: {},
        S.REJECTED: {},
    }
)

#: Orders of a person that must say why.
REASON_REQUIRED: frozenset[CaseState] = frozenset({S.WITHDRAWN, S.REJECTED, S.WAITING_THIRD_PARTY})


def legal(state: CaseState, cause: Cause | None = None) -> tuple[CaseState, ...]:
    """Where a case in `state` may go, by `cause` or at all."""
    return tuple(to for to, by in MOVES[state].items() if cause is None or by is cause)


class FactKind(StrEnum):
    ACKNOWLEDGED = "acknowledged"
    ASSESSED = "assessed"
    ORDERED = "ordered"
    CUSTOMER_WROTE = "customer_wrote"
    SATISFIED = "satisfied"
    CLOSING = "closing"
    DISSATISFIED = "dissatisfied"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that bears on the state. `cycle` is set for orders and for feedback; `to` and `serial` (1, 2, …) for
    orders, which were given one after the other."""

    kind: FactKind
    at: datetime
    id: UUID
    cycle: int = 0
    to: CaseState | None = None
    serial: int = 0
    reason: str = ""
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class Move:
    at: datetime
    cycle: int
    from_state: CaseState | None
    to_state: CaseState
    fact: Fact | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stands. `cycle` is 1 and grows with every reopening (D3); `since` is when it came into its state."""

    state: CaseState
    cycle: int
    since: datetime
    moves: tuple[Move, ...]

    @property
    def reopened(self) -> int:
        """How often the loop was gone round again."""
        return self.cycle - 1

    @property
    def cycle_since(self) -> datetime:
        """When this cycle began: with the receipt or the last reopening."""
        return next(move.at for move in self.moves if move.cycle == self.cycle)

    @property
    def not_before(self) -> datetime:
        """The earliest instant that the next order may carry: no earlier than what it follows."""
        bounds = [move.at for move in self.moves if move.fact is None or move.fact.kind not in _MILESTONES]
        return max(bounds)


_MILESTONES = frozenset({FactKind.ACKNOWLEDGED, FactKind.ASSESSED})
_TARGET = {
    FactKind.ACKNOWLEDGED: (S.ACKNOWLEDGED, frozenset({S.RECEIVED})),
    FactKind.ASSESSED: (S.ASSESSED, frozenset({S.RECEIVED, S.ACKNOWLEDGED})),
    FactKind.CUSTOMER_WROTE: (S.IN_PROGRESS, frozenset({S.WAITING_CUSTOMER})),
    FactKind.SATISFIED: (S.CONFIRMED, frozenset({S.RESOLVED})),
    FactKind.CLOSING: (S.CLOSED, frozenset({S.RESOLVED, S.CONFIRMED})),
    FactKind.DISSATISFIED: (S.REOPENED, frozenset({S.RESOLVED, S.CONFIRMED, S.CLOSED})),
    FactKind.MERGED: (S.MERGED, (OPEN | RESOLVED)),
}
_OF_A_CYCLE = frozenset({FactKind.SATISFIED, FactKind.CLOSING, FactKind.DISSATISFIED})
_WITHIN_FEEDBACK = {FactKind.SATISFIED: 0, FactKind.CLOSING: 1, FactKind.DISSATISFIED: 2}
_LAST = 1 << 30


def replay(received_at: datetime, facts: Iterable[Fact]) -> Standing:
    """The state that follows from the facts, whatever the order in which they are given, with doubles or without."""
    known = {fact.id: fact for fact in facts}.values()
    resolved = {fact.cycle: fact.at for fact in known if fact.to is S.RESOLVED}
    state, cycle = S.RECEIVED, 1
    moves = [Move(received_at, 1, None, S.RECEIVED, None)]
    for fact in sorted(known, key=lambda fact: _place(fact, resolved)):
        to = _effect(state, cycle, fact)
        if to is None or to is state:
            continue
        at = max(fact.at, resolved.get(fact.cycle, fact.at)) if fact.kind in _OF_A_CYCLE else fact.at
        if to is S.REOPENED:
            cycle += 1
        moves.append(Move(at, cycle, state, to, fact))
        state = to
    return Standing(state, cycle, moves[-1].at, tuple(moves))


def _effect(state: CaseState, cycle: int, fact: Fact) -> CaseState | None:
    if state in ENDED:
        return None
    if fact.kind is FactKind.ORDERED:
        return fact.to
    if fact.kind in _OF_A_CYCLE and fact.cycle != cycle:
        return None
    to, allowed = _TARGET[fact.kind]
    return to if state in allowed else None


def _place(fact: Fact, resolved: Mapping[int, datetime]) -> tuple[datetime, int, int, int, str]:
    """By instant. At one instant: milestones, then cycle by cycle orders before feedback, then what comes from the
    customer unasked. Feedback stands behind the result that it is about, however the clocks of two machines differ."""
    match fact.kind:
        case FactKind.ACKNOWLEDGED | FactKind.ASSESSED:
            return fact.at, 0, 0, 0, fact.kind
        case FactKind.ORDERED:
            return fact.at, 2 * fact.cycle, fact.serial, 0, str(fact.id)
        case FactKind.SATISFIED | FactKind.CLOSING | FactKind.DISSATISFIED:
            at = max(fact.at, resolved.get(fact.cycle, fact.at))
            return at, 2 * fact.cycle + 1, 0, _WITHIN_FEEDBACK[fact.kind], str(fact.id)
        case _:
            return fact.at, _LAST, 0, 0, str(fact.id)
