"""What is told to whom, for each event that asks for telling (A4, C2, C5, C6, D1, F10).

A draft is a function of its event alone; its id follows from the event and the audience, so the event heard twice
makes one message.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from notify_service.domain.messages import Audience
from shared.contracts.envelope import Bilingual, ComplaintEvent, ComplaintFacts, Event, StaffContact
from shared.contracts.feedback import FollowUpAssignedV1, SurveyOfferedV1
from shared.contracts.insight import ActionPlannedV1
from shared.contracts.intake import ClearedOfSpamV1, ComplaintReceivedV1, MessageAddedV1
from shared.contracts.resolution import CaseResolvedV1, ProgressToldV1, TransferOpenedV1
from shared.contracts.sla import ClockWarnedV1, EscalationRaisedV1
from shared.contracts.triage import ComplaintAssignedV1
from shared.contracts.vocabulary import URGENCY_OF_PRIORITY, Channel, Purpose, Urgency
from shared.ids import derived_id

URGENCY_LABELS: Mapping[Urgency, dict[str, str]] = {
    Urgency.HIGH: {"zh": "高", "en": "high"},
    Urgency.MEDIUM: {"zh": "中", "en": "medium"},
    Urgency.LOW: {"zh": "低", "en": "low"},
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is kept. `params` is JSON: strings, numbers, instants in ISO 8601 under names that end in
    `_at`, and ``{"zh": …, "en": …}`` for what has a word in each language."""

    message_id: UUID
    purpose: Purpose
    audience: Audience
    occurred_at: datetime
    facts: ComplaintFacts | None
    staff: StaffContact | None = None
    team_id: str | None = None
    #: Who of the team is meant where the event names nobody.
    team_role: str = "contact"
    reference_id: UUID | None = None
    cycle: int | None = None
    #: The channel that the sender chose (replies).
    channel: Channel | None = None
    params: dict[str, Any] = field(default_factory=dict)


def drafts_of(event: Event) -> list[Draft]:
    """The messages that follow from `event`: none or one.

    Raises `KeyError` for a contract that asks for no telling.
    """
    draft = _RULES[type(event)](event)
    return [] if draft is None else [draft]


def _instant(at: datetime) -> str:
    return at.isoformat()


def _words(text: Bilingual) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


#: What a message to a colleague says of a complaint where there is none (the clock of an improvement action).
_NO_COMPLAINT: Mapping[str, Any] = {
    "number": "",
    "customer": "",
    "urgency": "",
    "urgency_label": {"zh": "", "en": ""},
}


def _complaint(facts: ComplaintFacts) -> dict[str, Any]:
    return {
        "number": facts.number,
        "received_at": _instant(facts.received_at),
        "urgency": facts.urgency.value,
        "urgency_label": URGENCY_LABELS[facts.urgency],
    }


def _to_complainant(event: ComplaintEvent, purpose: Purpose, **more: Any) -> Draft:
    params = _complaint(event.facts) | more.pop("params", {})
    return Draft(
        message_id=derived_id("message", event.event_id, "complainant"),
        purpose=purpose,
        audience="complainant",
        occurred_at=event.occurred_at,
        facts=event.facts,
        params=params,
        **more,
    )


def _to_staff(event: Event, purpose: Purpose, facts: ComplaintFacts | None, **more: Any) -> Draft:
    about = _complaint(facts) | {"customer": facts.customer.display} if facts else _NO_COMPLAINT
    params = {**about, **more.pop("params", {})}
    return Draft(
        message_id=derived_id("message", event.event_id, "staff"),
        purpose=purpose,
        audience="staff",
        occurred_at=event.occurred_at,
        facts=facts,
        params=params,
        **more,
    )


def _acknowledgement(event: ComplaintReceivedV1 | ClearedOfSpamV1) -> Draft | None:
    """A4: at once, by the means that fits the *first* priority; of suspected spam once a lead says that it is none."""
    if isinstance(event, ComplaintReceivedV1) and event.suspected_spam:
        return None
    urgency = URGENCY_OF_PRIORITY[event.priority]
    return _to_complainant(
        event,
        Purpose.ACKNOWLEDGEMENT,
        params={"symptom": event.symptom, "urgency": urgency.value, "urgency_label": URGENCY_LABELS[urgency]},
    )


def _progress(event: ProgressToldV1) -> Draft:
    return _to_complainant(
        event,
        Purpose.PROGRESS,
        reference_id=event.progress_id,
        cycle=event.cycle,
        params={"progress": event.text, "told_at": _instant(event.occurred_at)},
    )


def _result(event: CaseResolvedV1) -> Draft:
    """C6: the four parts of the written result."""
    return _to_complainant(
        event,
        Purpose.RESULT,
        cycle=event.cycle,
        params={
            "cause": event.result.cause,
            "measures": event.result.measures,
            "improvement": event.result.improvement,
            "compensation": event.result.compensation,
            "resolved_at": _instant(event.occurred_at),
        },
    )


def _survey(event: SurveyOfferedV1) -> Draft:
    return _to_complainant(
        event,
        Purpose.SURVEY,
        reference_id=event.survey_id,
        cycle=event.cycle,
        params={"url": event.url, "expires_at": _instant(event.expires_at)},
    )


def _reply(event: MessageAddedV1) -> Draft | None:
    if event.inbound:
        return None
    return _to_complainant(
        event, Purpose.REPLY, reference_id=event.message_id, channel=event.channel, params={"reply": event.text}
    )


def _transfer_request(event: TransferOpenedV1) -> Draft:
    return _to_staff(
        event,
        Purpose.TRANSFER_REQUEST,
        event.facts,
        staff=event.contact,
        team_id=event.team_id,
        reference_id=event.task_id,
        params={"team": _words(event.team_name), "ask": event.ask, "opened_at": _instant(event.occurred_at)},
    )


def _assignment(event: ComplaintAssignedV1) -> Draft | None:
    if event.agent is None:
        return None
    reason = {
        "zh": ";".join(reason.text.zh for reason in event.reasons),
        "en": "; ".join(reason.text.en for reason in event.reasons),
    }
    return _to_staff(
        event,
        Purpose.ASSIGNMENT,
        event.facts,
        staff=event.agent,
        team_id=event.team_id,
        params={"team": _words(event.team_name), "reason": reason},
    )


def _clock_warning(event: ClockWarnedV1) -> Draft:
    """F10: before a breach, to whoever holds the work; where nobody does yet, to the owning team."""
    return _to_staff(
        event,
        Purpose.CLOCK_WARNING,
        event.facts,
        staff=event.recipient,
        team_id=event.clock.owner_team,
        reference_id=event.clock.clock_id,
        cycle=event.clock.cycle,
        params={"clock": _words(event.clock.title), "due_at": _instant(event.clock.due_at)},
    )


def _escalation(event: EscalationRaisedV1) -> Draft:
    return _to_staff(
        event,
        Purpose.ESCALATION,
        event.facts,
        staff=event.recipient,
        team_id=event.team_id or event.clock.owner_team,
        team_role=event.role,
        reference_id=event.escalation_id,
        cycle=event.clock.cycle,
        params={
            "clock": _words(event.clock.title),
            "due_at": _instant(event.clock.due_at),
            "step": event.step,
            "reason": _words(event.reason),
        },
    )


def _follow_up_task(event: FollowUpAssignedV1) -> Draft:
    return _to_staff(
        event,
        Purpose.FOLLOW_UP_TASK,
        event.facts,
        staff=event.assignee,
        reference_id=event.visit_id,
        cycle=event.cycle,
    )


def _action_task(event: ActionPlannedV1) -> Draft:
    return _to_staff(
        event,
        Purpose.ACTION_TASK,
        None,
        staff=event.owner,
        reference_id=event.action_id,
        params={
            "title": event.title,
            "kind": event.kind,
            "aim": event.aim,
            "due_at": _instant(event.due_at),
            "revision": event.revision,
        },
    )


_RULES: dict[type[Event], Callable[[Any], Draft | None]] = {
    ComplaintReceivedV1: _acknowledgement,
    ClearedOfSpamV1: _acknowledgement,
    ProgressToldV1: _progress,
    CaseResolvedV1: _result,
    SurveyOfferedV1: _survey,
    MessageAddedV1: _reply,
    TransferOpenedV1: _transfer_request,
    ComplaintAssignedV1: _assignment,
    ClockWarnedV1: _clock_warning,
    EscalationRaisedV1: _escalation,
    FollowUpAssignedV1: _follow_up_task,
    ActionPlannedV1: _action_task,
}
