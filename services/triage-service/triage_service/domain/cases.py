"""The complaint as triage knows it, its classification and its assignment, and the events that tell of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from shared.contracts.envelope import Actor, ActorKind, Bilingual, ComplaintFacts, CustomerRef
from shared.contracts.intake import ComplaintReceivedV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, Reason
from shared.contracts.vocabulary import CaseState, Emotion, Kind, Urgency
from shared.ids import derived_id
from triage_service.classifier import Narrative, Verdict
from triage_service.domain.assignment import Balance

SYSTEM = Actor(kind=ActorKind.SYSTEM, id="triage-service")
#: States in which a case is nobody's work any more (C7).
ENDED = frozenset({CaseState.CLOSED, CaseState.MERGED, CaseState.WITHDRAWN, CaseState.REJECTED})
#: What stands where the customer's masked display stood.
ERASED = "***"

BY_HAND = Bilingual(zh="人工判定", en="Decided by hand")
CONFIRMED = Bilingual(zh="人工确认", en="Confirmed by hand")


@dataclass(frozen=True, slots=True)
class Classification:
    """One revision. `confidence` is 0 to 1; what a person decided is certain."""

    revision: int
    kind: Kind
    issue_type: str
    urgency: Urgency
    responsible: str
    emotion: Emotion
    confidence: float
    reasons: tuple[Reason, ...]
    by: Literal["rules", "hand"]
    actor: Actor
    recorded_at: datetime
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One revision. Without `agent_id` the team's queue holds the case."""

    revision: int
    team_id: str
    agent_id: str | None
    reasons: tuple[Reason, ...]
    by: Literal["rules", "hand"]
    actor: Actor
    recorded_at: datetime
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint that was classified. `facts.urgency_revision` is the classification's revision."""

    facts: ComplaintFacts
    classification: Classification
    assignment: Assignment | None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person decides instead of the rules; what is None stays."""

    kind: Kind | None = None
    issue_type: str | None = None
    urgency: Urgency | None = None
    responsible: str | None = None
    emotion: Emotion | None = None


def ends_or_revives(from_state: CaseState | None, to_state: CaseState) -> bool:
    """Whether a move changes if the case is anybody's work."""
    return to_state in ENDED or from_state in ENDED or to_state is CaseState.REOPENED


def narrative_of(event: ComplaintReceivedV1) -> Narrative:
    return Narrative(
        symptom=event.symptom,
        scene=event.scene,
        impact=event.impact,
        demands=tuple(demand.text for demand in event.demands),
        priority=event.priority,
    )


def classification_of(verdict: Verdict, now: datetime) -> Classification:
    return Classification(
        revision=1,
        kind=verdict.kind,
        issue_type=verdict.issue_type,
        urgency=verdict.urgency,
        responsible=verdict.responsible,
        emotion=verdict.emotion,
        confidence=verdict.confidence,
        reasons=verdict.reasons,
        by="rules",
        actor=SYSTEM,
        recorded_at=now,
    )


def corrected(
    current: Classification, correction: Correction, reason: str, actor: Actor, now: datetime
) -> Classification:
    """The next revision, by hand (B2). Without any change it confirms what stands."""
    kind = correction.kind or current.kind
    issue_type = correction.issue_type or current.issue_type
    urgency = correction.urgency or current.urgency
    responsible = correction.responsible or current.responsible
    emotion = correction.emotion or current.emotion
    unchanged = (kind, issue_type, urgency, responsible, emotion) == (
        current.kind,
        current.issue_type,
        current.urgency,
        current.responsible,
        current.emotion,
    )
    return Classification(
        revision=current.revision + 1,
        kind=kind,
        issue_type=issue_type,
        urgency=urgency,
        responsible=responsible,
        emotion=emotion,
        confidence=1.0,
        reasons=(Reason(rule="by-hand", weight=1.0, text=CONFIRMED if unchanged else BY_HAND),),
        by="hand",
        actor=actor,
        recorded_at=now,
        override_reason=reason,
    )


def facts_with(facts: ComplaintFacts, classification: Classification) -> ComplaintFacts:
    return facts.model_copy(update={"urgency": classification.urgency, "urgency_revision": classification.revision})


def without_person(facts: ComplaintFacts) -> ComplaintFacts:
    """The facts after the person's erasure (A6): the id stays, which leads nowhere any more."""
    customer = CustomerRef(
        person_id=facts.customer.person_id, display=ERASED, language=facts.customer.language, level=facts.customer.level
    )
    return facts.model_copy(update={"customer": customer, "organisation": None})


def reclassified(case: Case, classification: Classification) -> Case:
    return replace(case, facts=facts_with(case.facts, classification), classification=classification)


def classified_event(facts: ComplaintFacts, made: Classification) -> ComplaintClassifiedV1:
    """`facts` are those of `facts_with`."""
    return ComplaintClassifiedV1(
        event_id=derived_id("classified", facts.complaint_id, made.revision),
        occurred_at=made.recorded_at,
        recorded_at=made.recorded_at,
        actor=made.actor,
        facts=facts,
        revision=made.revision,
        kind=made.kind,
        issue_type=made.issue_type,
        responsible=made.responsible,
        emotion=made.emotion,
        confidence=made.confidence,
        reasons=made.reasons,
        by=made.by,
        override_reason=made.override_reason,
    )


def assigned_by_rules(
    balance: Balance,
    facts: ComplaintFacts,
    made: Classification,
    earlier_agent: str | None,
    revision: int,
    now: datetime,
) -> Assignment | None:
    """Who gets it by B5, counted in `balance`; None only where there is no team at all."""
    found = balance.team_for(made.kind, made.urgency)
    if found is None:
        return None
    team, why_team = found
    agent, why_agent = balance.choose(team, made.issue_type, facts.customer.language, earlier_agent)
    return Assignment(
        revision=revision,
        team_id=team.team_id,
        agent_id=agent.agent_id if agent else None,
        reasons=(why_team, *why_agent),
        by="rules",
        actor=SYSTEM,
        recorded_at=now,
    )


def assigned_event(facts: ComplaintFacts, made: Assignment, balance: Balance) -> ComplaintAssignedV1:
    team = balance.teams[made.team_id]
    return ComplaintAssignedV1(
        event_id=derived_id("assigned", facts.complaint_id, made.revision),
        occurred_at=made.recorded_at,
        recorded_at=made.recorded_at,
        actor=made.actor,
        facts=facts,
        revision=made.revision,
        team_id=team.team_id,
        team_name=team.name,
        agent=balance.agents[made.agent_id].contact if made.agent_id is not None else None,
        reasons=made.reasons,
        by=made.by,
        override_reason=made.override_reason,
    )
