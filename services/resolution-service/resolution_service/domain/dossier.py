"""The parts of the dossier, told from the entries of the file."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from resolution_service.domain import labels
from resolution_service.domain.entries import Kept
from resolution_service.domain.models import Finding
from resolution_service.domain.views import (
    Assignment,
    Classification,
    ClockOfCase,
    Closing,
    Escalation,
    Link,
    Message,
    Record,
    Result,
    Survey,
    Visit,
)
from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import ClockStatus

T = TypeVar("T")


def _told(entries: Sequence[Kept], *kinds: str) -> Iterable[tuple[Kept, Any]]:
    """The entries of these kinds and their content, in order. Personal parts that were erased read as empty."""
    for entry in sorted(entries, key=lambda entry: (entry.occurred_at, entry.recorded_at, str(entry.event_id))):
        if labels.kind_of(entry.type) in kinds:
            yield entry, entry.content


def record(entries: Sequence[Kept]) -> Record | None:
    for entry, told in _told(entries, "complaint.received"):
        return Record(
            priority=told["priority"],
            source=told["source"],
            symptom=told.get("symptom", ""),
            scene=told.get("scene", ""),
            impact=told.get("impact", ""),
            demands=told.get("demands", []),
            happened_at=told["happened_at"],
            made_at=told["made_at"],
            earlier_complaints=told["earlier_complaints"],
            recorded_by=entry.actor,
        )
    return None


def classification(entries: Sequence[Kept]) -> list[Classification]:
    """Newest first."""
    made = [
        Classification(
            revision=told["revision"],
            at=entry.occurred_at,
            kind=told["kind"],
            issue_type=told["issue_type"],
            responsible=told["responsible"],
            emotion=told["emotion"],
            confidence=told["confidence"],
            by=told["by"],
            reasons=told["reasons"],
            override_reason=told.get("override_reason"),
            actor=entry.actor,
        )
        for entry, told in _told(entries, "complaint.classified")
    ]
    return sorted(made, key=lambda one: one.revision, reverse=True)


def assignment(entries: Sequence[Kept]) -> list[Assignment]:
    """Newest first."""
    made = [
        Assignment(
            revision=told["revision"],
            at=entry.occurred_at,
            team_id=told["team_id"],
            team_name=told["team_name"],
            agent=told["agent"],
            by=told["by"],
            reasons=told["reasons"],
            actor=entry.actor,
        )
        for entry, told in _told(entries, "complaint.assigned")
    ]
    return sorted(made, key=lambda one: one.revision, reverse=True)


def messages(entries: Sequence[Kept]) -> list[Message]:
    made = []
    for entry, told in _told(entries, "complaint.message-added", "message.delivered", "message.failed"):
        kind = labels.kind_of(entry.type)
        ours = kind != "complaint.message-added"
        if ours and told["audience"] != "complainant":
            continue
        made.append(
            Message(
                message_id=told["message_id"],
                at=entry.occurred_at,
                inbound=not ours and told["inbound"],
                means=told["means"] if ours else told["channel"],
                purpose=told["purpose"] if ours else None,
                status="on_thread" if not ours else "failed" if kind == "message.failed" else "delivered",
                subject=told.get("subject", ""),
                text=told.get("text", ""),
                actor=entry.actor,
            )
        )
    return made


def findings(entries: Sequence[Kept]) -> list[Finding]:
    return [
        Finding(
            finding_id=UUID(told["finding_id"]),
            complaint_id=entry.complaint_id,
            cycle=told["cycle"],
            method=told["method"],
            nature=told["nature"],
            text=told.get("text", ""),
            found_at=entry.occurred_at,
            found_by=entry.actor,
        )
        for entry, told in _told(entries, "case.investigation-recorded")
    ]


def results(entries: Sequence[Kept]) -> list[Result]:
    """Newest first."""
    made = []
    for entry, told in _told(entries, "case.resolved"):
        parts = told.get("result", {})
        made.append(
            Result(
                cycle=told["cycle"],
                resolved_at=entry.occurred_at,
                by=entry.actor,
                cause=parts.get("cause", ""),
                measures=parts.get("measures", ""),
                improvement=parts.get("improvement", ""),
                compensation=parts.get("compensation", ""),
                measure_kinds=told["measure_kinds"],
            )
        )
    return made[::-1]


def surveys(entries: Sequence[Kept]) -> list[Survey]:
    def of(kind: str, entry: Kept, told: Any) -> dict[str, Any]:
        if kind == "survey.offered":
            return {"offered_at": entry.occurred_at, "expires_at": told["expires_at"]}
        return {
            "answered_at": entry.occurred_at,
            "satisfaction": told["satisfaction"],
            "satisfied": told["satisfied"],
            "answers": told["answers"],
            "reasons": told["reasons"],
            "comment": told.get("comment", ""),
        }

    return _merged(entries, "survey_id", ("survey.offered", "survey.answered"), of, Survey)


def visits(entries: Sequence[Kept]) -> list[Visit]:
    assigned: dict[str, int] = {}

    def of(kind: str, entry: Kept, told: Any) -> dict[str, Any]:
        match kind:
            case "follow-up.planned":
                return {key: told[key] for key in ("means", "earliest_at", "due_at")}
            case "follow-up.assigned":
                if told["revision"] <= assigned.get(told["visit_id"], 0):
                    return {}
                assigned[told["visit_id"]] = told["revision"]
                return {"assignee": told["assignee"]}
        return {"done_at": entry.occurred_at, "outcome": told["outcome"], "note": told.get("note", "")}

    return _merged(entries, "visit_id", ("follow-up.planned", "follow-up.assigned", "follow-up.done"), of, Visit)


def _merged(
    entries: Sequence[Kept],
    key: str,
    kinds: tuple[str, ...],
    of: Callable[[str, Kept, Any], dict[str, Any]],
    model: Callable[..., T],
) -> list[T]:
    """One thing of several events; whichever of them was heard says its part."""
    found: dict[str, dict[str, Any]] = {}
    for entry, told in _told(entries, *kinds):
        thing = found.setdefault(told[key], {key: told[key], "cycle": told["cycle"]})
        thing.update(of(labels.kind_of(entry.type), entry, told))
    return [model(**thing) for thing in sorted(found.values(), key=lambda thing: (thing["cycle"], thing[key]))]


def escalations(entries: Sequence[Kept]) -> list[Escalation]:
    return [
        Escalation(
            escalation_id=told["escalation_id"],
            at=entry.occurred_at,
            step=told["step"],
            role=told["role"],
            recipient=told["recipient"],
            team_id=told["team_id"],
            metric=told["clock"]["metric"],
            reason=told["reason"],
        )
        for entry, told in _told(entries, "escalation.raised")
    ]


def closings(entries: Sequence[Kept]) -> list[Closing]:
    made = [
        Closing(
            cycle=told["cycle"],
            at=entry.occurred_at,
            summary=told.get("summary", ""),
            other_wishes=told.get("other_wishes", ""),
            satisfied=told["satisfied"],
            closed_with_reason=told.get("closed_with_reason"),
            by=entry.actor,
        )
        for entry, told in _told(entries, "closing.summary-written")
    ]
    return made[::-1]


def links(entries: Sequence[Kept]) -> list[Link]:
    return [
        Link(
            complaint_id=told["other_id"],
            number=told["other_number"],
            relation=told["relation"],
            inbound=False,
            at=entry.occurred_at,
            reason=told.get("reason", ""),
        )
        for entry, told in _told(entries, "complaint.linked")
    ]


def clock_of_case(clock: ClockView, now: datetime) -> ClockOfCase:
    running = clock.status is ClockStatus.RUNNING
    remaining = int((clock.due_at - now).total_seconds()) if running else None
    return ClockOfCase(**dict(clock), remaining_seconds=remaining)
