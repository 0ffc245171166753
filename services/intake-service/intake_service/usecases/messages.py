"""What a channel adapter hands in, and the receipt of it (A1, A3, A8)."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Response

from intake_service.channels.email.html import sanitised as harmless
from intake_service.domain.message import Doubt, IncomingMessage, understand
from intake_service.domain.person import Identity
from intake_service.domain.spam import Seen
from intake_service.domain.views import DeliveryReceipt
from intake_service.groupcommit import Overloaded, RaceLost
from intake_service.store import receipts as store
from intake_service.usecases.access import Adapter, check_channel
from intake_service.usecases.arrival import Arrival, receipt_of
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NoSuchReceipt, ReceptionBusy
from intake_service.usecases.placing import is_automatic
from intake_service.usecases.reception import Delivery, checked
from intake_service.usecases.spam import weighed
from shared.telemetry.tracing import current_traceparent
from shared.web.auth import Principal
from shared.web.errors import Problem
from shared.web.idempotency import Once

NO_KEY = Once("", None, b"")


async def receive_message(
    message: IncomingMessage, body: bytes, principal: Principal, once: Once, deps: Deps
) -> Response:
    """The receipt, after the commit: 202, or 200 with the first one where this delivery was received before.

    Raises `NotYourChannel`, `MessageKeyReused`, `ReceptionBusy`, and what `Once` raises.
    """
    check_channel(principal, message.source, part="source")
    return await received(arrived(message, body, principal, once, deps), deps)


async def received(arrival: Arrival, deps: Deps) -> Response:
    """The answer, after the commit. Raises `MessageKeyReused`, `NotInQuarantine`, `ReceptionBusy`."""
    try:
        outcome = await deps.messages.submit(arrival)
    except (Overloaded, RaceLost) as error:
        raise ReceptionBusy("Nothing was kept. Send it again in a few seconds.") from error
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def arrived(
    message: IncomingMessage, body: bytes, principal: Principal, once: Once, deps: Deps, *, by_a_person: bool = False
) -> Arrival:
    """`by_a_person`: somebody looked, and no machine wrote it, whatever it says."""
    now, settings, traceparent = deps.clock.now(), deps.settings, current_traceparent()
    found = understand(message, now, timedelta(seconds=settings.clock_skew_seconds), settings.phone_region)
    automatic = not by_a_person and is_automatic(message, settings) is not None
    delivery: Delivery | None = None
    doubts: tuple[Doubt, ...] = ()
    senders: tuple[Identity, ...] = ()
    if not isinstance(found, tuple):
        plain = checked(found.record(message), principal, NO_KEY, now, settings, traceparent)
        complainant = replace(plain.complainant, handles=found.handles)
        senders = complainant.identities
        if not automatic:
            delivery = replace(plain, complainant=complainant, reply=message.reply_session)
            seen = Seen(bulk=message.signs.bulk, unauthenticated=message.signs.unauthenticated)
            delivery = weighed(delivery, principal, seen, deps)
    elif not automatic:
        doubts = found
    return Arrival(
        message=message,
        delivery=delivery,
        doubts=doubts,
        body=body,
        fingerprint=fingerprint(message),
        actor=principal.actor,
        once=once,
        traceparent=traceparent,
        automatic=automatic,
        senders=senders,
    )


def fingerprint(message: IncomingMessage) -> bytes:
    """SHA-256 of what the message says, however its JSON was written, wherever an answer to it goes by now, and
    whoever checked it on its way. A part that is added to the contract later changes no fingerprint of a message
    without it."""
    told = message.model_dump_json(exclude_defaults=True, exclude={"reply", "signs", "details"})
    return hashlib.sha256(told.encode()).digest()


async def show_receipt(receipt_id: UUID, principal: Principal, deps: Deps) -> DeliveryReceipt:
    """What became of the message by now. Raises `NoSuchReceipt`, also where it is of another adapter's channel."""
    async with deps.reading() as tx:
        row = await store.find(tx, receipt_id)
    if row is None or not _may_see(principal, row["channel"], row["account"]):
        raise NoSuchReceipt(f"No message has the receipt {receipt_id}.")
    return receipt_of(row)


async def list_noted(after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> Sequence[DeliveryReceipt]:
    """Messages of machines, the latest first."""
    async with deps.reading() as tx:
        rows = await store.noted(tx, after, limit)
    return [receipt_of(row) for row in rows]


async def show_html(receipt_id: UUID, deps: Deps) -> str:
    """A message as its writer laid it out, made harmless. Raises `NoSuchReceipt`, also where no complaint has it: what
    nobody could understand is looked at in quarantine alone, and each look is recorded."""
    async with deps.reading() as tx:
        row = await store.find(tx, receipt_id)
    if row is None or row["complaint_id"] is None or not row["html"]:
        raise NoSuchReceipt(f"No complaint's message with HTML has the receipt {receipt_id}.")
    # It may have come from an adapter, and what is harmless is known better today than when it came.
    return await asyncio.to_thread(harmless, row["html"])


def _may_see(principal: Principal, channel: str, account: str) -> bool:
    return not isinstance(principal, Adapter) or (
        principal.channel in (None, channel) and principal.account in (None, account)
    )
