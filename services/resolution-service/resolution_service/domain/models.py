"""What the service keeps of a case and of the work on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from resolution_service.domain.states import Standing
from shared.contracts.envelope import Actor, Bilingual, ComplaintFacts, Money, StaffContact
from shared.contracts.resolution import InvestigationRecordedV1, ProgressToldV1, RegulatorStageRecordedV1
from shared.contracts.vocabulary import CaseState, Emotion, Kind, MeasureKind, MeasureStatus, RegulatorStage


@dataclass(frozen=True, slots=True)
class Standpoint:
    """What a case's next state depends on. `version` grows with every change of its state and every command; `plain`
    says that nothing but milestones has borne on the state."""

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

    @property
    def id(self) -> UUID:
        return self.facts.complaint_id


@dataclass(frozen=True, slots=True)
class Case(Standpoint):
    """One complaint as it stands here."""

    kind: Kind | None
    issue_type: str | None
    responsible: str | None
    emotion: Emotion | None
    team_id: str | None
    team_name: Bilingual | None
    agent: StaffContact | None
    next_due_at: datetime | None
    next_warn_at: datetime | None


def moves(case: Standpoint, to: Standing) -> bool:
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
class Finding:
    """What was checked and found (B6)."""

    finding_id: UUID
    complaint_id: UUID
    cycle: int
    method: str
    nature: Literal["fact", "opinion"]
    text: str
    found_at: datetime
    found_by: Actor

    @classmethod
    def of(cls, event: InvestigationRecordedV1) -> "Finding":
        return cls(
            event.finding_id,
            event.complaint_id,
            event.cycle,
            event.method,
            event.nature,
            event.text,
            event.occurred_at,
            event.actor,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """What the customer was told (C5), the promise that was made with it and the one that was kept by it."""

    progress_id: UUID
    complaint_id: UUID
    cycle: int
    text: str
    told_at: datetime
    told_by: Actor
    promise: Promise | None = None
    kept: UUID | None = None

    @classmethod
    def of(cls, event: ProgressToldV1, *, promise: Promise | None, kept: UUID | None) -> "Progress":
        return cls(
            event.progress_id,
            event.complaint_id,
            event.cycle,
            event.text,
            event.occurred_at,
            event.actor,
            promise,
            kept,
        )


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage of a regulator's proceeding, as it was written down."""

    stage_id: UUID
    complaint_id: UUID
    authority: str
    stage: RegulatorStage
    reference: str
    note: str
    occurred_at: datetime
    recorded_by: Actor

    @classmethod
    def of(cls, event: RegulatorStageRecordedV1) -> "StageRecord":
        return cls(
            event.stage_id,
            event.complaint_id,
            event.authority,
            event.stage,
            event.reference,
            event.note,
            event.occurred_at,
            event.actor,
        )


@dataclass(frozen=True, slots=True)
class Team:
    team_id: str
    name: Bilingual
    kind: str
    contact: StaffContact | None


Json = dict[str, Any]
