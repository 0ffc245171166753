"""Outgoing messages and notices in the system."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from notify_service import usecases
from notify_service.api.shapes import DepsDep, LeadDep, MessageOut, NoticeOut, StaffDep
from notify_service.domain import Status
from notify_service.usecases.errors import MessageNotFailed, MessageNotFound
from shared.contracts.vocabulary import Purpose
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["messages"])

Recipient = Annotated[
    str,
    Query(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="A complainant's person id, a colleague's staff id, `team:<team id>`, or `unassigned`",
        examples=["team:rd"],
    ),
]


@router.get("/v1/messages")
async def list_messages(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    complaint: UUID | None = None,
    status: Status | None = None,
    purpose: Purpose | None = None,
) -> Page[MessageOut]:
    """Newest first."""
    found = await usecases.list_messages(
        complaint, status, purpose, paging.after(datetime, UUID), paging.limit + 1, deps
    )
    shown = [MessageOut.of(message) for message in found]
    return page(shown, paging, request, key=lambda message: (message.created_at, message.message_id))


@router.get("/v1/messages/{message_id}", responses=responses(MessageNotFound))
async def get_message(message_id: UUID, principal: StaffDep, deps: DepsDep) -> MessageOut:
    return MessageOut.of(await usecases.get_message(message_id, deps))


@router.post(
    "/v1/messages/{message_id}/retry",
    status_code=202,
    response_model=MessageOut,
    responses=responses(MessageNotFound, MessageNotFailed, *ONCE_PROBLEMS),
)
async def retry(message_id: UUID, principal: LeadDep, deps: DepsDep, once: OnceDep) -> Response:
    """Queue a failed message again, after what made it fail was mended."""
    return await once.perform(
        deps.session, lambda tx: usecases.try_again(message_id, tx, deps), shape=MessageOut.of, status=202
    )


@router.get("/v1/notices")
async def list_notices(
    request: Request, principal: StaffDep, deps: DepsDep, paging: PagingDep, recipient: Recipient
) -> Page[NoticeOut]:
    """Notices in the system to one recipient, newest first."""
    found = await usecases.list_notices(recipient, paging.after(datetime, UUID), paging.limit + 1, deps)
    shown = [NoticeOut.of(message) for message in found]
    return page(shown, paging, request, key=lambda notice: (notice.delivered_at, notice.message_id))
