"""Closing summaries as JSON (D4)."""

from uuid import UUID

from fastapi import APIRouter, Response

from feedback_service import domain
from feedback_service.api.shapes import ClosingBody, ClosingOut, DepsDep, HandlerDep, StaffDep
from feedback_service.usecases import closing, reports
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep

router = APIRouter(tags=["closing"])


@router.get("/v1/closings")
async def list_closings(complaint: UUID, principal: StaffDep, deps: DepsDep) -> list[ClosingOut]:
    """One per cycle, the first cycle first."""
    return [ClosingOut(**row) for row in await reports.list_closings(complaint, deps)]


@router.post(
    "/v1/closings",
    status_code=201,
    response_model=ClosingOut,
    responses=responses(domain.CaseNotResolved, domain.CaseAlreadyClosed, domain.ClosingNeedsReason, *ONCE_PROBLEMS),
)
async def close(body: ClosingBody, principal: HandlerDep, deps: DepsDep, once: OnceDep) -> Response:
    """Write the summary; the case closes. Needs a satisfied complainant and a done visit, or a reason."""
    return await once.perform(
        deps.session,
        lambda tx: closing.close_case(
            body.complaint_id,
            summary=body.summary,
            other_wishes=body.other_wishes,
            closed_with_reason=body.closed_with_reason,
            actor=principal.actor,
            tx=tx,
            deps=deps,
        ),
        shape=lambda event: ClosingOut(
            complaint_id=event.complaint_id,
            number=event.number,
            cycle=event.cycle,
            summary=event.summary,
            other_wishes=event.other_wishes,
            satisfied=event.satisfied,
            closed_with_reason=event.closed_with_reason,
            written_at=event.occurred_at,
        ),
        status=201,
    )
