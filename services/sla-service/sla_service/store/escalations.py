"""Escalations: the steps that were raised, and who took them on."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor
from sla_service.domain.changes import Raised
from sla_service.store.tables import escalations


async def add_escalations(tx: AsyncSession, raised: Sequence[Raised]) -> None:
    """A step that was withdrawn and is due again at the same instant is raised anew, acknowledged by nobody."""
    if not raised:
        return
    new = insert(escalations)
    names = ("team_id", "recipient", "detected_at", "withdrawn", "acknowledged_at", "acknowledged_by")
    await tx.execute(
        new.on_conflict_do_update(index_elements=["escalation_id"], set_={name: new.excluded[name] for name in names}),
        [
            {
                "escalation_id": one.escalation_id,
                "history_id": one.history_id,
                "clock_id": one.clock_id,
                "step": one.step,
                "role": one.role,
                "team_id": one.team_id,
                "recipient": one.recipient.model_dump(mode="json") if one.recipient else None,
                "raised_at": one.raised_at,
                "detected_at": one.detected_at,
                "withdrawn": False,
                "acknowledged_at": None,
                "acknowledged_by": None,
            }
            for one in raised
        ],
    )


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
