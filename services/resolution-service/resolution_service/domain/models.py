"""What the service keeps of a case and of the work on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from resolution_service.domain.states import Standing
from shared.contracts.envelope import Actor, Bilingual, ComplaintFacts, Money, StaffContact
from shared.contracts.vocabulary import CaseState, Emotion, Kind, MeasureKind, MeasureStatus


@dataclass(frozen=True, slots=True)
class Case:
    """One complaint as it stands here. `version` grows with every change of its state and every command."""

    facts: ComplaintFacts
    state: CaseState
    cycle: int
    since: datetime
    revision: int
    version: int
    plain: bool
    erased: bool
    acknowledged_at: datetime | None
    assessed_at: datetime | None
    kind: Kind | None
    issue_type: str | None
    responsible: str | None
    emotion: Emotion | None
    team_id: str | None
    team_name: Bilingual | None
    agent: StaffContact | None
    next_due_at: datetime | None
    next_warn_at: datetime | None

    @property
    def id(self) -> UUID:
        return self.facts.complaint_id


def moves(case: Case, to: Standing) -> bool:
    """Whether `to` is another state than the one that was told; the same state of an earlier instant is no move."""
    return (case.state, case.cycle) != (to.state, to.cycle)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer task 转单 (C2). An outside partner that the roster does not know has the team id `outside`."""

    task_id: UUID
    complaint_id: UUID
    team_id: str
    team_name: Bilingual
    contact: StaffContact | None
    ask: str
    status: Literal["open", "answered", "cancelled"]
    opened_at: datetime
    opened_by: Actor
    answer: str | None = None
    ended_at: datetime | None = None
    ended_by: Actor | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to the customer (C5), due at `due_at`."""

    promise_id: UUID
    complaint_id: UUID
    text: str
    due_at: datetime
    status: Literal["open", "kept", "withdrawn"]
    made_at: datetime
    made_by: Actor
    ended_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the solution (C1); `amount` in minor units of its currency."""

    measure_id: UUID
    complaint_id: UUID
    revision: int
    cycle: int
    kind: MeasureKind
    status: MeasureStatus
    text: str
    amount: Money | None
    proposed_at: datetime
    proposed_by: Actor
    decided_at: datetime | None = None
    decided_by: Actor | None = None
    decision_reason: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Team:
    team_id: str
    name: Bilingual
    kind: str
    contact: StaffContact | None


Json = dict[str, Any]
