"""Messages and notices as they are listed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from notify_service.domain import Message, Status
from notify_service.store.outgoing import message_of
from notify_service.store.tables import messages
from shared.contracts.vocabulary import Means, Purpose

_AGAIN = text(
    "update messages set status = 'queued', attempts = 0, round = round + 1, due_at = :now, reason = '' "
    "where message_id = :id returning *"
)


async def find(tx: AsyncSession, message_id: UUID, *, lock: bool = False) -> Message | None:
    query = select(messages).where(messages.c.message_id == message_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    return message_of(row) if row else None


async def queue_again(tx: AsyncSession, message_id: UUID, now: datetime) -> Message:
    return message_of((await tx.execute(_AGAIN, {"id": message_id, "now": now})).one())


async def list_messages(
    tx: AsyncSession,
    *,
    complaint_id: UUID | None,
    status: Status | None,
    purpose: Purpose | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Message]:
    """Newest first, behind the position `after`."""
    query = select(messages).order_by(messages.c.created_at.desc(), messages.c.message_id.desc()).limit(limit)
    if complaint_id is not None:
        query = query.where(messages.c.complaint_id == complaint_id)
    if status is not None:
        query = query.where(messages.c.status == status)
    if purpose is not None:
        query = query.where(messages.c.purpose == purpose)
    if after is not None:
        query = query.where(tuple_(messages.c.created_at, messages.c.message_id) < tuple_(*after))
    return [message_of(row) for row in await tx.execute(query)]


async def list_notices(
    tx: AsyncSession, recipient_key: str, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Message]:
    """Notices in the system to one person, colleague or team, newest first."""
    query = (
        select(messages)
        .where(messages.c.recipient_key == recipient_key)
        .where(messages.c.means == Means.IN_SYSTEM, messages.c.status == Status.DELIVERED)
        .order_by(messages.c.delivered_at.desc(), messages.c.message_id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(messages.c.delivered_at, messages.c.message_id) < tuple_(*after))
    return [message_of(row) for row in await tx.execute(query)]
