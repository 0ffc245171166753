"""Reading complaints, and what is said about them later: messages, notes, links."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, desc, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.complaint import NaturalKey
from intake_service.store.tables import complaints, links, messages, notes, outcomes
from shared.contracts.vocabulary import Channel, LinkRelation

_OUTCOME = [outcomes.c[name] for name in ("state", "cycle", "moved_at", "resolved_at", "result", "measure_kinds")]


def _with_outcome(*columns: Any) -> Select[Any]:
    joined = complaints.outerjoin(outcomes, outcomes.c.complaint_id == complaints.c.id)
    return select(*columns, *_OUTCOME, outcomes.c.complaint_id.label("heard")).select_from(joined)


async def find(tx: AsyncSession, key: UUID | str) -> RowMapping | None:
    """A complaint with its outcome, by id or number."""
    column = complaints.c.id if isinstance(key, UUID) else complaints.c.number
    found = (await tx.execute(_with_outcome(complaints).where(column == key))).mappings()
    row: RowMapping | None = found.one_or_none()
    return row


async def hold(tx: AsyncSession, keys: Sequence[UUID | str], *, alone: bool = False) -> list[RowMapping]:
    """Complaints by id or number, held against erasure until the commit; `alone` also against other holders."""
    ids = [key for key in keys if isinstance(key, UUID)]
    numbers = [key for key in keys if isinstance(key, str)]
    asked = select(complaints).where(or_(complaints.c.id.in_(ids), complaints.c.number.in_(numbers)))
    found = await tx.execute(asked.order_by(complaints.c.id).with_for_update(read=not alone, key_share=alone))
    return list(found.mappings())


async def page_of(
    tx: AsyncSession,
    *,
    person_id: UUID | None = None,
    channel: Channel | None = None,
    accounts: Collection[tuple[str, str]] | None = None,
    spam: bool | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[RowMapping]:
    """Complaints with their outcomes, the latest first."""
    asked = _with_outcome(complaints).order_by(desc(complaints.c.received_at), desc(complaints.c.id)).limit(limit)
    if person_id is not None:
        asked = asked.where(complaints.c.person_id == person_id)
    if channel is not None:
        asked = asked.where(complaints.c.channel == channel)
    if accounts is not None:
        asked = asked.where(tuple_(complaints.c.channel, complaints.c.account).in_(accounts))
    if spam is not None:
        asked = asked.where(complaints.c.spam_listed.is_(spam))
    if after is not None:
        asked = asked.where(tuple_(complaints.c.received_at, complaints.c.id) < tuple_(*after))
    return list((await tx.execute(asked)).mappings())


async def clear_of_spam(tx: AsyncSession, complaint_id: UUID, cleared: dict[str, Any]) -> None:
    changed = update(complaints).where(complaints.c.id == complaint_id)
    await tx.execute(changed.values(spam_listed=False, spam_cleared=cleared))


async def count_of(tx: AsyncSession, person_id: UUID) -> int:
    counted = select(func.count()).select_from(complaints).where(complaints.c.person_id == person_id)
    return (await tx.execute(counted)).scalar_one()


async def insert_message(tx: AsyncSession, row: dict[str, Any]) -> RowMapping | None:
    """None when it is written; else the message that came by this delivery before."""
    written = upsert(messages).values(row).on_conflict_do_nothing(constraint="uq_messages_delivery")
    if (await tx.execute(written.returning(messages.c.id))).one_or_none() is not None:
        return None
    first = select(messages).where(
        messages.c.channel == row["channel"],
        messages.c.account == row["account"],
        messages.c.message_id == row["message_id"],
    )
    return (await tx.execute(first)).mappings().one()


async def delete_automatic(tx: AsyncSession, keys: Sequence[NaturalKey]) -> None:
    """Take machines' messages off the threads that they stand on."""
    if keys:
        named = tuple_(messages.c.channel, messages.c.account, messages.c.message_id)
        await tx.execute(delete(messages).where(named.in_(keys), messages.c.direction == "automatic"))


async def messages_of(
    tx: AsyncSession, complaint_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    """A complaint's thread, the oldest first."""
    asked = select(messages).where(messages.c.complaint_id == complaint_id)
    if after is not None:
        asked = asked.where(tuple_(messages.c.sent_at, messages.c.id) > tuple_(*after))
    return list((await tx.execute(asked.order_by(messages.c.sent_at, messages.c.id).limit(limit))).mappings())


async def insert_note(tx: AsyncSession, row: dict[str, Any]) -> None:
    await tx.execute(insert(notes).values(row))


async def notes_of(
    tx: AsyncSession, complaint_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    asked = select(notes).where(notes.c.complaint_id == complaint_id)
    if after is not None:
        asked = asked.where(tuple_(notes.c.written_at, notes.c.id) > tuple_(*after))
    return list((await tx.execute(asked.order_by(notes.c.written_at, notes.c.id).limit(limit))).mappings())


async def insert_link(tx: AsyncSession, row: dict[str, Any]) -> bool:
    """False where there is one already: the same link, or another original of a duplicate."""
    written = upsert(links).values(row).on_conflict_do_nothing().returning(links.c.linked_at)
    return (await tx.execute(written)).one_or_none() is not None


async def originals_of(tx: AsyncSession, complaint_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Duplicate → original, for those of the complaints that are duplicates."""
    asked = select(links.c.complaint_id, links.c.other_id).where(
        links.c.complaint_id.in_(complaint_ids), links.c.relation == LinkRelation.DUPLICATE_OF
    )
    return {row.complaint_id: row.other_id for row in await tx.execute(asked)}


async def has_duplicates(tx: AsyncSession, complaint_id: UUID) -> bool:
    asked = select(links.c.complaint_id).where(
        links.c.other_id == complaint_id, links.c.relation == LinkRelation.DUPLICATE_OF
    )
    return (await tx.execute(asked.limit(1))).one_or_none() is not None


async def links_of(tx: AsyncSession, complaint_id: UUID) -> list[RowMapping]:
    """Links from and to a complaint, with both numbers."""
    other = complaints.alias("other")
    asked = (
        select(links, complaints.c.number, other.c.number.label("other_number"))
        .join(complaints, complaints.c.id == links.c.complaint_id)
        .join(other, other.c.id == links.c.other_id)
        .where(or_(links.c.complaint_id == complaint_id, links.c.other_id == complaint_id))
        .order_by(links.c.linked_at, links.c.complaint_id, links.c.other_id)
    )
    return list((await tx.execute(asked)).mappings())
