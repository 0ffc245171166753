"""From events to facts: what each event tells the clocks, if anything."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts, Event
from shared.contracts.feedback import FollowUpAssignedV1, FollowUpDoneV1, FollowUpPlannedV1
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.intake import ComplaintReceivedV1, MessageAddedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import (
    CaseMovedV1,
    CaseResolvedV1,
    ProgressToldV1,
    PromiseKeptV1,
    PromiseMadeV1,
    PromiseWithdrawnV1,
    RegulatorStageRecordedV1,
    RegulatorStageTakenBackV1,
    TransferAnsweredV1,
    TransferCancelledV1,
    TransferOpenedV1,
)
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1
from shared.contracts.vocabulary import CaseState, Purpose
from sla_service.clocks.facts import STAGES, About, Fact, FactKind, happened
from sla_service.clocks.instants import micros
from sla_service.clocks.waiting import FINAL

_WAITING = frozenset({CaseState.WAITING_CUSTOMER, CaseState.WAITING_THIRD_PARTY})
_TELLING_STATES = FINAL | _WAITING | {CaseState.REOPENED}


def history_of(event: Event) -> tuple[UUID, ComplaintFacts | None]:
    """Whose history the event belongs to: its complaint's, or an improvement action's."""
    if isinstance(event, ActionPlannedV1 | ActionDoneV1):
        return event.action_id, None
    facts: ComplaintFacts | None = getattr(event, "facts", None)
    if facts is None:
        raise ValueError(f"{event.TYPE} belongs to no history")
    return facts.complaint_id, facts


def fact_of(event: Event) -> Fact | None:
    """The fact in the event; None for what no clock asks about (a note to staff, a move between working states)."""
    match event:
        case ComplaintReceivedV1():
            return _fact(event, FactKind.RECEIVED, other_at=_micros(event.made_at), about=_about(event))
        case ComplaintClassifiedV1():
            tags = tuple(reason.rule for reason in event.reasons) if event.by == "rules" else ()
            about = About(kind=event.kind.value, issue_type=event.issue_type, tags=tags)
            return _fact(event, FactKind.CLASSIFIED, revision=event.revision, about=about)
        case ComplaintAssignedV1():
            return _fact(
                event,
                FactKind.ASSIGNED,
                revision=event.revision,
                team_id=event.team_id,
                team_name=event.team_name,
                person=event.agent,
            )
        case CaseMovedV1():
            if event.to_state not in _TELLING_STATES and event.from_state not in _WAITING:
                return None
            return _fact(
                event,
                FactKind.MOVED,
                revision=event.revision,
                cycle=event.cycle,
                from_state=event.from_state,
                to_state=event.to_state,
            )
        case MessageAddedV1():
            kind = FactKind.CUSTOMER_WROTE if event.inbound else FactKind.ANSWERED
            return _fact(event, kind, subject_id=event.message_id, about=_about(event))
        case MessageDeliveredV1():
            return _delivered(event)
        case ProgressToldV1():
            return _fact(event, FactKind.PROGRESS_TOLD, subject_id=event.progress_id, cycle=event.cycle)
        case CaseResolvedV1():
            return _fact(event, FactKind.RESOLVED, cycle=event.cycle)
        case TransferOpenedV1():
            return _fact(
                event,
                FactKind.PARTNER_ASKED if event.external else FactKind.TRANSFER_OPENED,
                subject_id=event.task_id,
                team_id=event.team_id,
                team_name=event.team_name,
                person=event.contact,
            )
        case TransferAnsweredV1():
            return _fact(event, FactKind.TRANSFER_ANSWERED, subject_id=event.task_id)
        case TransferCancelledV1():
            return _fact(event, FactKind.TRANSFER_CANCELLED, subject_id=event.task_id)
        case PromiseMadeV1():
            return _fact(event, FactKind.PROMISE_MADE, subject_id=event.promise_id, other_at=micros(event.due_at))
        case PromiseKeptV1():
            return _fact(event, FactKind.PROMISE_KEPT, subject_id=event.promise_id)
        case PromiseWithdrawnV1():
            return _fact(event, FactKind.PROMISE_WITHDRAWN, subject_id=event.promise_id)
        case FollowUpPlannedV1():
            return _fact(
                event,
                FactKind.FOLLOW_UP_PLANNED,
                subject_id=event.visit_id,
                cycle=event.cycle,
                other_at=micros(event.due_at),
            )
        case FollowUpAssignedV1():
            return _fact(
                event,
                FactKind.FOLLOW_UP_ASSIGNED,
                subject_id=event.visit_id,
                cycle=event.cycle,
                revision=event.revision,
                person=event.assignee,
            )
        case FollowUpDoneV1():
            return _fact(event, FactKind.FOLLOW_UP_DONE, subject_id=event.visit_id, cycle=event.cycle)
        case RegulatorStageRecordedV1():
            return _fact(event, STAGES[event.stage], subject_id=event.stage_id, team_id=event.authority)
        case RegulatorStageTakenBackV1():
            return _fact(event, FactKind.REGULATOR_TAKEN_BACK, subject_id=event.stage_id, team_id=event.authority)
        case ActionPlannedV1():
            return _fact(
                event,
                FactKind.ACTION_PLANNED,
                subject_id=event.action_id,
                revision=event.revision,
                other_at=micros(event.due_at),
                person=event.owner,
            )
        case ActionDoneV1():
            return _fact(event, FactKind.ACTION_DONE, subject_id=event.action_id)
        case _:
            return None


def _delivered(event: MessageDeliveredV1) -> Fact | None:
    if event.audience != "complainant":
        return None
    if event.purpose is Purpose.ACKNOWLEDGEMENT:
        return _fact(event, FactKind.ACKNOWLEDGED, subject_id=event.message_id)
    if event.purpose is Purpose.SURVEY:
        return _fact(event, FactKind.SURVEY_SENT, subject_id=event.reference_id, cycle=event.cycle)
    return None


def _about(event: ComplaintReceivedV1 | MessageAddedV1) -> About:
    """Of the complaint itself the service that keeps it tells; the others hand on what they heard of it."""
    facts = event.facts
    return About(facts.customer.level, facts.product, facts.region, facts.organisation)


def _fact(event: Event, kind: FactKind, **more: Any) -> Fact:
    facts: ComplaintFacts | None = getattr(event, "facts", None)
    told, recorded = micros(event.occurred_at), micros(event.recorded_at)
    at = happened(told, recorded)
    return Fact(
        event.event_id,
        kind,
        at,
        recorded,
        facts.urgency if facts else None,
        facts.urgency_revision if facts else 0,
        told=None if told == at else told,
        **more,
    )


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)


def better_facts(first: ComplaintFacts, second: ComplaintFacts) -> ComplaintFacts:
    """What to keep of two tellings of one complaint: the later urgency; between equals always the same one, whichever
    came first."""
    if first.urgency_revision != second.urgency_revision:
        return max(first, second, key=lambda one: one.urgency_revision)
    if first == second:
        return first
    return max(first, second, key=lambda one: one.model_dump_json())


def without_name(facts: ComplaintFacts) -> ComplaintFacts:
    """The telling of a complaint whose person was erased (A6)."""
    return facts.model_copy(update={"customer": facts.customer.model_copy(update={"display": ""})})
