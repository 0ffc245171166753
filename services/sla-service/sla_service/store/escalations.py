"""Escalations: the steps that were raised, and who took them on."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor, StaffContact
from sla_service.domain.changes import Raised
from sla_service.store.tables import escalations

_ADD = text(
    "insert into escalations (escalation_id, history_id, clock_id, step, role, team_id, recipient, raised_at, "
    "detected_at, withdrawn) select a, b, c, d, e, f, g::jsonb, h, i, false from unnest(cast(:a as uuid[]), "
    "cast(:b as uuid[]), cast(:c as uuid[]), cast(:d as int[]), cast(:e as text[]), cast(:f as text[]), "
    "cast(:g as text[]), cast(:h as timestamptz[]), cast(:i as timestamptz[])) as r (a, b, c, d, e, f, g, h, i) "
    "order by a on conflict (escalation_id) do update set team_id = excluded.team_id, recipient = excluded.recipient, "
    "detected_at = excluded.detected_at, withdrawn = false, acknowledged_at = null, acknowledged_by = null"
)


async def add_escalations(tx: AsyncSession, raised: Sequence[Raised]) -> None:
    """All in one statement. A step that was withdrawn and is due again at the same instant is raised anew, acknowledged
    by nobody."""
    if not raised:
        return
    columns = {
        "a": [one.escalation_id for one in raised],
        "b": [one.history_id for one in raised],
        "c": [one.clock_id for one in raised],
        "d": [one.step for one in raised],
        "e": [one.role for one in raised],
        "f": [one.team_id for one in raised],
        "g": [_written(one.recipient) for one in raised],
        "h": [one.raised_at for one in raised],
        "i": [one.detected_at for one in raised],
    }
    await tx.execute(_ADD, columns)


@lru_cache(maxsize=10_000)
def _written(person: StaffContact | None) -> str:
    return "null" if person is None else person.model_dump_json()


async def withdraw_escalations(tx: AsyncSession, clock_ids: Sequence[UUID]) -> None:
    if clock_ids:
        await tx.execute(escalations.update().where(escalations.c.clock_id.in_(clock_ids)).values(withdrawn=True))


async def acknowledged(tx: AsyncSession, clock_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When a step of the chain of each of these clocks was first acknowledged; what was withdrawn does not count."""
    query = (
        select(escalations.c.clock_id, func.min(escalations.c.acknowledged_at).label("at"))
        .where(escalations.c.clock_id.in_(clock_ids), ~escalations.c.withdrawn)
        .where(escalations.c.acknowledged_at.is_not(None))
        .group_by(escalations.c.clock_id)
    )
    return {row.clock_id: row.at for row in await tx.execute(query)}


async def escalation(tx: AsyncSession, escalation_id: UUID) -> Any | None:
    return (await tx.execute(select(escalations).where(escalations.c.escalation_id == escalation_id))).one_or_none()


async def acknowledge(tx: AsyncSession, escalation_id: UUID, now: datetime, by: Actor) -> Any:
    """The row with who took it on."""
    one = escalations.update().where(escalations.c.escalation_id == escalation_id)
    told = one.values(acknowledged_at=now, acknowledged_by=by.model_dump(mode="json")).returning(escalations)
    return (await tx.execute(told)).one()


async def list_escalations(
    tx: AsyncSession,
    history_id: UUID | None,
    teams: Iterable[str] | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """The newest first."""
    query: Select[Any] = select(escalations)
    if history_id is not None:
        query = query.where(escalations.c.history_id == history_id)
    if teams is not None:
        query = query.where(or_(escalations.c.team_id.in_(list(teams)), escalations.c.team_id.is_(None)))
    if after is not None:
        query = query.where(tuple_(escalations.c.raised_at, escalations.c.escalation_id) < tuple_(*after))
    query = query.order_by(escalations.c.raised_at.desc(), escalations.c.escalation_id.desc())
    return list(await tx.execute(query.limit(limit)))
