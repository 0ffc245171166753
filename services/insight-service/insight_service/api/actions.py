"""Improvement actions (E3, F8)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from insight_service.api.shapes import ActionBody, ActionOut, DepsDep, DoneBody, ReplanBody, ReviewerDep, StaffDep
from insight_service.domain import improving
from insight_service.usecases import review
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["improvement actions"])


@router.post(
    "/v1/actions",
    status_code=201,
    response_model=ActionOut,
    responses=responses(improving.DueInThePast, improving.UnknownComplaint, *ONCE_PROBLEMS),
)
async def plan_action(body: ActionBody, principal: ReviewerDep, deps: DepsDep, once: OnceDep) -> Response:
    """An action without a review behind it."""
    return await once.perform(
        deps.session,
        lambda tx: review.plan_action(body.plan(), None, principal.actor, tx, deps),
        shape=ActionOut.of,
        status=201,
    )


@router.get("/v1/actions")
async def list_actions(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    review_id: Annotated[UUID | None, Query(alias="review")] = None,
    open: bool | None = None,
    due_before: AwareDatetime | None = None,
) -> Page[ActionOut]:
    """The next due first."""
    found = await review.list_actions(
        review_id=review_id,
        is_open=open,
        due_before=due_before,
        after=paging.after(datetime, UUID),
        limit=paging.limit + 1,
        deps=deps,
    )
    shown = [ActionOut.of(action) for action in found]
    return page(shown, paging, request, key=lambda action: (action.due_at, action.action_id))


@router.get("/v1/actions/{action_id}", responses=responses(improving.ActionNotFound))
async def read_action(action_id: UUID, principal: StaffDep, deps: DepsDep) -> ActionOut:
    async with deps.reading() as tx:
        return ActionOut.of(await review.read_action(action_id, tx))


@router.post(
    "/v1/actions/{action_id}/plan",
    response_model=ActionOut,
    responses=responses(improving.ActionNotFound, improving.ActionIsDone, improving.DueInThePast, *ONCE_PROBLEMS),
)
async def replan(action_id: UUID, body: ReplanBody, principal: ReviewerDep, deps: DepsDep, once: OnceDep) -> Response:
    """Another due time, another owner; the change is kept."""
    owner = body.owner.contact() if body.owner else None
    return await once.perform(
        deps.session,
        lambda tx: review.replan_action(action_id, body.due_at, owner, principal.actor, tx, deps),
        shape=ActionOut.of,
    )


@router.post(
    "/v1/actions/{action_id}/done",
    response_model=ActionOut,
    responses=responses(improving.ActionNotFound, improving.ActionIsDone, improving.DueInThePast, *ONCE_PROBLEMS),
)
async def finish(action_id: UUID, body: DoneBody, principal: StaffDep, deps: DepsDep, once: OnceDep) -> Response:
    return await once.perform(
        deps.session,
        lambda tx: review.finish_action(action_id, body.note, body.occurred_at, principal.actor, tx, deps),
        shape=ActionOut.of,
    )
