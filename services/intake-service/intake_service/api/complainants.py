"""Complainants: their history, and their personal data."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from intake_service import usecases
from intake_service.api.common import ADMIN, AUDIT, READ, WRITE, DepsDep
from intake_service.domain.record import StatedComplainant
from intake_service.domain.views import (
    ComplainantHistory,
    ComplainantView,
    ContactAccess,
    ErasureReceipt,
    WholeContacts,
)
from intake_service.usecases.errors import ImpossibleRecord, NoSuchComplainant
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.errors import responses
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["complainants"])


class Found(BaseModel):
    data: list[ComplainantView]


@router.post("/v1/complainants/search", summary="Who is calling?", responses=responses(ImpossibleRecord))
async def look_up(
    principal: Annotated[Principal, Depends(READ)],
    body: Annotated[StatedComplainant, Depends(JsonBody(StatedComplainant))],
    deps: DepsDep,
) -> Found:
    """Who is known by one of these phones, mail addresses, WeCom user or account, the surest first (A9). By POST, so
    that no contact stands in an address or an access log."""
    return Found(data=list(await usecases.look_up(body, deps)))


@router.get(
    "/v1/complainants/{complainant_id}",
    summary="A complainant with their latest complaints",
    responses=responses(NoSuchComplainant),
)
async def show_complainant(
    complainant_id: UUID, principal: Annotated[Principal, Depends(READ)], deps: DepsDep
) -> ComplainantHistory:
    """Masked; the latest 20 complaints and their results (A9). All: `GET /v1/complaints?complainant=…`."""
    return await usecases.show_complainant(complainant_id, deps)


@router.get(
    "/v1/complainants/{complainant_id}/contacts",
    summary="Whole contacts; the look is recorded",
    responses=responses(NoSuchComplainant),
)
async def show_contacts(
    complainant_id: UUID,
    principal: Annotated[Principal, Depends(WRITE)],
    deps: DepsDep,
    reason: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Why they are needed; recorded (A6).")
    ] = "",
) -> WholeContacts:
    return await usecases.show_contacts(complainant_id, reason, principal, deps)


@router.get(
    "/v1/complainants/{complainant_id}/contact-accesses",
    summary="Who looked at the whole contacts",
    responses=responses(NoSuchComplainant),
)
async def list_accesses(
    complainant_id: UUID,
    request: Request,
    principal: Annotated[Principal, Depends(AUDIT)],
    paging: PagingDep,
    deps: DepsDep,
) -> Page[ContactAccess]:
    rows = await usecases.list_accesses(complainant_id, paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.accessed_at, item.id))


@router.post(
    "/v1/complainants/{complainant_id}/erasure",
    summary="Erase a complainant's personal data everywhere",
    responses=responses(NoSuchComplainant),
)
async def erase(complainant_id: UUID, principal: Annotated[Principal, Depends(ADMIN)], deps: DepsDep) -> ErasureReceipt:
    """Deletes the contacts and the text of the complaints here, and tells every other service to do the same (A6)."""
    return await usecases.erase(complainant_id, principal, deps)
