"""How cases went on, heard from resolution-service (A9). Right in any order: the highest revision or cycle counts."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.store import outcomes as store
from intake_service.usecases.deps import Deps
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1


async def learn_of_moves(events: Sequence[CaseMovedV1], tx: AsyncSession, deps: Deps) -> None:
    """Called by the bus with a list."""
    rows = [
        {
            "complaint_id": event.complaint_id,
            "state": event.to_state,
            "state_revision": event.revision,
            "cycle": event.cycle,
            "moved_at": event.occurred_at,
        }
        for event in sorted(events, key=lambda event: event.complaint_id)
    ]
    await store.keep_states(tx, rows)


async def learn_of_results(events: Sequence[CaseResolvedV1], tx: AsyncSession, deps: Deps) -> None:
    """Called by the bus with a list. The result of an erased complaint is not kept."""
    erased = await store.erased_among(tx, [event.complaint_id for event in events])
    rows = [
        {
            "complaint_id": event.complaint_id,
            "resolved_cycle": event.cycle,
            "resolved_at": event.occurred_at,
            "result": None if event.complaint_id in erased else event.result.model_dump(),
            "measure_kinds": list(event.measure_kinds),
        }
        for event in sorted(events, key=lambda event: event.complaint_id)
    ]
    await store.keep_results(tx, rows)
