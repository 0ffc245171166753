"""Messages that could not be understood: looking at them, and trying again (A8)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fastapi import Response
from sqlalchemy.engine import RowMapping

from intake_service.domain.message import IncomingMessage
from intake_service.domain.views import DeliveryStatus, QuarantineAccess, QuarantinedBody, QuarantinedMessage
from intake_service.store import channels as channel_store
from intake_service.store import receipts as store
from intake_service.usecases.attachments import whole
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import AnotherMessage, NoSuchReceipt, NothingToRetry, NotInQuarantine
from intake_service.usecases.messages import arrived, received
from shared.contracts.vocabulary import Channel
from shared.web.auth import Principal
from shared.web.idempotency import Once


async def list_quarantine(after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> Sequence[QuarantinedMessage]:
    """What could not be understood, the oldest first, without what it says."""
    async with deps.reading() as tx:
        rows = await store.quarantined(tx, after, limit)
    return [QuarantinedMessage(**{name: row[name] for name in QuarantinedMessage.model_fields}) for row in rows]


async def show_quarantined(receipt_id: UUID, reason: str, principal: Principal, deps: Deps) -> QuarantinedBody:
    """With the body; that it was shown is committed before it is. Raises `NoSuchReceipt`, `NotInQuarantine`,
    `StoreAway`."""
    row = await _open(receipt_id, deps)
    body = await _body(row, deps)
    async with deps.session() as tx:
        await store.insert_access(
            tx,
            {
                "id": deps.ids(),
                "receipt_id": receipt_id,
                "actor": principal.actor.model_dump(mode="json"),
                "reason": reason,
                "accessed_at": deps.clock.now(),
            },
        )
    shown = {name: row[name] for name in QuarantinedMessage.model_fields}
    return QuarantinedBody(**shown, body=b64encode(body).decode())


async def _body(row: RowMapping, deps: Deps) -> bytes:
    """As it came. Raises `StoreAway`, `NoSuchAttachment`."""
    if row["body"] is not None:
        return bytes(row["body"])
    return await whole(row["body_sha256"], deps)


async def list_quarantine_accesses(
    receipt_id: UUID, after: tuple[datetime, UUID] | None, limit: int, deps: Deps
) -> Sequence[QuarantineAccess]:
    """Who looked at the body, the latest first. Raises `NoSuchReceipt`."""
    async with deps.reading() as tx:
        if await store.find(tx, receipt_id) is None:
            raise _no_such(receipt_id)
        rows = await store.accesses_of(tx, receipt_id, after, limit)
    return [QuarantineAccess(**row) for row in rows]


async def retry(
    receipt_id: UUID, corrected: IncomingMessage | None, principal: Principal, once: Once, deps: Deps
) -> Response:
    """Look at a message once more, as it came or `corrected`; the answer is its receipt as it stands then. One that was
    noted as a machine's is a person's by this.

    Raises `NoSuchReceipt`, `NotInQuarantine`, `AnotherMessage`, `NothingToRetry`, `ReceptionBusy`, `StoreAway`.
    """
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
    row = await _open(receipt_id, deps)
    message = corrected or await _anew(row, deps)
    if message.source.key != (row["channel"], row["account"], row["message_id"]):
        raise AnotherMessage(
            f"Receipt {receipt_id} is of {row['channel']}, {row['account']}, {row['message_id']}.",
            pointer="/message/source",
        )
    again = DeliveryStatus(row["status"])
    arrival = arrived(message, b"", principal, once, deps, by_a_person=again is DeliveryStatus.NOTED)
    kept = {name: row[name] for name in ("channel_id", "owner", "envelope")}
    return await received(replace(arrival, retried=receipt_id, again=again, **kept), deps)


async def _anew(row: RowMapping, deps: Deps) -> IncomingMessage:
    """The message once more, by the reader of today where its channel has one. Raises `NothingToRetry`."""
    if row["channel_id"] is None:
        return IncomingMessage.model_validate_json(row["body"])
    async with deps.reading() as tx:
        kept = await channel_store.find(tx, row["channel_id"])
    kind = deps.kinds.get(kept.spec.kind) if kept is not None else None
    if kept is not None and kind is not None and kind.read is not None:
        read = kind.read(kept.spec, await _body(row, deps)).message
        if isinstance(read, IncomingMessage):
            named = {name: row[name] for name in ("account", "message_id")}
            source = read.source.model_copy(update={"channel": Channel(row["channel"]), **named})
            # Its files were kept when it came; reading it again brings none.
            first = row["envelope"] and IncomingMessage.model_validate_json(row["envelope"])
            files = first.attachments if first else read.attachments
            return read.model_copy(update={"source": source, "attachments": files})
    if row["envelope"] is None:
        raise NothingToRetry("Send the message in `message`, with its channel, account and message id.")
    return IncomingMessage.model_validate_json(row["envelope"])


async def _open(receipt_id: UUID, deps: Deps) -> RowMapping:
    """Of a message that is in quarantine, or was noted. Raises `NoSuchReceipt`, `NotInQuarantine`."""
    async with deps.reading() as tx:
        row = await store.find(tx, receipt_id)
    if row is None:
        raise _no_such(receipt_id)
    if row["body"] is None and row["body_sha256"] is None:
        raise NotInQuarantine("What it said was erased with its sender.")
    if row["status"] not in (DeliveryStatus.QUARANTINED, DeliveryStatus.NOTED):
        raise NotInQuarantine(f"It is {row['status']}; GET /v1/receipts/{receipt_id} tells more.")
    return row


def _no_such(receipt_id: UUID) -> NoSuchReceipt:
    return NoSuchReceipt(f"No message has the receipt {receipt_id}.")
