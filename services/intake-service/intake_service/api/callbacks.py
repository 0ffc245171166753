"""Doors for providers that call us. Nobody signs in here: each call carries the signature of its channel's secret."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from intake_service import usecases
from intake_service.api.channels import ChannelIdPath
from intake_service.api.common import DepsDep
from intake_service.channels.wecom.crypto import Signed
from intake_service.usecases.errors import (
    ChannelAway,
    ForgedCallback,
    NoSuchChannel,
    ReceptionBusy,
    StaleCallback,
    StoreAway,
)
from shared.web.errors import BadRequest, responses

router = APIRouter(tags=["callbacks"])
REFUSALS = (NoSuchChannel, ForgedCallback, StaleCallback, ChannelAway)
_PLAIN: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


async def _signed(
    msg_signature: Annotated[str, Query(max_length=100)],
    timestamp: Annotated[str, Query(max_length=20)],
    nonce: Annotated[str, Query(max_length=200)],
) -> Signed:
    return Signed(msg_signature, timestamp, nonce)


SignedDep = Annotated[Signed, Depends(_signed)]


@router.get(
    "/v1/channels/{channel_id}/wecom",
    summary="WeCom asks whether this address is ours",
    response_class=Response,
    responses={**_PLAIN, **responses(*REFUSALS)},
)
async def verify_wecom(
    channel_id: ChannelIdPath, signed: SignedDep, echostr: Annotated[str, Query(max_length=2000)], deps: DepsDep
) -> Response:
    """Answers with what `echostr` holds, where it was signed and encrypted with the channel's secrets."""
    return Response(await usecases.verify_wecom(channel_id, signed, echostr, deps), media_type="text/plain")


@router.post(
    "/v1/channels/{channel_id}/wecom",
    summary="WeCom says that a customer wrote",
    response_class=Response,
    responses={**_PLAIN, **responses(*REFUSALS, BadRequest)},
)
async def hear_wecom(channel_id: ChannelIdPath, signed: SignedDep, request: Request, deps: DepsDep) -> Response:
    """The message is not in it: it is fetched by `kf/sync_msg`, at once."""
    await usecases.hear_wecom(channel_id, signed, await request.body(), deps)
    return Response("success", media_type="text/plain")


class Taken(BaseModel):
    """The callback was taken. What became of the message is in its receipt."""

    taken: bool = True


@router.post(
    "/v1/channels/{channel_id}/dingtalk",
    summary="DingTalk says what a customer told the robot",
    responses=responses(*REFUSALS, ReceptionBusy, StoreAway),
)
async def receive_dingtalk(
    channel_id: ChannelIdPath,
    request: Request,
    deps: DepsDep,
    sign: Annotated[str, Header(max_length=200)],
    timestamp: Annotated[str, Header(max_length=20)],
) -> Taken:
    """Kept for good when it is answered."""
    await usecases.receive_dingtalk(channel_id, sign, timestamp, await request.body(), deps)
    return Taken()
