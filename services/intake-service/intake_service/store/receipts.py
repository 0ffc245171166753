"""Receipts of messages, and the complaints that a message may belong to."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, desc, func, insert, null, or_, select, text, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import MessageSource
from intake_service.domain.threading import Known
from intake_service.store.tables import complaints, messages, quarantine_accesses, receipts

_LOCK = text("select pg_advisory_xact_lock(k) from unnest(cast(:keys as bigint[])) as w (k)")
# In any case of ASCII letters; 'escape' shows other bytes as \\nnn.
_WITH = text(
    "select id, body, envelope from receipts where status in ('quarantined', 'noted') and exists "
    "(select from unnest(cast(:needles as text[])) as w (needle) "
    "where position(lower(encode(convert_to(w.needle, 'UTF8'), 'escape')) "
    "in lower(encode(coalesce(body, envelope), 'escape'))) > 0)"
)
_FIND_THREADS = text(
    "select w.n, c.id, c.number, c.person_id from unnest(cast(:channels as text[]), cast(:accounts as text[]), "
    "cast(:threads as text[]), cast(:replies as text[])) with ordinality as w (channel, account, thread, reply, n) "
    "cross join lateral ("
    "select complaint_id, min(distance) as distance from ("
    "select m.id as complaint_id, (m.message_id is distinct from w.reply)::int as distance from complaints m "
    "where m.channel = w.channel and m.account = w.account and m.message_id in (w.reply, w.thread) "
    "union all select m.complaint_id, (m.message_id is distinct from w.reply)::int from messages m "
    "where m.channel = w.channel and m.account = w.account and m.message_id in (w.reply, w.thread) "
    "union all select r.complaint_id, 1 from receipts r "
    "where r.channel = w.channel and r.account = w.account and r.thread_id in (w.thread, w.reply) "
    "and r.complaint_id is not null"
    ") as found group by complaint_id) as near join complaints c on c.id = near.complaint_id "
    "where c.erased_at is null order by w.n, near.distance, c.received_at desc, c.id desc"
)


_SUGGESTED = complaints.alias("suggested")
_WITH_NUMBERS: Select[Any] = select(
    receipts, complaints.c.number.label("number"), _SUGGESTED.c.number.label("suggested_number")
).select_from(
    receipts.outerjoin(complaints, complaints.c.id == receipts.c.complaint_id).outerjoin(
        _SUGGESTED, _SUGGESTED.c.id == receipts.c.suggested_id
    )
)
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_BY_KEYS = _WITH_NUMBERS.where(tuple_(receipts.c.channel, receipts.c.account, receipts.c.message_id).in_(_KEYS))
_HAD = (
    select(complaints.c.id.label("complaint_id"), complaints.c.channel, complaints.c.account, complaints.c.message_id)
    .where(tuple_(complaints.c.channel, complaints.c.account, complaints.c.message_id).in_(_KEYS))
    .union_all(
        select(messages.c.complaint_id, messages.c.channel, messages.c.account, messages.c.message_id).where(
            tuple_(messages.c.channel, messages.c.account, messages.c.message_id).in_(_KEYS)
        )
    )
    .subquery()
)
_ELSEWHERE = select(_HAD, complaints.c.number, complaints.c.person_id).join(
    complaints, complaints.c.id == _HAD.c.complaint_id
)


async def lock_references(tx: AsyncSession, references: Iterable[NaturalKey]) -> None:
    """Nobody else who names one of these ids decides anything before the commit. Taken first, all in one order."""
    keys = sorted({_lock_key(reference) for reference in references})
    if keys:
        await tx.execute(_LOCK, {"keys": keys})


def _lock_key(reference: NaturalKey) -> int:
    digest = hashlib.blake2b("\x1f".join(("message", *reference)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def find(tx: AsyncSession, receipt_id: UUID) -> RowMapping | None:
    row: RowMapping | None = (
        (await tx.execute(_WITH_NUMBERS.where(receipts.c.id == receipt_id))).mappings().one_or_none()
    )
    return row


async def find_by_keys(tx: AsyncSession, keys: Sequence[NaturalKey]) -> dict[NaturalKey, RowMapping]:
    found = (await tx.execute(_BY_KEYS, {"keys": list(keys)})).mappings()
    return {(row["channel"], row["account"], row["message_id"]): row for row in found}


async def find_elsewhere(tx: AsyncSession, keys: Sequence[NaturalKey]) -> dict[NaturalKey, Known]:
    """The complaints that have these deliveries, by whichever door they came."""
    return {
        (row.channel, row.account, row.message_id): Known(row.complaint_id, row.number, row.person_id)
        for row in await tx.execute(_ELSEWHERE, {"keys": list(keys)})
    }


async def find_threads(tx: AsyncSession, sources: Sequence[MessageSource]) -> list[list[Known]]:
    """For each message the complaints of what it answers and of its thread, the nearest first."""
    found: list[list[Known]] = [[] for _ in sources]
    columns = {
        "channels": [source.channel for source in sources],
        "accounts": [source.account for source in sources],
        "threads": [source.thread_id for source in sources],
        "replies": [source.reply_to for source in sources],
    }
    for row in await tx.execute(_FIND_THREADS, columns):
        found[row.n - 1].append(Known(row.id, row.number, row.person_id))
    return found


async def find_named(tx: AsyncSession, names: Collection[str | UUID]) -> dict[str | UUID, Known]:
    """The complaints with these numbers and ids, by each of both, without those that were erased."""
    if not names:
        return {}
    ids = [name for name in names if isinstance(name, UUID)]
    numbers = [name for name in names if isinstance(name, str)]
    asked = select(complaints.c.id, complaints.c.number, complaints.c.person_id).where(
        or_(complaints.c.number.in_(numbers), complaints.c.id.in_(ids)), complaints.c.erased_at.is_(None)
    )
    found = [Known(row.id, row.number, row.person_id) for row in await tx.execute(asked)]
    return {name: known for known in found for name in (known.number, known.complaint_id)}


async def quarantined_with(tx: AsyncSession, needles: Sequence[str]) -> list[RowMapping]:
    """Messages in quarantine, and of machines, in whose bytes one of these stands, in any case."""
    if not needles:
        return []
    found = await tx.execute(_WITH, {"needles": list(needles)})
    return list(found.mappings())


async def forget(tx: AsyncSession, ids: Sequence[UUID]) -> None:
    """Delete what these messages said. Their keys stay, so that a repeated delivery brings nothing back."""
    if ids:
        gone = update(receipts).where(receipts.c.id.in_(ids))
        nothing = dict.fromkeys(("body", "body_sha256", "envelope", "fingerprint", "details", "html"), null())
        await tx.execute(gone.values(nothing))


async def insert_access(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(quarantine_accesses).values(row))


async def accesses_of(
    tx: AsyncSession, receipt_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    """Who looked at the body, the latest first."""
    table = quarantine_accesses.c
    asked = select(quarantine_accesses).where(table.receipt_id == receipt_id)
    if after is not None:
        asked = asked.where(tuple_(table.accessed_at, table.id) < tuple_(*after))
    asked = asked.order_by(desc(table.accessed_at), desc(table.id)).limit(limit)
    return list((await tx.execute(asked)).mappings())


async def quarantined(tx: AsyncSession, after: tuple[datetime, UUID] | None, limit: int) -> list[RowMapping]:
    """What is in quarantine, the oldest first."""
    asked = _WITH_NUMBERS.where(receipts.c.status == "quarantined", receipts.c.fingerprint.is_not(None))
    if after is not None:
        asked = asked.where(tuple_(receipts.c.recorded_at, receipts.c.id) > tuple_(*after))
    return list((await tx.execute(asked.order_by(receipts.c.recorded_at, receipts.c.id).limit(limit))).mappings())


async def noted(tx: AsyncSession, after: tuple[datetime, UUID] | None, limit: int) -> list[RowMapping]:
    """Messages of machines, the latest first."""
    asked = _WITH_NUMBERS.where(receipts.c.status == "noted")
    if after is not None:
        asked = asked.where(tuple_(receipts.c.recorded_at, receipts.c.id) < tuple_(*after))
    asked = asked.order_by(desc(receipts.c.recorded_at), desc(receipts.c.id)).limit(limit)
    return list((await tx.execute(asked)).mappings())


async def details_of(tx: AsyncSession, keys: Collection[NaturalKey]) -> dict[NaturalKey, RowMapping]:
    """What channels know of the messages with these keys, where they know something."""
    if not keys:
        return {}
    named = tuple_(receipts.c.channel, receipts.c.account, receipts.c.message_id)
    columns = [receipts.c[name] for name in ("id", "channel", "account", "message_id", "details")]
    asked = select(*columns, receipts.c.html.is_not(None).label("has_html"))
    found = (await tx.execute(asked.where(named.in_(keys), receipts.c.details.is_not(None)))).mappings()
    return {(row["channel"], row["account"], row["message_id"]): row for row in found}


async def settle(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    """What became of a message that was in quarantine, or noted. Its fingerprint, body and first instant stay as they
    came, and when it must have been looked at."""
    settled = ("thread_id", "status", "complaint_id", "suggested_id", "doubts", "owner", "envelope")
    told = {name: row[name] for name in settled}
    if row["due_at"] is not None:
        told["due_at"] = func.coalesce(receipts.c.due_at, row["due_at"])
    await tx.execute(update(receipts).where(receipts.c.id == row["id"]).values(told))


async def insert_all(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(receipts), list(rows))
