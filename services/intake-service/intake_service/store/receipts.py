"""Receipts of messages, and the complaints that a message may belong to."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    column,
    desc,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import MessageSource
from intake_service.domain.threading import Known
from intake_service.store.bulk import arrays_of, driver_of, insert_of
from intake_service.store.tables import complaints, quarantine_accesses, receipts

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
    # Thread by thread, and `distinct` keeps it so: joined, the planner may read every receipt of the account for each.
    "union all select r.complaint_id, 1 from unnest(array[w.thread, w.reply]) as n (thread) cross join lateral ("
    "select distinct complaint_id from receipts where channel = w.channel and account = w.account "
    "and thread_id = n.thread and complaint_id is not null) as r"
    ") as found group by complaint_id) as near cross join lateral ("
    # With the limit it is a look at the key of each, however many the planner expects.
    "select id, number, person_id, received_at from complaints "
    "where id = near.complaint_id and erased_at is null limit 1"
    ") as c order by w.n, near.distance, c.received_at desc, c.id desc"
)


_SUGGESTED = complaints.alias("suggested")
_WITH_NUMBERS: Select[Any] = select(
    receipts, complaints.c.number.label("number"), _SUGGESTED.c.number.label("suggested_number")
).select_from(
    receipts.outerjoin(complaints, complaints.c.id == receipts.c.complaint_id).outerjoin(
        _SUGGESTED, _SUGGESTED.c.id == receipts.c.suggested_id
    )
)
# The keys as three arrays: one statement however many there are, prepared once.
_ASKED = (
    func.unnest(*(bindparam(name, type_=ARRAY(Text)) for name in ("channels", "accounts", "messages")))
    .table_valued(column("channel", Text), column("account", Text), column("message_id", Text), name="w")
    .render_derived()
)


def _is_asked(table: Table) -> ColumnElement[bool]:
    return and_(*(table.c[name] == _ASKED.c[name] for name in ("channel", "account", "message_id")))


_FOUND = _WITH_NUMBERS.where(_is_asked(receipts)).limit(literal_column("1", Integer)).lateral("found")
_BY_KEYS = select(_FOUND).select_from(_ASKED).join(_FOUND, true())
_ELSEWHERE = text(
    "select w.channel, w.account, w.message_id, c.id as complaint_id, c.number, c.person_id "
    "from unnest(cast(:channels as text[]), cast(:accounts as text[]), cast(:messages as text[])) "
    "as w (channel, account, message_id) cross join lateral ("
    "(select id from complaints where (channel, account, message_id) = (w.channel, w.account, w.message_id) "
    "limit 1) union all (select complaint_id from messages "
    "where (channel, account, message_id) = (w.channel, w.account, w.message_id) limit 1)) as had (id) "
    "cross join lateral (select id, number, person_id from complaints where id = had.id limit 1) as c"
)
_TOUCHED = text(
    "select exists (select from unnest(cast(:channels as text[]), cast(:accounts as text[]), "
    "cast(:messages as text[])) as w (channel, account, message_id) cross join lateral ("
    "(select from receipts where (channel, account, message_id) = (w.channel, w.account, w.message_id) "
    "limit 1) union all "
    "(select from complaints where (channel, account, message_id) = (w.channel, w.account, w.message_id) "
    "limit 1) union all "
    "(select from messages where (channel, account, message_id) = (w.channel, w.account, w.message_id) "
    "limit 1)) as found)"
)
_COLUMNS = tuple(receipts.c.keys())
_JSON = frozenset(name for name in _COLUMNS if isinstance(receipts.c[name].type, JSONB))
_INSERT = insert_of(receipts, _COLUMNS)


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


async def is_known(tx: AsyncSession, keys: Sequence[NaturalKey]) -> bool:
    """Whether any of these deliveries has a receipt, a complaint or a place on a thread. As a rule none has."""
    return bool(await tx.scalar(_TOUCHED, _asked(keys)))


async def find_by_keys(tx: AsyncSession, keys: Sequence[NaturalKey]) -> dict[NaturalKey, RowMapping]:
    found = (await tx.execute(_BY_KEYS, _asked(keys))).mappings()
    return {(row["channel"], row["account"], row["message_id"]): row for row in found}


async def find_elsewhere(tx: AsyncSession, keys: Sequence[NaturalKey]) -> dict[NaturalKey, Known]:
    """The complaints that have these deliveries, by whichever door they came."""
    return {
        (row.channel, row.account, row.message_id): Known(row.complaint_id, row.number, row.person_id)
        for row in await tx.execute(_ELSEWHERE, _asked(keys))
    }


def _asked(keys: Iterable[NaturalKey]) -> dict[str, list[str]]:
    names = ("channels", "accounts", "messages")
    return dict(zip(names, arrays_of(sorted(set(keys))) or ([], [], []), strict=True))


async def find_threads(tx: AsyncSession, sources: Sequence[MessageSource]) -> list[list[Known]]:
    """For each message the complaints of what it answers and of its thread, the nearest first."""
    found: list[list[Known]] = [[] for _ in sources]
    if not any(source.thread_id or source.reply_to for source in sources):
        return found
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
        driver = await driver_of(tx)
        await driver.execute(_INSERT, *arrays_of([[_written(row, name) for name in _COLUMNS] for row in rows]))


def _written(row: Mapping[str, Any], name: str) -> Any:
    """JSON travels as text."""
    value = row[name]
    return to_json(value).decode() if name in _JSON and value is not None else value
