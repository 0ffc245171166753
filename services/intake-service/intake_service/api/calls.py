"""Calls of the hotline, and those that nobody recorded."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints

from intake_service import usecases
from intake_service.api.callbacks import REFUSALS
from intake_service.api.channels import ChannelIdPath
from intake_service.api.common import READ, WRITE, DepsDep
from intake_service.api.doors import SignatureDep
from intake_service.channels.cti import CallEvent
from intake_service.domain.calls import Dismiss
from intake_service.domain.channels import ChannelId
from intake_service.domain.record import COMPLAINT_KEY
from intake_service.domain.views import CallView
from intake_service.usecases.errors import CallHasRecord, ImpossibleRecord, NoSuchCall
from shared.web.auth import Principal
from shared.web.body import JsonBody, RawJson
from shared.web.errors import responses
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["calls"])

ComplaintKeyQuery = Annotated[str, StringConstraints(pattern=COMPLAINT_KEY)]


@router.post(
    "/v1/channels/{channel_id}/calls",
    summary="What happened to a call, as the telephone system tells",
    responses=responses(*REFUSALS, ImpossibleRecord),
)
async def hear_call(
    channel_id: ChannelIdPath,
    signature: SignatureDep,
    body: Annotated[bytes, Depends(RawJson(CallEvent))],
    deps: DepsDep,
) -> CallView:
    """The call as it is known by now: its events may come in any order, and more than once."""
    return await usecases.hear_call(channel_id, signature, body, deps)


@router.get("/v1/calls", summary="Calls, the latest first")
async def list_calls(
    request: Request,
    principal: Annotated[Principal, Depends(READ)],
    paging: PagingDep,
    deps: DepsDep,
    channel_id: Annotated[ChannelId | None, Query(description="Only this channel's.")] = None,
    complaint: Annotated[ComplaintKeyQuery | None, Query(description="Only what this one was recorded of.")] = None,
    without_record: Annotated[
        bool, Query(description="Only those that ended, must have a record by now, and have none.")
    ] = False,
) -> Page[CallView]:
    key = complaint if complaint is None or complaint.startswith("C-") else UUID(complaint)
    position = paging.after(datetime, UUID)
    rows = await usecases.list_calls(channel_id, key, without_record, position, paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.heard_at, item.id))


@router.post(
    "/v1/calls/{call}/dismiss",
    summary="Say that a call needs no record",
    responses=responses(NoSuchCall, CallHasRecord),
)
async def dismiss_call(
    call: UUID,
    principal: Annotated[Principal, Depends(WRITE)],
    body: Annotated[Dismiss, Depends(JsonBody(Dismiss))],
    deps: DepsDep,
) -> CallView:
    """Once and for all; the first reason stays. A record that is typed later is joined all the same."""
    return await usecases.dismiss_call(call, body, principal, deps)
