"""Surveys: shown, answered by the customer behind the link, or recorded by an agent on the phone (D1, D3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service import domain, store
from feedback_service.usecases.deps import Deps
from shared.bus import outbox
from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts
from shared.contracts.vocabulary import Language


@dataclass(frozen=True)
class Survey:
    """One survey as the doors show it. Instants are UTC."""

    survey_id: UUID
    complaint_id: UUID
    number: str
    cycle: int
    language: Language
    offered_at: datetime
    delivered_at: datetime | None
    expires_at: datetime
    answered_at: datetime | None
    satisfaction: int | None
    satisfied: bool | None
    answers: dict[str, int] | None
    reasons: list[str] | None
    comment: str | None


def survey_of(row: Row[Any]) -> Survey:
    facts = ComplaintFacts.model_validate(row.facts)
    return Survey(
        survey_id=row.survey_id,
        complaint_id=row.complaint_id,
        number=facts.number,
        cycle=row.cycle,
        language=facts.customer.language,
        offered_at=row.offered_at,
        delivered_at=row.delivered_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
        satisfaction=row.satisfaction,
        satisfied=row.satisfied,
        answers=row.answers,
        reasons=row.reasons,
        comment=row.comment,
    )


async def show_survey(token: str, deps: Deps) -> Survey:
    """For the customer's page; records nothing. Raises `SurveyNotFound`, `SurveyExpired`."""
    survey_id = _survey_id(token, deps)
    async with deps.reading() as tx:
        row = await store.survey(tx, survey_id)
    if row is None:
        raise domain.SurveyNotFound("Open the link exactly as it was sent.")
    _refuse_expired(row, deps.clock.now())
    return survey_of(row)


async def answer_by_link(token: str, answer: domain.Answer, deps: Deps) -> Survey:
    """The customer's own answer. The first one stands: a second raises `SurveyAnswered`."""
    survey_id = _survey_id(token, deps)
    async with deps.session() as tx:
        row = await _locked(tx, survey_id)
        now = deps.clock.now()
        _refuse_expired(row, now)
        actor = Actor(kind=ActorKind.COMPLAINANT, id=str(row.person_id))
        return await _answer(tx, row, answer, actor, now, now, deps)


async def answer_for_customer(
    survey_id: UUID, answer: domain.Answer, occurred_at: datetime | None, actor: Actor, tx: AsyncSession, deps: Deps
) -> Survey:
    """What the customer said on the phone, recorded by an agent."""
    row = await _locked(tx, survey_id)
    now = deps.clock.now()
    at = occurred_at or now
    if not row.resolved_at <= at <= now:
        raise domain.AnswerIncomplete("An answer lies between the resolution and now.", pointer="/occurred_at")
    return await _answer(tx, row, answer, actor, at, now, deps)


async def _locked(tx: AsyncSession, survey_id: UUID) -> Row[Any]:
    row = await store.survey(tx, survey_id, lock=True)
    if row is None:
        raise domain.SurveyNotFound("There is no survey with this id.")
    if row.answered_at is not None:
        raise domain.SurveyAnswered("The first answer stands; tell your agent if something has changed.")
    return row


async def _answer(
    tx: AsyncSession,
    row: Row[Any],
    answer: domain.Answer,
    actor: Actor,
    occurred_at: datetime,
    recorded_at: datetime,
    deps: Deps,
) -> Survey:
    answered = domain.survey_answered(
        ComplaintFacts.model_validate(row.facts),
        row.cycle,
        answer,
        satisfied_from=deps.settings.satisfied_from,
        actor=actor,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
    )
    await store.answer_survey(
        tx,
        row.survey_id,
        answered_at=occurred_at,
        answered_by=actor.model_dump(mode="json"),
        satisfaction=answered.satisfaction,
        satisfied=answered.satisfied,
        answers=answered.answers,
        reasons=list(answered.reasons),
        comment=answered.comment,
    )
    outbox.add(tx, answered)
    if not answered.satisfied:
        outbox.add(tx, domain.dissatisfied_by_survey(answered))
    fresh = await store.survey(tx, row.survey_id)
    assert fresh is not None
    return survey_of(fresh)


def _survey_id(token: str, deps: Deps) -> UUID:
    return domain.survey_of_token(token, deps.settings.token_secret.get_secret_value())


def _refuse_expired(row: Row[Any], now: datetime) -> None:
    if row.answered_at is None and now > row.expires_at:
        raise domain.SurveyExpired("Write or call us: we are still glad to hear whether it helped.")
