"""What the dossier and the work list show."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from resolution_service.domain import labels, states
from resolution_service.domain.models import Case, Finding, Measure, Promise, Transfer
from shared.contracts.envelope import Actor, Bilingual, CustomerRef, StaffContact
from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import CaseState, Channel, Emotion, Kind, Urgency


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaseSummary(View):
    """A line of the work list. `next_due_at` is the earliest due instant of the running clocks."""

    id: UUID
    number: str
    state: CaseState
    state_label: Bilingual
    since: AwareDatetime
    cycle: int
    reopened: int = Field(description="How often the loop was gone round again (D3)")
    urgency: Urgency
    channel: Channel
    received_at: AwareDatetime
    customer: CustomerRef
    organisation: str | None
    product: str | None
    region: str | None
    kind: Kind | None
    issue_type: str | None
    responsible: str | None
    emotion: Emotion | None
    team_id: str | None
    team_name: Bilingual | None
    agent: StaffContact | None
    next_due_at: AwareDatetime | None
    overdue: bool
    near_breach: bool
    version: int

    @classmethod
    def fields_of(cls, case: Case, now: datetime) -> dict[str, Any]:
        facts = case.facts
        overdue = case.next_due_at is not None and case.next_due_at < now
        return {
            "id": case.id,
            "number": facts.number,
            "state": case.state,
            "state_label": labels.STATES[case.state],
            "since": case.since,
            "cycle": case.cycle,
            "reopened": case.cycle - 1,
            "urgency": facts.urgency,
            "channel": facts.channel,
            "received_at": facts.received_at,
            "customer": facts.customer,
            "organisation": facts.organisation,
            "product": facts.product,
            "region": facts.region,
            "kind": case.kind,
            "issue_type": case.issue_type,
            "responsible": case.responsible,
            "emotion": case.emotion,
            "team_id": case.team_id,
            "team_name": case.team_name,
            "agent": case.agent,
            "next_due_at": case.next_due_at,
            "overdue": overdue,
            "near_breach": not overdue and case.next_warn_at is not None and case.next_warn_at <= now,
            "version": case.version,
        }

    @classmethod
    def of(cls, case: Case, now: datetime) -> "CaseSummary":
        return cls(**cls.fields_of(case, now))


class LegalMove(View):
    """Where the case may go from here, and what takes it there."""

    to: CaseState
    label: Bilingual
    cause: states.Cause


class TimelineItem(View):
    """`text` is what a person wrote, where somebody did; `details` are the facts of the event."""

    id: UUID
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    kind: str
    label: Bilingual
    actor: Actor
    text: str
    details: dict[str, Any]


class ClockOfCase(ClockView):
    """`remaining_seconds` until the due instant while the clock runs, negative when it has passed."""

    remaining_seconds: int | None


class Message(View):
    """A message from or to the complainant, from the thread or sent by us."""

    message_id: UUID
    at: AwareDatetime
    inbound: bool
    means: str
    purpose: str | None
    status: Literal["on_thread", "delivered", "failed"]
    subject: str
    text: str
    actor: Actor


class Classification(View):
    revision: int
    at: AwareDatetime
    kind: Kind
    issue_type: str
    responsible: str
    emotion: Emotion
    confidence: float
    by: str
    reasons: list[dict[str, Any]]
    override_reason: str | None
    actor: Actor


class Assignment(View):
    revision: int
    at: AwareDatetime
    team_id: str
    team_name: Bilingual
    agent: StaffContact | None
    by: str
    reasons: list[dict[str, Any]]
    actor: Actor


class Result(View):
    """C6, one for each cycle that was resolved."""

    cycle: int
    resolved_at: AwareDatetime
    by: Actor
    cause: str
    measures: str
    improvement: str
    compensation: str
    measure_kinds: list[str]


class Survey(View):
    survey_id: UUID
    cycle: int
    offered_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
    satisfaction: int | None = None
    satisfied: bool | None = None
    answers: dict[str, int] = Field(default_factory=dict)
    reasons: list[str] = Field(default_factory=list)
    comment: str = ""


class Visit(View):
    visit_id: UUID
    cycle: int
    means: str | None = None
    earliest_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    assignee: StaffContact | None = None
    done_at: AwareDatetime | None = None
    outcome: str | None = None
    note: str = ""


class Escalation(View):
    escalation_id: UUID
    at: AwareDatetime
    step: int
    role: str
    recipient: StaffContact | None
    team_id: str | None
    metric: str
    reason: Bilingual


class Link(View):
    """`inbound`: the other complaint was linked to this one."""

    complaint_id: UUID
    number: str
    relation: str
    inbound: bool
    at: AwareDatetime
    reason: str


class LinkedAction(View):
    """An improvement action that came of this complaint (E3)."""

    action_id: UUID
    title: str
    kind: str
    aim: str
    owner: StaffContact
    review_id: UUID | None
    planned_at: AwareDatetime
    due_at: AwareDatetime
    done_at: AwareDatetime | None


class Closing(View):
    cycle: int
    at: AwareDatetime
    summary: str
    other_wishes: str
    satisfied: bool
    closed_with_reason: str | None
    by: Actor


class EarlierComplaint(View):
    """A9: what the same person complained of before, and what came of it."""

    id: UUID
    number: str
    received_at: AwareDatetime
    state: CaseState
    kind: Kind | None
    issue_type: str | None
    result: dict[str, Any] | None = Field(description="The last written result: cause, measures, …")


class Record(View):
    """What was recorded at receipt (A2)."""

    priority: str
    source: dict[str, Any]
    symptom: str
    scene: str
    impact: str
    demands: list[dict[str, Any]]
    happened_at: AwareDatetime | None
    made_at: AwareDatetime | None
    earlier_complaints: int
    recorded_by: Actor


class Dossier(CaseSummary):
    """The whole case, for whoever takes it over (A3). Parts that were not asked for are null."""

    acknowledged_at: AwareDatetime | None
    assessed_at: AwareDatetime | None
    legal_moves: list[LegalMove]
    record: Record | None = None
    classification: list[Classification] | None = None
    assignment: list[Assignment] | None = None
    timeline: list[TimelineItem] | None = None
    messages: list[Message] | None = None
    findings: list[Finding] | None = None
    tasks: list[Transfer] | None = None
    promises: list[Promise] | None = None
    measures: list[Measure] | None = None
    result: list[Result] | None = None
    clocks: list[ClockOfCase] | None = None
    escalations: list[Escalation] | None = None
    survey: list[Survey] | None = None
    visits: list[Visit] | None = None
    closing: list[Closing] | None = None
    links: list[Link] | None = None
    actions: list[LinkedAction] | None = None
    earlier: list[EarlierComplaint] | None = None


Part = Literal[
    "record",
    "classification",
    "assignment",
    "timeline",
    "messages",
    "findings",
    "tasks",
    "promises",
    "measures",
    "result",
    "clocks",
    "escalations",
    "survey",
    "visits",
    "closing",
    "links",
    "actions",
    "earlier",
]
