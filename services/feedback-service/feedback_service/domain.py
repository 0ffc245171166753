"""Rules of the feedback stage (D1-D4): surveys, follow-up visits, dissatisfaction, closing. Pure.

`cycle` is the case's cycle: 1 for the first resolution, one more after every reopening. There is one survey, one
visit and one closing summary per complaint and cycle, each with an id that follows from them.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Actor, ComplaintFacts, StaffContact
from shared.contracts.feedback import (
    ClosingSummaryWrittenV1,
    ComplainantDissatisfiedV1,
    FollowUpAssignedV1,
    FollowUpDoneV1,
    FollowUpPlannedV1,
    SurveyAnsweredV1,
    SurveyOfferedV1,
)
from shared.contracts.resolution import CaseResolvedV1
from shared.contracts.vocabulary import CaseState, Channel, VisitOutcome
from shared.ids import derived_id
from shared.web.errors import Conflict, Gone, Invalid, NotFound

#: The one to three questions of D1, on five levels; the first one is the one that counts and must be answered.
QUESTIONS = ("satisfaction", "speed", "attitude")
LEVELS = (5, 4, 3, 2, 1)
#: Why somebody is not satisfied; counted by month.
REASONS = ("not_solved", "too_slow", "attitude", "compensation", "unclear", "other")

_MAC_BYTES = 16


class SurveyNotFound(NotFound):
    slug = "survey-not-found"
    title = "There is no such survey"


class SurveyExpired(Gone):
    slug = "survey-expired"
    title = "The survey has expired"


class SurveyAnswered(Conflict):
    slug = "survey-answered"
    title = "The survey has been answered"


class AnswerIncomplete(Invalid):
    slug = "answer-incomplete"
    title = "The answer is not complete"


class FollowUpNotFound(NotFound):
    slug = "follow-up-not-found"
    title = "There is no such follow-up visit"


class FollowUpNotOpen(Conflict):
    slug = "follow-up-not-open"
    title = "The follow-up visit is not open"


class FollowUpTooEarly(Conflict):
    slug = "follow-up-too-early"
    title = "The follow-up visit is not due yet"


class CaseNotResolved(Conflict):
    slug = "case-not-resolved"
    title = "The case is not resolved"


class CaseAlreadyClosed(Conflict):
    slug = "case-already-closed"
    title = "The closing summary of this cycle is written"


class ClosingNeedsReason(Conflict):
    slug = "closing-needs-reason"
    title = "The case cannot close like this"


@dataclass(frozen=True)
class Periods:
    """When things are due after a resolution (F5, F6, D1)."""

    survey_valid: timedelta
    follow_up_earliest: timedelta
    follow_up_due: timedelta


@dataclass(frozen=True)
class Answer:
    """One filled-in survey. `answers` maps questions to 5 (非常满意) … 1 (非常不满意)."""

    answers: Mapping[str, int]
    reasons: Sequence[str]
    comment: str

    @property
    def satisfaction(self) -> int:
        return self.answers[QUESTIONS[0]]


@dataclass(frozen=True)
class Standing:
    """What is known of one complaint's present cycle when somebody wants to close it."""

    facts: ComplaintFacts
    cycle: int
    state: CaseState | None
    satisfied: bool | None
    visit_open: bool
    closed: bool


# ---------------------------------------------------------------- tokens


def survey_id_of(complaint_id: UUID, cycle: int) -> UUID:
    return derived_id("survey", complaint_id, cycle)


def visit_id_of(complaint_id: UUID, cycle: int) -> UUID:
    return derived_id("follow-up", complaint_id, cycle)


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


# ---------------------------------------------------------------- after a resolution


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
    planned: FollowUpPlannedV1, assignee: StaffContact, *, revision: int, actor: Actor, at: datetime
) -> FollowUpAssignedV1:
    return FollowUpAssignedV1(
        event_id=derived_id("follow-up-assigned", planned.visit_id, revision),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        facts=planned.facts,
        visit_id=planned.visit_id,
        cycle=planned.cycle,
        assignee=assignee,
        revision=revision,
    )


# ---------------------------------------------------------------- answers


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


# ---------------------------------------------------------------- visits


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


# ---------------------------------------------------------------- closing


def close(
    standing: Standing,
    *,
    summary: str,
    other_wishes: str,
    closed_with_reason: str | None,
    actor: Actor,
    at: datetime,
) -> ClosingSummaryWrittenV1:
    """D3, D4: a case closes when its complainant is satisfied and was visited, or with a reason why it closes without.

    Raises `CaseNotResolved`, `CaseAlreadyClosed`, `ClosingNeedsReason`.
    """
    if standing.closed:
        raise CaseAlreadyClosed("One cycle has one closing summary.")
    if standing.state not in {CaseState.RESOLVED, CaseState.CONFIRMED}:
        raise CaseNotResolved(f"The case is {standing.state or 'not known here'}; resolve it first.")
    if closed_with_reason is None:
        if standing.satisfied is None:
            raise ClosingNeedsReason(
                "Nobody has said yet whether it helped: wait for survey or visit, or give closed_with_reason.",
                pointer="/closed_with_reason",
            )
        if not standing.satisfied:
            raise ClosingNeedsReason(
                "The complainant is not satisfied: it is analysed again, or closed with a reason.",
                pointer="/closed_with_reason",
            )
        if standing.visit_open:
            raise ClosingNeedsReason(
                "The follow-up visit is not done: do it, or give closed_with_reason.", pointer="/closed_with_reason"
            )
    return ClosingSummaryWrittenV1(
        event_id=derived_id("closing", standing.facts.complaint_id, standing.cycle),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        facts=standing.facts,
        cycle=standing.cycle,
        summary=summary,
        other_wishes=other_wishes,
        satisfied=bool(standing.satisfied),
        closed_with_reason=closed_with_reason,
    )
