"""Chats: their state, the order of what was said, and who is there. The texts are the complaint's own messages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.chat import VISITOR, ChatState
from intake_service.store.tables import chat_entries, chat_presences, chats, complaints, messages
from shared.contracts.vocabulary import Channel


async def insert_chat(tx: AsyncSession, row: dict[str, Any]) -> None:
    await tx.execute(insert(chats).values(row))


async def find(tx: AsyncSession, chat_id: UUID, *, held: bool = False) -> RowMapping | None:
    """`held`: against everybody else until the commit. Hold the complaint first where both are needed."""
    asked = select(chats).where(chats.c.id == chat_id)
    row: RowMapping | None = (await tx.execute(asked.with_for_update() if held else asked)).mappings().one_or_none()
    return row


async def page_of(
    tx: AsyncSession, state: ChatState, queue: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    """Whoever is longest in the state comes first."""
    asked = select(chats).where(chats.c.state == state).order_by(chats.c.since, chats.c.id).limit(limit)
    if queue is not None:
        asked = asked.where(chats.c.queue == queue)
    if after is not None:
        asked = asked.where(tuple_(chats.c.since, chats.c.id) > tuple_(*after))
    return list((await tx.execute(asked)).mappings())


async def find_message(tx: AsyncSession, chat_id: UUID, author: str, message_id: str) -> int | None:
    """Its place in the transcript."""
    asked = select(chat_entries.c.seq).where(
        chat_entries.c.chat_id == chat_id, chat_entries.c.author == author, chat_entries.c.message_id == message_id
    )
    return (await tx.execute(asked)).scalar_one_or_none()


async def append(tx: AsyncSession, chat_id: UUID, entry: dict[str, Any], changes: dict[str, Any]) -> int:
    """The place of the entry in the transcript of a held chat, which is changed with it."""
    moved = update(chats).where(chats.c.id == chat_id).values(last_seq=chats.c.last_seq + 1, **changes)
    seq: int = (await tx.execute(moved.returning(chats.c.last_seq))).scalar_one()
    await tx.execute(insert(chat_entries).values(chat_id=chat_id, seq=seq, **entry))
    return seq


async def transcript(tx: AsyncSession, chat_id: UUID, after: int, limit: int) -> list[RowMapping]:
    """Entries behind `after` with their texts and files."""
    delivered = and_(messages.c.channel == Channel.CHAT, messages.c.account == chats.c.account)
    made = and_(complaints.c.channel == Channel.CHAT, complaints.c.account == chats.c.account)
    asked = (
        select(
            chat_entries,
            func.coalesce(messages.c.text, complaints.c.record["symptom"].astext).label("text"),
            func.coalesce(messages.c.attachments, complaints.c.record["attachments"]).label("attachments"),
        )
        .join(chats, chats.c.id == chat_entries.c.chat_id)
        .outerjoin(messages, and_(delivered, messages.c.message_id == chat_entries.c.delivery))
        .outerjoin(complaints, and_(made, complaints.c.message_id == chat_entries.c.delivery))
        .where(chat_entries.c.chat_id == chat_id, chat_entries.c.seq > after)
        .order_by(chat_entries.c.seq)
        .limit(limit)
    )
    return list((await tx.execute(asked)).mappings())


@dataclass(frozen=True, slots=True)
class Pulse:
    """What tells whether there is news of a chat. `present` are (author, name, typing), without doubles, in order."""

    last_seq: int = 0
    state: str = ""
    present: tuple[tuple[str, str, bool], ...] = ()


async def pulses(tx: AsyncSession, chat_ids: Collection[UUID], now: datetime) -> dict[UUID, Pulse]:
    asked = select(chats.c.id, chats.c.last_seq, chats.c.state).where(chats.c.id.in_(chat_ids))
    found = (await tx.execute(asked)).all()
    there = select(chat_presences).where(chat_presences.c.chat_id.in_(chat_ids), chat_presences.c.until > now)
    present: dict[UUID, dict[tuple[str, str], bool]] = {}
    for row in (await tx.execute(there)).mappings():
        of_chat = present.setdefault(row["chat_id"], {})
        typing = row["typing_until"] is not None and row["typing_until"] > now
        key = (row["author"], row["name"])
        of_chat[key] = of_chat.get(key, False) or typing
    return {
        row.id: Pulse(
            row.last_seq,
            row.state,
            tuple(sorted((author, name, typing) for (author, name), typing in present.get(row.id, {}).items())),
        )
        for row in found
    }


async def keep_present(tx: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Sockets that are open; in order of their ids, so that nobody waits for one another."""
    written = upsert(chat_presences).values(sorted(rows, key=lambda row: row["socket_id"]))
    changed = {name: written.excluded[name] for name in ("until", "typing_until")}
    await tx.execute(written.on_conflict_do_update(index_elements=["socket_id"], set_=changed))


async def forget_present(tx: AsyncSession, socket_id: UUID) -> None:
    await tx.execute(delete(chat_presences).where(chat_presences.c.socket_id == socket_id))


async def tidy(tx: AsyncSession, now: datetime, unsaid: timedelta) -> None:
    """Deletes what sockets left behind whose process was killed, and chats in which nobody ever said anything."""
    await tx.execute(delete(chat_presences).where(chat_presences.c.until < now - unsaid))
    never = and_(chats.c.state == ChatState.SILENT, chats.c.last_seq == 0, chats.c.since < now - unsaid)
    await tx.execute(delete(chats).where(never))


async def erase(tx: AsyncSession, complaint_ids: Sequence[UUID], at: datetime) -> list[UUID]:
    """Ends the chats of these complaints, and tells which. What stays: ids, instants, who of ours took part."""
    erased = update(chats).where(chats.c.complaint_id.in_(complaint_ids)).returning(chats.c.id)
    ended = erased.values(visitor={}, state=ChatState.ENDED, since=at, agent=None, offered_to=None)
    ids = list((await tx.execute(ended)).scalars())
    if not ids:
        return ids
    reasons = update(chat_entries).where(chat_entries.c.chat_id.in_(ids))
    await tx.execute(reasons.values(data=chat_entries.c.data.op("-", return_type=JSONB())(literal("reason", Text))))
    left = delete(chat_presences).where(chat_presences.c.chat_id.in_(ids), chat_presences.c.author == VISITOR)
    await tx.execute(left)
    return ids
