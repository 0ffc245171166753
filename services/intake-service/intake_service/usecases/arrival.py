"""A message on its way into a batch, and what is written and told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping

from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import Doubt, IncomingMessage
from intake_service.domain.person import Identity
from intake_service.domain.views import ComplaintRef, DeliveryReceipt, DeliveryStatus, DetailsView
from intake_service.usecases.reception import Delivery
from shared.contracts.envelope import Actor
from shared.web.idempotency import Once


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message on its way into a batch. `delivery` is the complaint that it makes where it belongs to none; None where
    there are `doubts`. `fingerprint` tells whether the same key comes with another message. `retried` is the receipt of
    a message that is taken out of quarantine to be looked at once more. Of what came by a configured channel, `owner`
    is in charge where there are doubts, and `envelope` is the message as the channel read it from `body`.
    `automatic`: a machine wrote it, `senders` are its identities. `twins` are the keys under which other accounts of
    ours may have the same message. `body_sha256` is where the attachment store has the body, where it is large. `again`
    is what became of a message that is `retried`."""

    message: IncomingMessage
    delivery: Delivery | None
    doubts: tuple[Doubt, ...]
    body: bytes
    fingerprint: bytes
    actor: Actor
    once: Once
    traceparent: str | None
    retried: UUID | None = None
    channel_id: str | None = None
    owner: str | None = None
    envelope: bytes | None = None
    automatic: bool = False
    senders: tuple[Identity, ...] = ()
    twins: frozenset[NaturalKey] = frozenset()
    body_sha256: str | None = None
    again: DeliveryStatus | None = None

    @property
    def references(self) -> frozenset[NaturalKey]:
        return self.message.source.references | self.twins


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an arrival."""

    status: DeliveryStatus
    complaint: ComplaintRef | None = None
    suggested: ComplaintRef | None = None


def receipt_row(
    receipt_id: UUID, arrival: Arrival, settled: Settled, owner: str | None, now: datetime, due_at: datetime
) -> dict[str, Any]:
    """`due_at` is when it must have been looked at, if it is in quarantine."""
    source = arrival.message.source
    quarantined = settled.status is DeliveryStatus.QUARANTINED
    details = arrival.message.details
    return {
        "id": receipt_id,
        "channel": source.channel,
        "account": source.account,
        "message_id": source.message_id,
        "thread_id": source.thread_id,
        "status": settled.status,
        "complaint_id": settled.complaint and settled.complaint.id,
        "suggested_id": settled.suggested and settled.suggested.id,
        "doubts": [doubt.model_dump(mode="json") for doubt in arrival.doubts] if quarantined else [],
        "owner": owner,
        "actor": arrival.actor.model_dump(mode="json"),
        "recorded_at": now,
        "fingerprint": arrival.fingerprint,
        "body": None if arrival.body_sha256 else arrival.body,
        "body_sha256": arrival.body_sha256,
        "channel_id": arrival.channel_id,
        "envelope": arrival.envelope if quarantined or settled.status is DeliveryStatus.NOTED else None,
        "due_at": due_at if quarantined else None,
        "details": details and details.model_dump(mode="json", exclude={"html"}),
        "html": (details and details.html) or None,
    }


def message_row(message_id: UUID, complaint_id: UUID, arrival: Arrival, text: str, now: datetime) -> dict[str, Any]:
    source = arrival.message.source
    return {
        "id": message_id,
        "complaint_id": complaint_id,
        "direction": "automatic" if arrival.automatic else "inbound",
        "channel": source.channel,
        "account": source.account,
        "seat": None,
        "message_id": source.message_id,
        "text": text,
        "attachments": [attachment.model_dump(mode="json") for attachment in arrival.message.attachments],
        "actor": arrival.actor.model_dump(mode="json"),
        "sent_at": arrival.message.occurred_at,
        "recorded_at": now,
    }


def receipt_view(
    row: Mapping[str, Any] | RowMapping, complaint: ComplaintRef | None, suggested: ComplaintRef | None
) -> DeliveryReceipt:
    return DeliveryReceipt(
        **{name: row[name] for name in ("id", "status", "channel", "account", "message_id", "recorded_at", "doubts")},
        details=details_view(row["id"], row["details"], bool(row["html"])),
        complaint=complaint,
        suggested=suggested,
    )


def details_view(receipt_id: UUID, details: Mapping[str, Any] | None, has_html: bool) -> DetailsView | None:
    if details is None:
        return None
    return DetailsView(**details, html_href=f"/v1/receipts/{receipt_id}/html" if has_html else None)


def receipt_of(row: RowMapping) -> DeliveryReceipt:
    """Of a row with the numbers of its complaints."""
    return receipt_view(
        row,
        ComplaintRef(id=row["complaint_id"], number=row["number"]) if row["complaint_id"] else None,
        ComplaintRef(id=row["suggested_id"], number=row["suggested_number"]) if row["suggested_id"] else None,
    )
