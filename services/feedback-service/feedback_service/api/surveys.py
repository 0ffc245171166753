"""Surveys as JSON: lists, an answer taken on the phone, results by month (D1)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from feedback_service import domain
from feedback_service.api.shapes import AnswerBody, DepsDep, HandlerDep, MonthOut, StaffDep, SurveyOut
from feedback_service.usecases import reports, surveys
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["surveys"])


@router.get("/v1/surveys")
async def list_surveys(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    complaint: UUID | None = None,
    answered: bool | None = None,
) -> Page[SurveyOut]:
    """Newest first."""
    found = await reports.list_surveys(
        complaint_id=complaint,
        answered=answered,
        after=paging.after(datetime, UUID),
        limit=paging.limit + 1,
        deps=deps,
    )
    shown = [SurveyOut.of(survey) for survey in found]
    return page(shown, paging, request, key=lambda survey: (survey.offered_at, survey.survey_id))


@router.post(
    "/v1/surveys/{survey_id}/answer",
    response_model=SurveyOut,
    responses=responses(domain.SurveyNotFound, domain.SurveyAnswered, domain.AnswerIncomplete, *ONCE_PROBLEMS),
)
async def answer(survey_id: UUID, body: AnswerBody, principal: HandlerDep, deps: DepsDep, once: OnceDep) -> Response:
    """What the customer answered on the phone. The first answer stands."""
    read = domain.read_answer(body.answers, body.reasons, body.comment)
    return await once.perform(
        deps.session,
        lambda tx: surveys.answer_for_customer(survey_id, read, body.occurred_at, principal.actor, tx, deps),
        shape=SurveyOut.of,
    )


@router.get("/v1/satisfaction")
async def satisfaction(
    principal: StaffDep, deps: DepsDep, months: Annotated[int, Query(ge=1, le=60)] = 12
) -> list[MonthOut]:
    """By month of answering, the newest first: levels, and reasons of those not satisfied."""
    return [MonthOut.of(month) for month in await reports.satisfaction(months - 1, deps)]
