"""Messages that could not be understood: looking at them, and trying again (A8)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fastapi import Response
from sqlalchemy.engine import RowMapping

from intake_service.domain.message import IncomingMessage
from intake_service.domain.views import DeliveryStatus, QuarantinedBody, QuarantinedMessage
from intake_service.store import receipts as store
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import AnotherMessage, NoSuchReceipt, NotInQuarantine
from intake_service.usecases.messages import arrived, received
from shared.web.auth import Principal
from shared.web.idempotency import Once


async def list_quarantine(after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> Sequence[QuarantinedMessage]:
    """What could not be understood, the oldest first, without what it says."""
    async with deps.reading() as tx:
        rows = await store.quarantined(tx, after, limit)
    return [QuarantinedMessage(**{name: row[name] for name in QuarantinedMessage.model_fields}) for row in rows]


async def show_quarantined(receipt_id: UUID, deps: Deps) -> QuarantinedBody:
    """Raises `NoSuchReceipt`, `NotInQuarantine`."""
    row = await _quarantined(receipt_id, deps)
    shown = {name: row[name] for name in QuarantinedMessage.model_fields}
    return QuarantinedBody(**shown, body=b64encode(row["body"]).decode())


async def retry(
    receipt_id: UUID, corrected: IncomingMessage | None, principal: Principal, once: Once, deps: Deps
) -> Response:
    """Look at a message once more, as it came or `corrected`; the answer is its receipt as it stands then.

    Raises `NoSuchReceipt`, `NotInQuarantine`, `AnotherMessage`, `ReceptionBusy`.
    """
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
    row = await _quarantined(receipt_id, deps)
    message = corrected or IncomingMessage.model_validate_json(row["body"])
    if message.source.key != (row["channel"], row["account"], row["message_id"]):
        raise AnotherMessage(
            f"Receipt {receipt_id} is of {row['channel']}, {row['account']}, {row['message_id']}.",
            pointer="/message/source",
        )
    return await received(replace(arrived(message, row["body"], principal, once, deps), retried=receipt_id), deps)


async def _quarantined(receipt_id: UUID, deps: Deps) -> RowMapping:
    async with deps.reading() as tx:
        row = await store.find(tx, receipt_id)
    if row is None:
        raise NoSuchReceipt(f"No message has the receipt {receipt_id}.")
    if row["status"] != DeliveryStatus.QUARANTINED:
        raise NotInQuarantine(f"It is {row['status']}; GET /v1/receipts/{receipt_id} tells more.")
    return row
