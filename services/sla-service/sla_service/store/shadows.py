"""Drafts that run in the shadow of the policies that hold."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sla_service.store.tables import shadows


async def add(tx: AsyncSession, row: dict[str, Any]) -> bool:
    """False where one of this name is there already."""
    made = await tx.execute(insert(shadows).values(row).on_conflict_do_nothing().returning(shadows.c.shadow_id))
    return made.scalar_one_or_none() is not None


async def rows(tx: AsyncSession) -> Sequence[Any]:
    """The newest first."""
    return (await tx.execute(select(shadows).order_by(shadows.c.created_at.desc(), shadows.c.shadow_id))).all()


async def row(tx: AsyncSession, shadow_id: str) -> Any | None:
    return (await tx.execute(select(shadows).where(shadows.c.shadow_id == shadow_id))).one_or_none()


async def end(tx: AsyncSession, shadow_id: str, at: datetime) -> None:
    """It counts no complaint received after that."""
    query = update(shadows).where(shadows.c.shadow_id == shadow_id)
    await tx.execute(query.values(until=func.least(shadows.c.until, at)))


async def claim(tx: AsyncSession, before: datetime) -> Any | None:
    """One that was not counted since `before`, of those that still change; locked until the commit."""
    stale = (shadows.c.counted_at.is_(None)) | (
        (shadows.c.counted_at < before) & (shadows.c.counted_at < shadows.c.until + text("interval '31 days'"))
    )
    query = select(shadows).where(stale).order_by(shadows.c.counted_at.asc().nulls_first()).limit(1)
    return (await tx.execute(query.with_for_update(skip_locked=True))).one_or_none()


async def keep(
    tx: AsyncSession, shadow_id: str, at: datetime, statistics: dict[str, Any] | None, problem: str | None
) -> None:
    """What was counted; with a problem the statistics of the last time stay."""
    told: dict[str, Any] = {"counted_at": at, "problem": problem}
    if problem is None:
        told["statistics"] = statistics
    await tx.execute(update(shadows).where(shadows.c.shadow_id == shadow_id).values(told))
