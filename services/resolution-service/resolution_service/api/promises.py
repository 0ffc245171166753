"""Promises and progress (C5)."""

from uuid import UUID

from fastapi import APIRouter, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DoingDep
from resolution_service.domain.models import Progress, Promise
from resolution_service.domain.orders import Done, GiveReason, MakePromise, TellProgress
from resolution_service.usecases import promises
from resolution_service.usecases.errors import PromiseNotOpen, UnknownPromise
from shared.web.errors import responses

router = APIRouter(tags=["promises and progress"])


@router.post(
    "/v1/cases/{complaint_id}/promises",
    status_code=201,
    response_model=Promise,
    responses=responses(*COMMAND),
    summary="Promise the customer something by a time",
)
async def make_promise(complaint_id: ComplaintId, body: MakePromise, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(promises.make_promise, principal, complaint_id, body, 201)


@router.post(
    "/v1/promises/{promise_id}/keep",
    response_model=Promise,
    responses=responses(*COMMAND, UnknownPromise, PromiseNotOpen),
    summary="The promise was kept",
)
async def keep_promise(promise_id: UUID, principal: Agent, doing: DoingDep, body: Done | None = None) -> Response:
    return await doing.thing(promises.keep_promise, principal, promise_id, body or Done())


@router.post(
    "/v1/promises/{promise_id}/withdraw",
    response_model=Promise,
    responses=responses(*COMMAND, UnknownPromise, PromiseNotOpen),
    summary="The promise cannot be kept",
)
async def withdraw_promise(promise_id: UUID, body: GiveReason, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(promises.withdraw_promise, principal, promise_id, body)


@router.post(
    "/v1/cases/{complaint_id}/progress",
    status_code=201,
    response_model=Progress,
    responses=responses(*COMMAND, UnknownPromise, PromiseNotOpen),
    summary="Tell the customer how it stands",
)
async def tell_progress(complaint_id: ComplaintId, body: TellProgress, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(promises.tell_progress, principal, complaint_id, body, 201)
