"""The archive of every event (E8) and the cases like one case (B4)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from insight_service.api.shapes import ArchivedOut, DepsDep, SimilarOut, StaffDep
from insight_service.domain import improving
from insight_service.usecases import ask
from shared.web.auth import may_see_contacts
from shared.web.errors import responses
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["archive"])

Name = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]
MAX_SEQ = 2**62


@router.get("/v1/archive")
async def read_archive(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    complaint: UUID | None = None,
    subject: Name = None,
    type: Name = None,
) -> Page[ArchivedOut]:
    """Every event in the order in which it was archived. Personal parts stand as salted hashes for roles that may not
    see contacts, and read as null once they are erased."""
    position = paging.after(int)
    found = await ask.read_archive(
        complaint_id=complaint,
        subject=subject,
        type_=type,
        after=min(max(position[0], 0), MAX_SEQ) if position else 0,
        limit=paging.limit + 1,
        personal=may_see_contacts(principal),
        deps=deps,
    )
    shown = [ArchivedOut(**vars(event)) for event in found]
    return page(shown, paging, request, key=lambda event: (event.seq,))


@router.get("/v1/complaints/{complaint_id}/similar", responses=responses(improving.ComplaintNotFound))
async def similar(
    complaint_id: UUID, principal: StaffDep, deps: DepsDep, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> list[SimilarOut]:
    """The cases most like this one, best first, with what was done about them."""
    return [SimilarOut(**vars(case)) for case in await ask.similar_cases(complaint_id, limit, deps)]
