"""The generic door for channel adapters: messages in, receipts out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ConfigDict

from intake_service import usecases
from intake_service.api.common import AUDIT, LEAD, READ, RECEIVE, DepsDep
from intake_service.domain.message import MESSAGE_EXAMPLE, IncomingMessage
from intake_service.domain.record import Part
from intake_service.domain.views import DeliveryReceipt, QuarantineAccess, QuarantinedBody, QuarantinedMessage
from intake_service.usecases.errors import (
    AnotherMessage,
    MessageKeyReused,
    NoSuchAttachment,
    NoSuchReceipt,
    NothingToRetry,
    NotInQuarantine,
    NotYourChannel,
    ReceptionBusy,
    StoreAway,
    UnknownAttachment,
)
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.direct import DirectRoute
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}

receiving = APIRouter(tags=["messages"], route_class=DirectRoute)
router = APIRouter(tags=["messages"])


@receiving.post(
    "/v1/messages",
    status_code=202,
    response_model=DeliveryReceipt,
    summary="Hand in a message of a channel",
    responses={
        200: {"model": DeliveryReceipt, "description": "This was received before: its receipt as it stands."},
        **responses(NotYourChannel, MessageKeyReused, UnknownAttachment, ReceptionBusy, *ONCE_PROBLEMS),
    },
)
async def receive_message(
    request: Request,
    principal: Annotated[Principal, Depends(RECEIVE)],
    body: Annotated[IncomingMessage, Depends(JsonBody(IncomingMessage))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    """Kept for good when it is answered. The receipt tells whether it made a complaint, joined one, or could not be
    understood and is in quarantine."""
    return await usecases.receive_message(body, await request.body(), principal, once, deps)


@router.get("/v1/receipts", summary="Messages of machines, the latest first")
async def list_receipts(
    request: Request,
    principal: Annotated[Principal, Depends(LEAD)],
    paging: PagingDep,
    deps: DepsDep,
    status: Annotated[Literal["noted"], Query(description="What became of them.")] = "noted",
) -> Page[DeliveryReceipt]:
    """Answering machines, bounces, loops and our own mails: none has made a complaint. One that a person wrote after
    all is taken by `POST /v1/quarantine/{receipt_id}/retry`."""
    rows = await usecases.list_noted(paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.recorded_at, item.id))


@router.get(
    "/v1/receipts/{receipt_id}/html",
    summary="A complaint's message as its writer laid it out",
    response_class=HTMLResponse,
    responses=responses(NoSuchReceipt),
)
async def show_html(receipt_id: UUID, principal: Annotated[Principal, Depends(READ)], deps: DepsDep) -> HTMLResponse:
    """Without scripts, styles, forms, frames and remote pictures, and with a policy that would keep them from doing
    anything. Show it in a sandboxed frame."""
    return HTMLResponse(await usecases.show_html(receipt_id, deps), headers=_HARMLESS)


@router.get("/v1/receipts/{receipt_id}", summary="What became of a message", responses=responses(NoSuchReceipt))
async def show_receipt(
    receipt_id: UUID, principal: Annotated[Principal, Depends(RECEIVE)], deps: DepsDep
) -> DeliveryReceipt:
    return await usecases.show_receipt(receipt_id, principal, deps)


class Retry(Part):
    """What is to be looked at once more: the message as it came, or this one in its place."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": MESSAGE_EXAMPLE}]})

    message: IncomingMessage | None = None


@router.get("/v1/quarantine", summary="Messages that could not be understood, the oldest first")
async def list_quarantine(
    request: Request, principal: Annotated[Principal, Depends(LEAD)], paging: PagingDep, deps: DepsDep
) -> Page[QuarantinedMessage]:
    rows = await usecases.list_quarantine(paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.recorded_at, item.id))


@router.get(
    "/v1/quarantine/{receipt_id}",
    summary="One of them, with the request as it came",
    responses=responses(NoSuchReceipt, NotInQuarantine, NoSuchAttachment, StoreAway),
)
async def show_quarantined(
    receipt_id: UUID,
    principal: Annotated[Principal, Depends(LEAD)],
    deps: DepsDep,
    reason: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Why it is looked at; recorded (A6).")
    ] = "",
) -> QuarantinedBody:
    """The look is recorded, for the body may hold personal data. Also of a message that was noted as a machine's."""
    return await usecases.show_quarantined(receipt_id, reason, principal, deps)


@router.get(
    "/v1/quarantine/{receipt_id}/accesses", summary="Who looked at the body", responses=responses(NoSuchReceipt)
)
async def list_quarantine_accesses(
    receipt_id: UUID,
    request: Request,
    principal: Annotated[Principal, Depends(AUDIT)],
    paging: PagingDep,
    deps: DepsDep,
) -> Page[QuarantineAccess]:
    rows = await usecases.list_quarantine_accesses(receipt_id, paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.accessed_at, item.id))


@router.post(
    "/v1/quarantine/{receipt_id}/retry",
    response_model=DeliveryReceipt,
    summary="Look at it once more, as it came or corrected",
    responses=responses(
        NoSuchReceipt,
        NotInQuarantine,
        NothingToRetry,
        AnotherMessage,
        UnknownAttachment,
        NoSuchAttachment,
        StoreAway,
        ReceptionBusy,
        *ONCE_PROBLEMS,
    ),
)
async def retry(
    receipt_id: UUID,
    principal: Annotated[Principal, Depends(LEAD)],
    body: Annotated[Retry, Depends(JsonBody(Retry))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    """The receipt as it stands then: dealt with, or in quarantine still, with the doubts of today. A message that was
    noted as a machine's is taken as a person's by this."""
    return await usecases.retry(receipt_id, body.message, principal, once, deps)
