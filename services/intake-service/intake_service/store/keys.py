"""Adapter keys, kept as hashes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.store.tables import adapter_keys


async def insert_key(tx: AsyncSession, row: dict[str, Any]) -> RowMapping:
    written = await tx.execute(insert(adapter_keys).values(row).returning(adapter_keys))
    kept: RowMapping = written.mappings().one()
    return kept


async def find_by_hash(tx: AsyncSession, hashed: str) -> RowMapping | None:
    asked = select(adapter_keys).where(adapter_keys.c.hash == hashed, adapter_keys.c.revoked_at.is_(None))
    return (await tx.execute(asked)).mappings().one_or_none()


async def page_of(tx: AsyncSession, after: tuple[datetime, UUID] | None, limit: int) -> list[RowMapping]:
    asked = select(adapter_keys).order_by(adapter_keys.c.created_at, adapter_keys.c.id).limit(limit)
    if after is not None:
        asked = asked.where(tuple_(adapter_keys.c.created_at, adapter_keys.c.id) > tuple_(*after))
    return list((await tx.execute(asked)).mappings())


async def revoke(tx: AsyncSession, key_id: UUID, at: datetime, by: str) -> RowMapping | None:
    """The key as it is now, revoked once and for all; None where there is no such key."""
    revoked = (
        update(adapter_keys)
        .where(adapter_keys.c.id == key_id)
        .values(
            revoked_at=func.coalesce(adapter_keys.c.revoked_at, at),
            revoked_by=func.coalesce(adapter_keys.c.revoked_by, by),
        )
        .returning(adapter_keys)
    )
    row: RowMapping | None = (await tx.execute(revoked)).mappings().one_or_none()
    return row
