"""Reviews and improvement actions. No commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.store.tables import actions, reviews

Position = tuple[datetime, UUID]


async def review(tx: AsyncSession, review_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(reviews).where(reviews.c.review_id == review_id)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def insert_review(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(reviews).values(**row))


async def change_review(tx: AsyncSession, review_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(reviews).where(reviews.c.review_id == review_id).values(**values))


async def list_reviews(
    tx: AsyncSession, *, complaint_id: UUID | None, after: Position | None, limit: int
) -> Sequence[Row[Any]]:
    """Newest first."""
    query = select(reviews).order_by(reviews.c.created_at.desc(), reviews.c.review_id.desc()).limit(limit)
    if complaint_id is not None:
        query = query.where(reviews.c.complaint_ids.contains([complaint_id]))
    if after is not None:
        query = query.where(tuple_(reviews.c.created_at, reviews.c.review_id) < after)
    return (await tx.execute(query)).all()


async def action(tx: AsyncSession, action_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = select(actions).where(actions.c.action_id == action_id)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def insert_action(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(actions).values(**row))


async def change_action(tx: AsyncSession, action_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(actions).where(actions.c.action_id == action_id).values(**values))


async def list_actions(
    tx: AsyncSession,
    *,
    review_id: UUID | None,
    is_open: bool | None,
    due_before: datetime | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """The next due first."""
    query = select(actions).order_by(actions.c.due_at, actions.c.action_id).limit(limit)
    if review_id is not None:
        query = query.where(actions.c.review_id == review_id)
    if is_open is not None:
        query = query.where(actions.c.done_at.is_(None) if is_open else actions.c.done_at.is_not(None))
    if due_before is not None:
        query = query.where(actions.c.due_at < due_before)
    if after is not None:
        query = query.where(tuple_(actions.c.due_at, actions.c.action_id) > after)
    return (await tx.execute(query)).all()
