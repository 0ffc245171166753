"""Doors for programs of the house: nobody signs in here, each body is signed with its channel's secret."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel

from intake_service import usecases
from intake_service.api.callbacks import REFUSALS
from intake_service.api.channels import ChannelIdPath
from intake_service.api.common import DepsDep
from intake_service.channels.in_app import Feedback
from intake_service.channels.social_feed import Posts
from intake_service.channels.webhook import Signature
from intake_service.domain.views import DeliveryReceipt
from intake_service.usecases.errors import ReceptionBusy
from shared.web.body import RawJson
from shared.web.errors import BadRequest, responses

router = APIRouter(tags=["signed doors"])


async def _signature(
    webhook_id: Annotated[str, Header(max_length=255)],
    webhook_timestamp: Annotated[str, Header(max_length=20, description="Unix time in seconds, five minutes old.")],
    webhook_signature: Annotated[
        str,
        Header(
            max_length=2000,
            description="`v1,` and Base64 of HMAC-SHA-256 of `{id}.{timestamp}.{body}` (Standard Webhooks).",
        ),
    ],
) -> Signature:
    return Signature(webhook_id, webhook_timestamp, webhook_signature)


SignatureDep = Annotated[Signature, Depends(_signature)]


@router.post(
    "/v1/channels/{channel_id}/feedback",
    status_code=202,
    summary="Feedback from within an app",
    responses=responses(*REFUSALS, ReceptionBusy),
)
async def receive_feedback(
    channel_id: ChannelIdPath,
    signature: SignatureDep,
    body: Annotated[bytes, Depends(RawJson(Feedback))],
    deps: DepsDep,
) -> DeliveryReceipt:
    """Kept for good when it is answered; sent again, it is answered with the first receipt."""
    return await usecases.receive_feedback(channel_id, signature, body, deps)


class PostReceipts(BaseModel):
    """In the order of the items."""

    receipts: list[DeliveryReceipt]


@router.post(
    "/v1/channels/{channel_id}/posts",
    status_code=202,
    summary="Posts and comments that a feed found",
    responses=responses(*REFUSALS, BadRequest, ReceptionBusy),
)
async def receive_posts(
    channel_id: ChannelIdPath,
    signature: SignatureDep,
    body: Annotated[bytes, Depends(RawJson(Posts))],
    deps: DepsDep,
) -> PostReceipts:
    """Each item is kept by itself; one that can't be read is in quarantine and spoils no other."""
    return PostReceipts(receipts=await usecases.receive_posts(channel_id, signature, body, deps))
