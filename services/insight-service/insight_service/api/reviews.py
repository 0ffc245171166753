"""Root-cause reviews (E2)."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response

from insight_service.api.shapes import (
    ActionBody,
    ActionOut,
    DepsDep,
    ReviewBody,
    ReviewerDep,
    ReviewOut,
    StaffDep,
)
from insight_service.domain import improving
from insight_service.usecases import review
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["reviews"])


@router.post(
    "/v1/reviews",
    status_code=201,
    response_model=ReviewOut,
    responses=responses(improving.UnknownComplaint, *ONCE_PROBLEMS),
)
async def open_review(body: ReviewBody, principal: ReviewerDep, deps: DepsDep, once: OnceDep) -> Response:
    return await once.perform(
        deps.session,
        lambda tx: review.open_review(body.content(), principal.actor, tx, deps),
        shape=ReviewOut.of,
        status=201,
        headers=lambda made: {"ETag": etag(made.version)},
    )


@router.get("/v1/reviews")
async def list_reviews(
    request: Request, principal: StaffDep, deps: DepsDep, paging: PagingDep, complaint: UUID | None = None
) -> Page[ReviewOut]:
    """Newest first."""
    found = await review.list_reviews(complaint, paging.after(datetime, UUID), paging.limit + 1, deps)
    shown = [ReviewOut.of(each) for each in found]
    return page(shown, paging, request, key=lambda each: (each.created_at, each.review_id))


@router.get("/v1/reviews/{review_id}", responses=responses(improving.ReviewNotFound))
async def read_review(review_id: UUID, principal: StaffDep, deps: DepsDep, response: Response) -> ReviewOut:
    async with deps.reading() as tx:
        found = await review.read_review(review_id, tx)
    response.headers["ETag"] = etag(found.version)
    return ReviewOut.of(found)


@router.put(
    "/v1/reviews/{review_id}",
    response_model=ReviewOut,
    responses=responses(improving.ReviewNotFound, PreconditionFailed, improving.UnknownComplaint, *ONCE_PROBLEMS),
)
async def change_review(
    review_id: UUID,
    body: ReviewBody,
    principal: ReviewerDep,
    deps: DepsDep,
    once: OnceDep,
    expected: IfMatch = None,
) -> Response:
    """Replace the content; with If-Match only if nobody changed it meanwhile (412)."""
    return await once.perform(
        deps.session,
        lambda tx: review.change_review(review_id, body.content(), expected, principal.actor, tx, deps),
        shape=ReviewOut.of,
        headers=lambda made: {"ETag": etag(made.version)},
    )


@router.post(
    "/v1/reviews/{review_id}/actions",
    status_code=201,
    response_model=ActionOut,
    responses=responses(improving.ReviewNotFound, improving.DueInThePast, improving.UnknownComplaint, *ONCE_PROBLEMS),
)
async def plan_action(
    review_id: UUID, body: ActionBody, principal: ReviewerDep, deps: DepsDep, once: OnceDep
) -> Response:
    """Its clock starts at once (F8)."""
    return await once.perform(
        deps.session,
        lambda tx: review.plan_action(body.plan(), review_id, principal.actor, tx, deps),
        shape=ActionOut.of,
        status=201,
    )
