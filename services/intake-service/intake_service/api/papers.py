"""Complaints on paper."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from intake_service import usecases
from intake_service.api.channels import ChannelIdPath
from intake_service.api.common import COUNTER, DepsDep
from intake_service.channels.service_point import Paper
from intake_service.domain.receipt import Receipt
from intake_service.usecases.errors import RECEIVING, BadPage, ChannelAway, FormNumberTaken, NoSuchChannel
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep

router = APIRouter(tags=["complaints"])


@router.post(
    "/v1/channels/{channel_id}/papers",
    status_code=201,
    response_model=Receipt,
    summary="Record a complaint on paper that a service point took",
    responses={
        200: {"model": Receipt, "description": "This form was recorded before: the answer of the first time."},
        **responses(NoSuchChannel, ChannelAway, BadPage, FormNumberTaken, *RECEIVING, *ONCE_PROBLEMS),
    },
)
async def receive_paper(
    channel_id: ChannelIdPath,
    principal: Annotated[Principal, Depends(COUNTER)],
    body: Annotated[Paper, Depends(JsonBody(Paper))],
    once: OnceDep,
    deps: DepsDep,
) -> Response:
    """Its pages are uploaded first. One form number is one complaint, however often it is typed."""
    return await usecases.receive_paper(channel_id, body, principal, once, deps)
