"""Channels: stating them, and how they do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel

from intake_service import usecases
from intake_service.api.common import ADMIN, CHANNELS, KINDS, DepsDep
from intake_service.domain.channels import CHANNEL_ID, ChannelBody, ChannelView, KindView, Reconciliation
from intake_service.usecases.errors import BadChannel, ChannelIsAnother, NoSuchChannel
from shared.web.auth import Principal
from shared.web.body import JsonBody
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag

router = APIRouter(tags=["channels"])

ChannelIdPath = Annotated[str, Path(pattern=CHANNEL_ID, examples=["weibo-shop"])]


class Channels(BaseModel):
    data: list[ChannelView]


@router.get("/v1/channels", summary="All channels: health, last message, lag, owner")
async def list_channels(principal: Annotated[Principal, Depends(CHANNELS)], deps: DepsDep) -> Channels:
    """In order of their ids. Secrets are named, never shown."""
    return Channels(data=await usecases.list_channels(deps))


class Kinds(BaseModel):
    data: list[KindView]


@router.get("/v1/channel-kinds", summary="The kinds of channels, their settings and secrets")
async def list_kinds(principal: Annotated[Principal, Depends(KINDS)], deps: DepsDep) -> Kinds:
    """With the JSON Schema of the settings of each, so that a page can offer a form."""
    return Kinds(data=usecases.list_kinds(deps))


@router.get("/v1/reconciliation", summary="What came in against what is accounted for")
async def reconcile(principal: Annotated[Principal, Depends(CHANNELS)], deps: DepsDep) -> Reconciliation:
    """By channel and account. `unaccounted` must be 0."""
    return await usecases.reconcile(deps)


@router.get("/v1/channels/{channel_id}", summary="A channel", responses=responses(NoSuchChannel))
async def show_channel(
    channel_id: ChannelIdPath, principal: Annotated[Principal, Depends(CHANNELS)], deps: DepsDep, response: Response
) -> ChannelView:
    view = await usecases.show_channel(channel_id, deps)
    response.headers["ETag"] = etag(view.revision)
    return view


@router.put(
    "/v1/channels/{channel_id}",
    summary="Add a channel or change it",
    responses={
        201: {"model": ChannelView, "description": "The channel is new."},
        **responses(BadChannel, ChannelIsAnother, PreconditionFailed),
    },
)
async def put_channel(
    channel_id: ChannelIdPath,
    principal: Annotated[Principal, Depends(ADMIN)],
    body: Annotated[ChannelBody, Depends(JsonBody(ChannelBody))],
    deps: DepsDep,
    response: Response,
    if_match: IfMatch = None,
) -> ChannelView:
    """Whoever serves channels hears of it within seconds. Every revision is kept. A secret that is not there yet does
    not stand in the way: the channel is `unhealthy` and says what is missing."""
    view, is_new = await usecases.put_channel(channel_id, body, if_match, principal.actor, deps)
    response.status_code = 201 if is_new else 200
    response.headers["ETag"] = etag(view.revision)
    return view


@router.delete(
    "/v1/channels/{channel_id}", summary="Disable a channel", responses=responses(NoSuchChannel, PreconditionFailed)
)
async def disable_channel(
    channel_id: ChannelIdPath,
    principal: Annotated[Principal, Depends(ADMIN)],
    deps: DepsDep,
    response: Response,
    if_match: IfMatch = None,
) -> ChannelView:
    """It is served no more. Nothing is deleted: what came by it stays, and how far it was fetched."""
    view = await usecases.disable_channel(channel_id, if_match, principal.actor, deps)
    response.headers["ETag"] = etag(view.revision)
    return view
