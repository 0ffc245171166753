"""Transfer tasks 转单 (C2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DepsDep, DoingDep, Name, Reader
from resolution_service.api.positions import after_instant
from resolution_service.domain.models import Transfer
from resolution_service.domain.orders import AnswerTransfer, GiveReason, OpenTransfer
from resolution_service.usecases import reading, transfers
from resolution_service.usecases.errors import (
    IllegalMove,
    ReasonMissing,
    TransferNotOpen,
    UnknownTeam,
    UnknownTransfer,
)
from shared.web.errors import responses
from shared.web.pages import BadCursor, Page, PagingDep, page

router = APIRouter(tags=["transfers"])


@router.post(
    "/v1/cases/{complaint_id}/transfers",
    status_code=201,
    response_model=Transfer,
    responses=responses(*COMMAND, UnknownTeam, ReasonMissing, IllegalMove),
    summary="Ask another department or a partner (C2)",
)
async def open_transfer(complaint_id: ComplaintId, body: OpenTransfer, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(transfers.open_transfer, principal, complaint_id, body, 201)


@router.get("/v1/transfers", responses=responses(BadCursor), summary="Transfer tasks, oldest first")
async def list_transfers(
    request: Request,
    principal: Reader,
    deps: DepsDep,
    paging: PagingDep,
    team: Annotated[Name | None, Query(description="Team id; `outside` for partners beyond the roster")] = None,
    open: Annotated[bool | None, Query(description="Those that wait for an answer, or only the others")] = None,
) -> Page[Transfer]:
    found = await reading.list_transfers(deps, principal, team, open, after_instant(paging), paging.limit + 1)
    return page(found, paging, request, key=lambda task: (task.opened_at, task.task_id))


@router.post(
    "/v1/transfers/{task_id}/answer",
    response_model=Transfer,
    responses=responses(*COMMAND, UnknownTransfer, TransferNotOpen),
    summary="Answer a transfer task",
)
async def answer_transfer(task_id: UUID, body: AnswerTransfer, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(transfers.answer_transfer, principal, task_id, body)


@router.post(
    "/v1/transfers/{task_id}/cancel",
    response_model=Transfer,
    responses=responses(*COMMAND, UnknownTransfer, TransferNotOpen),
    summary="Call a transfer task off",
)
async def cancel_transfer(task_id: UUID, body: GiveReason, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(transfers.cancel_transfer, principal, task_id, body)
