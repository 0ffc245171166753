"""What triage's doors share: who may, bounded texts, and the shapes of cases."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.envelope import Actor
from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Channel, Emotion, Kind, Urgency
from shared.web.auth import Principal, Role, allow
from triage_service.domain.cases import Assignment, Case, Classification
from triage_service.usecases.decide import Dossier
from triage_service.usecases.deps import Deps

STAFF = (Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY)
StaffDep = Annotated[Principal, Depends(allow(*STAFF))]
HandlerDep = Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD, Role.MANAGER))]
ManagerDep = Annotated[Principal, Depends(allow(Role.MANAGER))]
LeadDep = Annotated[Principal, Depends(allow(Role.LEAD, Role.MANAGER))]
AdminDep = Annotated[Principal, Depends(allow(Role.ADMIN))]


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


DepsDep = Annotated[Deps, Depends(_deps)]

NO_NUL = r"^[^\x00]*$"
Label = Annotated[str, Field(min_length=1, max_length=80, pattern=NO_NUL)]
LongText = Annotated[str, Field(max_length=10_000, pattern=NO_NUL)]
WhyText = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=NO_NUL, description="Why; kept with the revision")
]
CODE = r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,3}$"
Code = Annotated[str, Field(pattern=CODE, max_length=164)]
TEAM_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
TeamId = Annotated[str, Field(pattern=TEAM_ID, max_length=63)]
AGENT_ID = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$"
AgentId = Annotated[str, Field(pattern=AGENT_ID, max_length=100)]


def example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [value]})


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClassificationRevision(BaseModel):
    """One revision; `confidence` from 0 to 1, `reasons` are the rules that fired (B2)."""

    revision: int
    kind: Kind
    issue_type: str
    urgency: Urgency
    responsible: str
    emotion: Emotion
    confidence: float
    reasons: list[Reason]
    by: Literal["rules", "hand"]
    actor: Actor
    recorded_at: datetime
    override_reason: str | None

    @classmethod
    def of(cls, made: Classification) -> "ClassificationRevision":
        return cls(
            revision=made.revision,
            kind=made.kind,
            issue_type=made.issue_type,
            urgency=made.urgency,
            responsible=made.responsible,
            emotion=made.emotion,
            confidence=made.confidence,
            reasons=list(made.reasons),
            by=made.by,
            actor=made.actor,
            recorded_at=made.recorded_at,
            override_reason=made.override_reason,
        )


class ClassificationOut(ClassificationRevision):
    complaint_id: UUID
    number: str


class ClassificationHistory(ClassificationOut):
    """The present classification, and all its revisions, the newest first."""

    history: list[ClassificationRevision]


class AssignmentRevision(BaseModel):
    """One revision; without `agent_id` the team's queue holds the case."""

    revision: int
    team_id: str
    agent_id: str | None
    reasons: list[Reason]
    by: Literal["rules", "hand"]
    actor: Actor
    recorded_at: datetime
    override_reason: str | None

    @classmethod
    def of(cls, made: Assignment) -> "AssignmentRevision":
        return cls(
            revision=made.revision,
            team_id=made.team_id,
            agent_id=made.agent_id,
            reasons=list(made.reasons),
            by=made.by,
            actor=made.actor,
            recorded_at=made.recorded_at,
            override_reason=made.override_reason,
        )


class AssignmentOut(AssignmentRevision):
    complaint_id: UUID
    number: str


class AssignmentHistory(AssignmentOut):
    """The present assignment, and all its revisions, the newest first."""

    history: list[AssignmentRevision]


class QueueEntry(BaseModel):
    complaint_id: UUID
    number: str
    received_at: datetime
    channel: Channel
    customer: str = Field(description="The masked display")
    urgency: Urgency
    kind: Kind
    issue_type: str
    team_id: str
    agent_id: str | None
    assignment_revision: int


def classification_out(case: Case) -> ClassificationOut:
    made = ClassificationRevision.of(case.classification)
    return ClassificationOut(complaint_id=case.facts.complaint_id, number=case.facts.number, **dict(made))


def classification_history(found: Dossier) -> ClassificationHistory:
    return ClassificationHistory(
        **dict(classification_out(found.case)),
        history=[ClassificationRevision.of(made) for made in found.classifications],
    )


def assignment_out(case: Case, given: Assignment) -> AssignmentOut:
    made = AssignmentRevision.of(given)
    return AssignmentOut(complaint_id=case.facts.complaint_id, number=case.facts.number, **dict(made))


def assignment_history(found: Dossier) -> AssignmentHistory:
    given = [AssignmentRevision.of(made) for made in found.assignments]
    return AssignmentHistory(**dict(assignment_out(found.case, found.assignments[0])), history=given)
