"""The inbox's statements, each one round trip for a whole batch.

`begin` and `begin_alone` are written outside of the batch's transaction and cleared in it, so a process that a message
kills leaves its mark. They don't wait for the disk: the mark must survive the process, not the machine.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

_BEGIN = (
    "insert into inbox_started as s (lane, first, last, owner, alone) "
    "select lane, first, last, $5::uuid, alone from unnest($1::text[], $2::bigint[], $3::bigint[], $4::boolean[]) "
    "as r (lane, first, last, alone), (select set_config('synchronous_commit', 'off', true)) as quiet "
    "on conflict (lane) do update set first = excluded.first, last = excluded.last, alone = excluded.alone "
    "where s.owner = excluded.owner returning lane"
)
_LEFT = "select lane, first, last, owner, alone from inbox_started where lane = any($1::text[]) and owner <> $2::uuid"
_TAKE = (
    "update inbox_started as s set owner = $4::uuid, alone = true, first = least(s.first, r.first), "
    "last = greatest(s.last, r.last) from unnest($1::text[], $2::bigint[], $3::bigint[]) as r (lane, first, last) "
    "where s.lane = r.lane and s.owner <> $4::uuid"
)
_FINISH = "delete from inbox_started where lane = any($1::text[]) and owner = $2::uuid"
_SEE = "insert into inbox (event_id) select unnest($1::uuid[]) on conflict do nothing returning event_id"
_COUNT = (
    "insert into inbox_attempts as a (event_id, times, owner) select unnest($1::uuid[]), 1, $2::uuid "
    "on conflict (event_id) do update set times = a.times + 1, owner = excluded.owner where a.owner <> excluded.owner"
)
_ALONE = (
    "insert into inbox_attempts as a (event_id, times, owner) values ($1::uuid, 1, $2::uuid) on conflict (event_id) "
    "do update set times = a.times + (a.owner <> excluded.owner)::int, owner = excluded.owner returning times"
)
_FORGET = "delete from inbox_attempts where event_id = any($1::uuid[])"
_PRUNE = (
    "delete from inbox where ctid = any(array(select ctid from inbox where seen_at < now() - $1::interval limit 10000))"
)

PRUNED_AT_ONCE = 10_000


class Span(NamedTuple):
    """The positions of one lane that are at work."""

    first: int
    last: int
    alone: bool


class Leftover(NamedTuple):
    """What a process that is no more had begun and not finished. `alone`: it went event by event, each counted."""

    lane: str
    first: int
    last: int
    owner: UUID
    alone: bool


async def begin(engine: AsyncEngine, spans: Mapping[str, Span], owner: UUID) -> list[Leftover]:
    """Mark the spans as begun; returns the leftovers of others on the same lanes, which are taken over."""
    lanes = list(spans)
    columns = [list(column) for column in zip(*spans.values(), strict=True)]
    async with engine.connect() as connection:
        begun = (await connection.exec_driver_sql(_BEGIN, (lanes, *columns, owner))).all()
        if len(begun) == len(lanes):
            return []
        left = (await connection.exec_driver_sql(_LEFT, (lanes, owner))).all()
        await connection.exec_driver_sql(_TAKE, (lanes, columns[0], columns[1], owner))
        return [Leftover(row.lane, row.first, row.last, row.owner, row.alone) for row in left]


async def finish(session: AsyncSession, lanes: Sequence[str], owner: UUID) -> None:
    await (await session.connection()).exec_driver_sql(_FINISH, (list(lanes), owner))


async def finish_outside(engine: AsyncEngine, lanes: Sequence[str], owner: UUID) -> None:
    async with engine.connect() as connection:
        await connection.exec_driver_sql(_FINISH, (list(lanes), owner))


async def see(session: AsyncSession, event_ids: Sequence[UUID]) -> set[UUID]:
    """Insert the ids; returns those that were not there before."""
    rows = await (await session.connection()).exec_driver_sql(_SEE, (list(event_ids),))
    return {row[0] for row in rows}


async def count_starts(engine: AsyncEngine, event_ids: Sequence[UUID], owner: UUID) -> None:
    """These events were in a batch that `owner`, who is dead, had begun."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql(_COUNT, (list(event_ids), owner))


async def begin_alone(engine: AsyncEngine, event_id: UUID, owner: UUID) -> int:
    """Begin one event; returns how many lives have begun it, this one included."""
    async with engine.connect() as connection:
        return int((await connection.exec_driver_sql(_ALONE, (event_id, owner))).scalar_one())


async def forget(session: AsyncSession, event_ids: Sequence[UUID]) -> None:
    await (await session.connection()).exec_driver_sql(_FORGET, (list(event_ids),))


async def prune(engine: AsyncEngine, older_than: object) -> int:
    """Delete up to `PRUNED_AT_ONCE` ids older than the retention (a `timedelta`)."""
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql(_PRUNE, (older_than,))).rowcount
