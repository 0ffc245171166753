"""Surveys: their links, their questions, their answers (D1, D3). Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from feedback_service.domain.errors import AnswerIncomplete, SurveyNotFound
from feedback_service.domain.periods import Periods
from shared.contracts.envelope import Actor, ComplaintFacts
from shared.contracts.feedback import ComplainantDissatisfiedV1, SurveyAnsweredV1, SurveyOfferedV1
from shared.contracts.resolution import CaseResolvedV1
from shared.ids import derived_id

#: The one to three questions of D1, on five levels; the first one is the one that counts and must be answered.
QUESTIONS = ("satisfaction", "speed", "attitude")
LEVELS = (5, 4, 3, 2, 1)
#: Why somebody is not satisfied; counted by month.
REASONS = ("not_solved", "too_slow", "attitude", "compensation", "unclear", "other")

_MAC_BYTES = 16


@dataclass(frozen=True)
class Answer:
    """One filled-in survey. `answers` maps questions to 5 (非常满意) … 1 (非常不满意)."""

    answers: Mapping[str, int]
    reasons: Sequence[str]
    comment: str

    @property
    def satisfaction(self) -> int:
        return self.answers[QUESTIONS[0]]


def survey_id_of(complaint_id: UUID, cycle: int) -> UUID:
    return derived_id("survey", complaint_id, cycle)


def token_of(survey_id: UUID, secret: str) -> str:
    """The link's secret part: the survey's id and its HMAC-SHA-256 (128 bits). Nothing of it is stored."""
    return base64.urlsafe_b64encode(survey_id.bytes + _mac(survey_id, secret)).rstrip(b"=").decode()


def survey_of_token(token: str, secret: str) -> UUID:
    """Raises `SurveyNotFound` for anything that `token_of` did not make."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        survey_id = UUID(bytes=raw[:16])
    except (ValueError, binascii.Error):
        raise SurveyNotFound("Open the link exactly as it was sent.") from None
    if not hmac.compare_digest(raw[16:], _mac(survey_id, secret)):
        raise SurveyNotFound("Open the link exactly as it was sent.")
    return survey_id


def _mac(survey_id: UUID, secret: str) -> bytes:
    return hmac.new(secret.encode(), survey_id.bytes, hashlib.sha256).digest()[:_MAC_BYTES]


def survey_offered(
    resolved: CaseResolvedV1, *, url: str, periods: Periods, actor: Actor, recorded_at: datetime
) -> SurveyOfferedV1:
    survey_id = survey_id_of(resolved.complaint_id, resolved.cycle)
    return SurveyOfferedV1(
        event_id=derived_id("survey-offered", survey_id),
        occurred_at=recorded_at,
        recorded_at=recorded_at,
        actor=actor,
        facts=resolved.facts,
        survey_id=survey_id,
        cycle=resolved.cycle,
        url=url,
        expires_at=resolved.occurred_at + periods.survey_valid,
    )


def read_answer(raw: Mapping[str, Any], reasons: Sequence[str], comment: str) -> Answer:
    """Check one answer; raises `AnswerIncomplete` naming the field that is wrong."""
    answers: dict[str, int] = {}
    for question in QUESTIONS:
        value = raw.get(question)
        if value in (None, ""):
            continue
        try:
            level = int(value)
        except (TypeError, ValueError):
            level = 0
        if level not in LEVELS:
            raise AnswerIncomplete(f"{question} is a level from 1 to 5.", pointer=f"/answers/{question}")
        answers[question] = level
    if QUESTIONS[0] not in answers:
        raise AnswerIncomplete("Say how satisfied you are, on five levels.", pointer=f"/answers/{QUESTIONS[0]}")
    unknown = [reason for reason in reasons if reason not in REASONS]
    if unknown:
        raise AnswerIncomplete(f"Known reasons are {', '.join(REASONS)}.", pointer="/reasons")
    cleaned = "".join(character for character in comment if character >= " " or character in "\n\t").strip()
    return Answer(answers=answers, reasons=tuple(dict.fromkeys(reasons)), comment=cleaned)


def survey_answered(
    facts: ComplaintFacts,
    cycle: int,
    answer: Answer,
    *,
    satisfied_from: int,
    actor: Actor,
    occurred_at: datetime,
    recorded_at: datetime,
) -> SurveyAnsweredV1:
    survey_id = survey_id_of(facts.complaint_id, cycle)
    return SurveyAnsweredV1(
        event_id=derived_id("survey-answered", survey_id),
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        actor=actor,
        facts=facts,
        survey_id=survey_id,
        cycle=cycle,
        satisfaction=answer.satisfaction,
        answers=dict(answer.answers),
        reasons=tuple(answer.reasons),
        comment=answer.comment,
        satisfied=answer.satisfaction >= satisfied_from,
    )


def dissatisfied_by_survey(answered: SurveyAnsweredV1) -> ComplainantDissatisfiedV1:
    """D3. One per cycle, whoever says it first: survey or visit."""
    return ComplainantDissatisfiedV1(
        event_id=derived_id("dissatisfied", answered.complaint_id, answered.cycle),
        occurred_at=answered.occurred_at,
        recorded_at=answered.recorded_at,
        actor=answered.actor,
        facts=answered.facts,
        cycle=answered.cycle,
        source="survey",
        source_id=answered.survey_id,
        reason=answered.comment or ", ".join(answered.reasons),
    )
