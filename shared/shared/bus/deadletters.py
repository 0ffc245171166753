"""Dead letters: written with the inbox row, listed, shown and replayed, the same way on both buses.

A dead letter is a row of `dead_letters` in the consumer's schema and, through the consumer's own outbox, a record of
`redress.<consumer>.dlq`. A replay marks the row; the consumer picks it up itself and hands it to the same use case,
nobody else hears of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.bus.codec import Item, Poison, Record
from shared.bus.outbox import Row
from shared.db import Database
from shared.db.engine import DATABASE
from shared.ids import derived_id

_INSERT = text(
    "insert into dead_letters (id, event_id, topic, partition, position, key, type, headers, payload, reason, error, "
    "attempts) values (:id, :event_id, :topic, :partition, :position, :key, :type, cast(:headers as jsonb), :payload, "
    ":reason, :error, :attempts) on conflict (id) do nothing"
)
_SUMMARY = "id, event_id, topic, partition, position, key, type, reason, error, attempts, state, died_at, replayed_at"
#: The reason of an event that this service could not publish; of all others it is the consumer's.
UNDELIVERABLE = "undeliverable"
_CLAIM = (
    "update dead_letters set state = 'dead', attempts = attempts + 1 where id = (select id from dead_letters "
    "where state = 'replaying' order by id limit 1 for update skip locked) returning *"
)


if TYPE_CHECKING:
    from shared.bus.relay import Waiting


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter. `headers` and `payload` are filled by `show` alone."""

    id: UUID
    event_id: UUID | None
    topic: str
    partition: int | None
    position: int
    key: str
    type: str
    reason: str
    error: str
    attempts: int
    state: str
    died_at: datetime
    replayed_at: datetime | None
    headers: dict[str, str] | None = None
    payload: bytes | None = None


class NoSuchDeadLetter(LookupError):
    """No dead letter has this id in this consumer's schema."""


async def list_dead_letters(
    database: Database, *, state: str | None = None, limit: int = 50, after: UUID | None = None
) -> list[DeadLetter]:
    """The newest first; `after` is the id of the last one of the page before; `state` dead, replaying or replayed."""
    query = (
        f"select {_SUMMARY} from dead_letters where (cast(:state as text) is null or state = :state) "  # noqa: S608
        "and (cast(:after as uuid) is null or (died_at, id) < "
        "(select died_at, id from dead_letters where id = :after)) "
        "order by died_at desc, id desc limit :limit"
    )
    async with database.reading() as session:
        rows = await session.execute(text(query), {"state": state, "after": after, "limit": limit})
        return [DeadLetter(**row) for row in rows.mappings()]


async def show(database: Database, dead_letter_id: UUID) -> DeadLetter:
    """With headers and payload. Raises `NoSuchDeadLetter`."""
    query = f"select {_SUMMARY}, headers, payload from dead_letters where id = :id"  # noqa: S608
    async with database.reading() as session:
        row = (await session.execute(text(query), {"id": dead_letter_id})).mappings().one_or_none()
    if row is None:
        raise NoSuchDeadLetter(f"{database.schema} has no dead letter {dead_letter_id}")
    return _letter(row)


async def replay(database: Database, dead_letter_id: UUID) -> None:
    """Ask the consumer to handle this dead letter once more; it does so within seconds. A replayed one may be replayed
    again. Raises `NoSuchDeadLetter`."""
    async with database.session() as session:
        found = await session.scalar(
            text("update dead_letters set state = 'replaying' where id = :id returning id"), {"id": dead_letter_id}
        )
    if found is None:
        raise NoSuchDeadLetter(f"{database.schema} has no dead letter {dead_letter_id}")


async def replay_all(database: Database, *, reason: str | None = None) -> int:
    """Ask for every one that is dead, or dead for this reason; returns how many."""
    async with database.session() as session:
        rows = await session.execute(
            text(
                "update dead_letters set state = 'replaying' "
                "where state = 'dead' and (cast(:reason as text) is null or reason = :reason) returning id"
            ),
            {"reason": reason},
        )
        return len(rows.all())


async def bury(session: AsyncSession, topic: str, item: Item, poison: Poison, attempts: int, max_bytes: int) -> None:
    """Write the dead letter and the record for `topic`, in the transaction that holds the inbox row."""
    record = item.record
    headers = {name: _clean(value.decode(errors="replace")) for name, value in record.headers.items()}
    kind, key, error = _clean(item.type), _clean(record.key), _clean(poison.error)
    await session.execute(
        _INSERT,
        {
            "id": derived_id("dead letter", record.topic, record.lane, record.position, item.event_id),
            "event_id": item.event_id,
            "topic": record.topic,
            "partition": record.partition,
            "position": record.position,
            "key": key,
            "type": kind,
            "headers": json.dumps(headers),
            "payload": record.value,
            "reason": poison.reason,
            "error": error,
            "attempts": attempts,
        },
    )
    whole = record.value is None or len(record.value) <= max_bytes
    extra = {
        **{name: value for name, value in headers.items() if name not in _OWN},
        "redress_reason": poison.reason,
        "redress_error": error,
        "redress_topic": record.topic,
        "redress_partition": "" if record.partition is None else str(record.partition),
        "redress_position": str(record.position),
        "redress_attempts": str(attempts),
        **({} if whole else {"redress_left_out": f"the value of {len(record.value or b'')} bytes"}),
    }
    database: Database = session.info[DATABASE]
    row = Row(
        topic,
        key,
        kind,
        item.event_id,
        f"/redress/{database.schema}",
        datetime.now(UTC),
        None if item.traceparent is None else _clean(item.traceparent),
        json.dumps(extra),
        record.value if whole else None,
    )
    outbox.add_rows(session, [row])


async def set_aside(session: AsyncSession, row: "Waiting") -> None:
    """An event of our own that no broker takes; it is kept where people look. A replay sends it again."""
    await session.execute(
        _INSERT,
        {
            "id": derived_id("undeliverable", row.id, row.event_id),
            "event_id": row.event_id,
            "topic": row.topic,
            "partition": None,
            "position": row.id,
            "key": row.key,
            "type": row.type,
            "headers": json.dumps({name: value.decode() for name, value in row.event_headers()}),
            "payload": row.payload,
            "reason": UNDELIVERABLE,
            "error": f"{len(row.payload or b'')} bytes are more than the broker takes",
            "attempts": 1,
        },
    )


def send_again(session: AsyncSession, letter: DeadLetter) -> None:
    headers = letter.headers or {}
    extra = {name: value for name, value in headers.items() if name not in _OWN}
    assert letter.event_id is not None
    outbox.add_rows(
        session,
        [
            Row(
                letter.topic,
                letter.key,
                letter.type,
                letter.event_id,
                headers["ce_source"],
                datetime.fromisoformat(headers["ce_time"]),
                headers.get("traceparent"),
                json.dumps(extra) if extra else None,
                letter.payload,
            )
        ],
    )


async def claim_replay(session: AsyncSession) -> DeadLetter | None:
    """One dead letter that somebody asked to be replayed. It is dead again from here on until it was handled, so that
    one that kills the process does so once."""
    row = (await session.execute(text(_CLAIM))).mappings().one_or_none()
    return None if row is None else _letter(row)


async def mark_replayed(session: AsyncSession, dead_letter_id: UUID) -> None:
    await session.execute(
        text("update dead_letters set state = 'replayed', replayed_at = now() where id = :id"), {"id": dead_letter_id}
    )


async def mark_failed(session: AsyncSession, dead_letter_id: UUID, poison: Poison) -> None:
    await session.execute(
        text("update dead_letters set reason = :reason, error = :error where id = :id"),
        {"id": dead_letter_id, "reason": poison.reason, "error": _clean(poison.error)},
    )


def record_of(letter: DeadLetter) -> Record:
    headers = {name: value.encode() for name, value in (letter.headers or {}).items()}
    return Record(
        f"replay/{letter.id}", letter.position, letter.topic, letter.partition, letter.key, headers, letter.payload
    )


def _letter(row: RowMapping) -> DeadLetter:
    values: dict[str, Any] = dict(row)
    if isinstance(values["headers"], str):
        values["headers"] = json.loads(values["headers"])
    return DeadLetter(**values)


def _clean(value: str) -> str:
    """PostgreSQL's text holds no NUL."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


#: Headers that the outbox row makes anew.
_OWN: Sequence[str] = (
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "content-type",
    "traceparent",
)
