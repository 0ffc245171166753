"""Doors for programs of the house that sign what they send, as Standard Webhooks says (A1, A8)."""

import asyncio

from intake_service.channels import OpenChannel, in_app, social_feed
from intake_service.channels.webhook import Signature, keys_of
from intake_service.domain.views import DeliveryReceipt
from intake_service.usecases.callbacks import MAX_AGE, refusals
from intake_service.usecases.channels import serving
from intake_service.usecases.deps import Deps
from intake_service.usecases.handing import hand_in
from shared.web.errors import BadRequest


async def signed_by(kind: str, channel_id: str, signature: Signature, body: bytes, deps: Deps) -> OpenChannel:
    """The channel whose secret the body was signed with, within five minutes.

    Raises `NoSuchChannel`, `ForgedCallback`, `StaleCallback`, `ChannelAway`.
    """
    with refusals():
        channel = await serving(kind, channel_id, deps)
        signature.check(body, keys_of(channel.secrets), deps.clock.now(), MAX_AGE)
        return channel


async def receive_feedback(channel_id: str, signature: Signature, body: bytes, deps: Deps) -> DeliveryReceipt:
    """Keeps what was written in the app; what can't be read is in quarantine. Raises what `signed_by` raises, and
    `ReceptionBusy`."""
    channel = await signed_by("in_app", channel_id, signature, body, deps)
    arrived = in_app.incoming(channel.spec, body)
    return await hand_in(channel.spec, arrived.message, arrived.raw, deps)


async def receive_posts(channel_id: str, signature: Signature, body: bytes, deps: Deps) -> list[DeliveryReceipt]:
    """Keeps each item by itself; the receipts are in the order of the items. Raises what `signed_by` raises,
    `BadRequest` where it is no list of items, and `ReceptionBusy`: then nothing is sure, send it again."""
    channel = await signed_by("social_feed", channel_id, signature, body, deps)
    items = social_feed.split(body)
    if items is None:
        raise BadRequest(f"Send an object with `items`, a list of {social_feed.MAX_ITEMS} at most.", pointer="/items")
    arrived = [social_feed.incoming(channel.spec, each) for each in items]
    kept = await asyncio.gather(
        *(hand_in(channel.spec, each.message, each.raw, deps) for each in arrived), return_exceptions=True
    )
    receipts = [each for each in kept if isinstance(each, DeliveryReceipt)]
    for each in kept:
        if isinstance(each, BaseException):
            raise each
    return receipts
