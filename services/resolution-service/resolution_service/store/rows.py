"""Rows to values."""

from typing import Any

from sqlalchemy import Row

from resolution_service.domain.models import Case, Measure, Promise, Team, Transfer
from resolution_service.store.tables import cases
from shared.contracts.envelope import Actor, Bilingual, ComplaintFacts, Money, StaffContact
from shared.contracts.vocabulary import CaseState, Emotion, Kind, MeasureKind, MeasureStatus

CASE_COLUMNS = tuple(
    cases.c[name]
    for name in (
        "facts",
        "state",
        "cycle",
        "since",
        "revision",
        "version",
        "plain",
        "erased",
        "acknowledged_at",
        "assessed_at",
        "kind",
        "issue_type",
        "responsible",
        "emotion",
        "team_id",
        "team_name",
        "agent",
        "next_due_at",
        "next_warn_at",
    )
)


def case_from(row: Row[Any]) -> Case:
    return Case(
        facts=ComplaintFacts.model_validate(row.facts),
        state=CaseState(row.state),
        cycle=row.cycle,
        since=row.since,
        revision=row.revision,
        version=row.version,
        plain=row.plain,
        erased=row.erased,
        acknowledged_at=row.acknowledged_at,
        assessed_at=row.assessed_at,
        kind=Kind(row.kind) if row.kind else None,
        issue_type=row.issue_type,
        responsible=row.responsible,
        emotion=Emotion(row.emotion) if row.emotion else None,
        team_id=row.team_id,
        team_name=_maybe(Bilingual, row.team_name),
        agent=_maybe(StaffContact, row.agent),
        next_due_at=row.next_due_at,
        next_warn_at=row.next_warn_at,
    )


def transfer_from(row: Row[Any]) -> Transfer:
    return Transfer(
        task_id=row.task_id,
        complaint_id=row.complaint_id,
        team_id=row.team_id,
        team_name=Bilingual.model_validate(row.team_name),
        contact=_maybe(StaffContact, row.contact),
        ask=row.ask,
        status=row.status,
        opened_at=row.opened_at,
        opened_by=Actor.model_validate(row.opened_by),
        answer=row.answer,
        ended_at=row.ended_at,
        ended_by=_maybe(Actor, row.ended_by),
    )


def promise_from(row: Row[Any]) -> Promise:
    return Promise(
        promise_id=row.promise_id,
        complaint_id=row.complaint_id,
        text=row.text,
        due_at=row.due_at,
        status=row.status,
        made_at=row.made_at,
        made_by=Actor.model_validate(row.made_by),
        ended_at=row.ended_at,
        reason=row.reason,
    )


def measure_from(row: Row[Any]) -> Measure:
    return Measure(
        measure_id=row.measure_id,
        complaint_id=row.complaint_id,
        revision=row.revision,
        cycle=row.cycle,
        kind=MeasureKind(row.kind),
        status=MeasureStatus(row.status),
        text=row.text,
        amount=None if row.amount_minor is None else Money(amount_minor=row.amount_minor, currency=row.currency),
        proposed_at=row.proposed_at,
        proposed_by=Actor.model_validate(row.proposed_by),
        decided_at=row.decided_at,
        decided_by=_maybe(Actor, row.decided_by),
        decision_reason=row.decision_reason,
        done_at=row.done_at,
    )


def team_from(row: Row[Any]) -> Team:
    return Team(row.team_id, Bilingual.model_validate(row.name), row.kind, _maybe(StaffContact, row.contact))


def _maybe(model: Any, value: Any) -> Any:
    return None if value is None else model.model_validate(value)
