"""The outbox: events are written in the transaction that changed the state, and published from there.

``outbox.add(session, *events)`` gathers; all rows of a unit of work go in one insert just before its commit, and the
relay of this process is woken just after it. A hot write that talks to the driver itself takes `columns` and `INSERT`
into its own transaction and calls `wake` after its commit.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import crash
from shared.contracts import Event
from shared.db.engine import AFTER_COMMIT, BEFORE_COMMIT, DATABASE, Database
from shared.telemetry.tracing import traceparent_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Key of `Database.session_info` for the limit, in bytes; a broker takes 1 MiB with headers by default.
MAX_EVENT_BYTES = "redress.max_event_bytes"
DEFAULT_MAX_EVENT_BYTES = 1_000_000

#: A tombstone's value is empty, so what its contract says travels in this header.
TOMBSTONE_HEADER = "redress_tombstone"

#: Positional: the columns of `Columns`, each an array.
INSERT = (
    "insert into outbox (topic, key, type, event_id, source, time, traceparent, headers, payload) "
    "select t, k, y, e, s, i, p, h::jsonb, b from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], "
    "$6::timestamptz[], $7::text[], $8::text[], $9::bytea[]) as r (t, k, y, e, s, i, p, h, b)"
)

_ROWS = "redress.outbox"


class EventTooBig(ValueError):
    """The event is larger than the bus carries; nothing of its unit of work is committed. Keep big things (attachments)
    outside of events and send their ids."""


class Row(NamedTuple):
    topic: str
    key: str
    type: str
    event_id: UUID
    source: str
    time: datetime
    traceparent: str | None
    headers: str | None
    payload: bytes | None


class Columns(NamedTuple):
    """The rows column by column: ``await connection.execute(outbox.INSERT, *outbox.columns(database, events))``."""

    topic: list[str]
    key: list[str]
    type: list[str]
    event_id: list[UUID]
    source: list[str]
    time: list[datetime]
    traceparent: list[str | None]
    headers: list[str | None]
    payload: list[bytes | None]


def add(session: AsyncSession, *events: Event) -> None:
    """Publish `events` if and when this unit of work commits, in this order. Raises `EventTooBig`."""
    database: Database = session.info[DATABASE]
    add_rows(session, [row_of(event, database) for event in events])


def add_rows(session: AsyncSession, rows: Sequence[Row]) -> None:
    if not rows:
        return
    gathered: list[Row] | None = session.info.get(_ROWS)
    if gathered is None:
        session.info[_ROWS] = gathered = []
        database: Database = session.info[DATABASE]
        after: list[Callable[[], None]] = session.info.setdefault(AFTER_COMMIT, [])
        session.info.setdefault(BEFORE_COMMIT, []).append(_write)
        after.append(lambda: wake(database))
    gathered.extend(rows)


def columns(database: Database, events: Sequence[Event]) -> Columns:
    """The outbox rows of `events` as column arrays, for `INSERT`. Raises `EventTooBig`."""
    return Columns(*map(list, zip(*[row_of(event, database) for event in events], strict=True)))


def wake(database: Database) -> None:
    """Tell the relay of this process that rows were committed. Polling finds them anyway, a little later."""
    crash.reached("commit.before_relay")
    for hook in database.on_outbox:
        hook()


def row_of(event: Event, database: Database) -> Row:
    payload = event.__pydantic_serializer__.to_json(event)
    limit = database.session_info.get(MAX_EVENT_BYTES, DEFAULT_MAX_EVENT_BYTES)
    if len(payload) > limit:
        raise EventTooBig(f"{event.TYPE} {event.event_id} has {len(payload)} bytes; the bus carries up to {limit}.")
    return Row(
        event.TOPIC,
        event.key,
        event.TYPE,
        event.event_id,
        f"/redress/{database.schema}",
        event.occurred_at,
        traceparent_of(event.key),
        json.dumps({TOMBSTONE_HEADER: payload.decode()}) if event.TOMBSTONE else None,
        None if event.TOMBSTONE else payload,
    )


async def _write(session: AsyncSession) -> None:
    rows: list[Row] = session.info[_ROWS]
    if rows:
        connection = await session.connection()
        await connection.exec_driver_sql(INSERT, tuple(map(list, zip(*rows, strict=True))))
        rows.clear()
