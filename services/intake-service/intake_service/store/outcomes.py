"""How cases stand, as resolution tells. Each half of a row follows from the highest revision or cycle heard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.store.tables import complaints, outcomes


async def keep_states(tx: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of complaint_id, state, state_revision, cycle, moved_at."""
    written = upsert(outcomes).values(list(rows))
    told = {name: written.excluded[name] for name in ("state", "state_revision", "cycle", "moved_at")}
    newer = written.excluded.state_revision > outcomes.c.state_revision
    await tx.execute(written.on_conflict_do_update(index_elements=["complaint_id"], set_=told, where=newer))


async def keep_results(tx: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of complaint_id, resolved_cycle, resolved_at, result, measure_kinds."""
    written = upsert(outcomes).values(list(rows))
    told = {name: written.excluded[name] for name in ("resolved_cycle", "resolved_at", "result", "measure_kinds")}
    newer = written.excluded.resolved_cycle > outcomes.c.resolved_cycle
    await tx.execute(written.on_conflict_do_update(index_elements=["complaint_id"], set_=told, where=newer))


async def erased_among(tx: AsyncSession, complaint_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these were erased; none of the others can be until the commit."""
    asked = select(complaints.c.id, complaints.c.erased_at).where(complaints.c.id.in_(complaint_ids))
    found = await tx.execute(asked.order_by(complaints.c.id).with_for_update(read=True))
    return {complaint_id for complaint_id, erased_at in found if erased_at is not None}
