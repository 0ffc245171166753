"""Follow-up visits 回访: when, by which means, with what outcome (D2, D3). Pure."""

from datetime import datetime
from uuid import UUID

from feedback_service.domain.errors import FollowUpTooEarly
from feedback_service.domain.periods import Periods
from shared.contracts.envelope import Actor, ComplaintFacts, StaffContact
from shared.contracts.feedback import (
    ComplainantDissatisfiedV1,
    FollowUpAssignedV1,
    FollowUpDoneV1,
    FollowUpPlannedV1,
)
from shared.contracts.resolution import CaseResolvedV1
from shared.contracts.vocabulary import Channel, VisitOutcome
from shared.ids import derived_id


def visit_id_of(complaint_id: UUID, cycle: int) -> UUID:
    return derived_id("follow-up", complaint_id, cycle)


def follow_up_planned(
    resolved: CaseResolvedV1, *, periods: Periods, actor: Actor, recorded_at: datetime
) -> FollowUpPlannedV1:
    """One to three days after the resolution (D2, F6), by phone unless the customer prefers to write."""
    visit_id = visit_id_of(resolved.complaint_id, resolved.cycle)
    return FollowUpPlannedV1(
        event_id=derived_id("follow-up-planned", visit_id),
        occurred_at=resolved.occurred_at,
        recorded_at=recorded_at,
        actor=actor,
        facts=resolved.facts,
        visit_id=visit_id,
        cycle=resolved.cycle,
        means=means_of_visit(resolved.facts.customer.preferred_channel or resolved.facts.channel),
        earliest_at=resolved.occurred_at + periods.follow_up_earliest,
        due_at=resolved.occurred_at + periods.follow_up_due,
    )


def means_of_visit(channel: Channel) -> str:
    if channel is Channel.EMAIL:
        return "email"
    if channel in {Channel.SMS, Channel.WECOM}:
        return "sms" if channel is Channel.SMS else "wecom"
    return "phone"


def follow_up_assigned(
    facts: ComplaintFacts, cycle: int, assignee: StaffContact, *, revision: int, actor: Actor, at: datetime
) -> FollowUpAssignedV1:
    visit_id = visit_id_of(facts.complaint_id, cycle)
    return FollowUpAssignedV1(
        event_id=derived_id("follow-up-assigned", visit_id, revision),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        facts=facts,
        visit_id=visit_id,
        cycle=cycle,
        assignee=assignee,
        revision=revision,
    )


def follow_up_done(
    facts: ComplaintFacts,
    cycle: int,
    *,
    earliest_at: datetime,
    outcome: VisitOutcome,
    note: str,
    actor: Actor,
    occurred_at: datetime,
    recorded_at: datetime,
) -> FollowUpDoneV1:
    if occurred_at < earliest_at:
        raise FollowUpTooEarly(
            f"The visit belongs one to three days after the resolution: from {earliest_at.isoformat()} on.",
            pointer="/occurred_at",
        )
    if occurred_at > recorded_at:
        raise FollowUpTooEarly("A visit that is done lies in the past.", pointer="/occurred_at")
    visit_id = visit_id_of(facts.complaint_id, cycle)
    return FollowUpDoneV1(
        event_id=derived_id("follow-up-done", visit_id),
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        actor=actor,
        facts=facts,
        visit_id=visit_id,
        cycle=cycle,
        outcome=outcome,
        note=note,
    )


def dissatisfied_by_visit(done: FollowUpDoneV1) -> ComplainantDissatisfiedV1:
    return ComplainantDissatisfiedV1(
        event_id=derived_id("dissatisfied", done.complaint_id, done.cycle),
        occurred_at=done.occurred_at,
        recorded_at=done.recorded_at,
        actor=done.actor,
        facts=done.facts,
        cycle=done.cycle,
        source="follow_up",
        source_id=done.visit_id,
        reason=done.note,
    )
