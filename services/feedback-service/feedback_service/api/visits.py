"""Follow-up visits 回访 as JSON (D2)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from feedback_service import domain
from feedback_service.api.shapes import AssignBody, DepsDep, HandlerDep, StaffDep, VisitDoneBody, VisitOut
from feedback_service.usecases import reports, visits
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["follow-up visits"])


@router.get("/v1/follow-ups")
async def list_follow_ups(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    complaint: UUID | None = None,
    assignee: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    open: bool | None = None,
) -> Page[VisitOut]:
    """The next due first. `open` are those that still wait to be done."""
    found = await reports.list_visits(
        complaint_id=complaint,
        assignee_id=assignee,
        is_open=open,
        after=paging.after(datetime, UUID),
        limit=paging.limit + 1,
        deps=deps,
    )
    shown = [VisitOut.of(visit) for visit in found]
    return page(shown, paging, request, key=lambda visit: (visit.due_at, visit.visit_id))


@router.post(
    "/v1/follow-ups/{visit_id}/assignment",
    response_model=VisitOut,
    responses=responses(domain.FollowUpNotFound, domain.FollowUpNotOpen, *ONCE_PROBLEMS),
)
async def assign(visit_id: UUID, body: AssignBody, principal: HandlerDep, deps: DepsDep, once: OnceDep) -> Response:
    return await once.perform(
        deps.session,
        lambda tx: visits.assign_visit(visit_id, body.assignee.contact(), principal.actor, tx, deps),
        shape=VisitOut.of,
    )


@router.post(
    "/v1/follow-ups/{visit_id}/done",
    response_model=VisitOut,
    responses=responses(domain.FollowUpNotFound, domain.FollowUpNotOpen, domain.FollowUpTooEarly, *ONCE_PROBLEMS),
)
async def done(visit_id: UUID, body: VisitDoneBody, principal: HandlerDep, deps: DepsDep, once: OnceDep) -> Response:
    """Recorded once. Not satisfied: the case is reopened and analysed again (D3)."""
    return await once.perform(
        deps.session,
        lambda tx: visits.record_visit(visit_id, body.outcome, body.note, body.occurred_at, principal.actor, tx, deps),
        shape=VisitOut.of,
    )
