"""Versions of policies and calendars on their way to the clocks that run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sla_service.store.tables import turns

Kind = Literal["policy", "calendar"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A version that running clocks are to be priced by: the clocks of `metrics`, or those that run on the calendar;
    the histories up to `reached` are done."""

    kind: Kind
    name: str
    version: int
    metrics: tuple[str, ...] | None
    reached: UUID | None


async def add_turn(tx: AsyncSession, turn: Turn, at: datetime, *, begun: bool) -> None:
    await tx.execute(
        turns.insert().values(
            kind=turn.kind,
            name=turn.name,
            version=turn.version,
            at=at,
            metrics=None if turn.metrics is None else list(turn.metrics),
            begun=begun,
        )
    )


async def waiting(tx: AsyncSession) -> set[tuple[str, int]]:
    """Versions of policies that have not come for running clocks yet."""
    query = select(turns.c.name, turns.c.version).where(turns.c.begun.is_(False), turns.c.kind == "policy")
    return {(row.name, row.version) for row in await tx.execute(query)}


async def begin_due(tx: AsyncSession, now: datetime) -> bool:
    """Mark what has come; whether there was any."""
    begun = turns.update().where(turns.c.begun.is_(False), turns.c.at <= now).values(begun=True).returning(turns.c.name)
    return bool((await tx.execute(begun)).all())


async def some_due(tx: AsyncSession, now: datetime) -> bool:
    query = select(turns.c.name).where(turns.c.begun.is_(False), turns.c.at <= now).limit(1)
    return (await tx.execute(query)).first() is not None


async def next_at(tx: AsyncSession) -> datetime | None:
    """When the next has to be looked at, those included that are under way."""
    query = select(turns.c.at).where(turns.c.done_at.is_(None)).order_by(turns.c.at).limit(1)
    found: datetime | None = await tx.scalar(query)
    return found


async def claim(tx: AsyncSession) -> Turn | None:
    """The earliest that is under way and nobody else is at, locked until the commit."""
    query = (
        select(turns)
        .where(turns.c.begun, turns.c.done_at.is_(None))
        .order_by(turns.c.at, turns.c.kind, turns.c.name, turns.c.version)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _turn(row)


async def under_way(tx: AsyncSession) -> list[Turn]:
    """Those that have come and have not reached every clock, the earliest first."""
    query = select(turns).where(turns.c.begun, turns.c.done_at.is_(None))
    rows = await tx.execute(query.order_by(turns.c.at, turns.c.kind, turns.c.name, turns.c.version))
    return [_turn(row) for row in rows]


async def move_on(tx: AsyncSession, turn: Turn, reached: UUID | None, done_at: datetime | None) -> None:
    this = (turns.c.kind == turn.kind) & (turns.c.name == turn.name) & (turns.c.version == turn.version)
    await tx.execute(turns.update().where(this).values(reached=reached, done_at=done_at))


_CONCERNED = text("""
(select distinct history_id from clocks where status in ('running', 'paused')
   and (calendar = :calendar or metric = any(cast(:metrics as text[]))) and history_id > :after
 order by history_id limit :limit)
union
(select history_id from histories where unpriced is not null and history_id > :after order by history_id limit :limit)
order by history_id limit :limit
""")
_ABOUT_TO_FIRE = text("select distinct history_id from clocks where wake_at <= :now and history_id > :after")
_NOWHERE = UUID(int=0)


async def concerned(tx: AsyncSession, turn: Turn, limit: int) -> Sequence[UUID]:
    """The next histories that the version may concern, in the order of their ids."""
    values: dict[str, Any] = {
        "calendar": turn.name if turn.kind == "calendar" else None,
        "metrics": None if turn.metrics is None else list(turn.metrics),
        "after": turn.reached or _NOWHERE,
        "limit": limit,
    }
    return (await tx.execute(_CONCERNED, values)).scalars().all()


async def about_to_fire(tx: AsyncSession, turn: Turn, now: datetime) -> Sequence[UUID]:
    """Histories that the version has not reached and whose timers are due."""
    return (await tx.execute(_ABOUT_TO_FIRE, {"now": now, "after": turn.reached or _NOWHERE})).scalars().all()


def _turn(row: Any) -> Turn:
    return Turn(row.kind, row.name, row.version, None if row.metrics is None else tuple(row.metrics), row.reached)
