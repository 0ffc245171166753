"""What happens to cases elsewhere: they end, come back to life, or their person is erased.

Writers hold the roster's lock.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import ComplaintFacts
from triage_service.store.cases import RANKS
from triage_service.store.tables import assignments, cases, classifications, erased


@dataclass(frozen=True, slots=True)
class Move:
    """The case ended, or came back to life, by the move of that revision."""

    facts: ComplaintFacts
    revision: int
    ended: bool


async def apply_moves(tx: AsyncSession, moves: Sequence[Move]) -> dict[str, int]:
    """Note each complaint's newest move; the change of each agent's load that follows."""
    by_id = {move.facts.complaint_id: move for move in sorted(moves, key=lambda move: move.facts.complaint_id)}
    known = await tx.execute(
        select(cases.c.complaint_id, cases.c.move_revision, cases.c.ended, cases.c.agent_id).where(
            cases.c.complaint_id == func.any(list(by_id))
        )
    )
    deltas: dict[str, int] = {}
    newer = dict(by_id)
    for row in known:
        move = by_id[row.complaint_id]
        if move.revision <= row.move_revision:
            del newer[row.complaint_id]
        elif row.agent_id is not None and move.ended != row.ended:
            deltas[row.agent_id] = deltas.get(row.agent_id, 0) + (-1 if move.ended else 1)
    if newer:
        statement = insert(cases)
        rows = [
            {
                "complaint_id": complaint_id,
                "person_id": move.facts.customer.person_id,
                "received_at": move.facts.received_at,
                "facts": json.loads(move.facts.model_dump_json()),
                "revision": 0,
                "rank": RANKS[move.facts.urgency],
                "assignment_revision": 0,
                "ended": move.ended,
                "move_revision": move.revision,
            }
            for complaint_id, move in newer.items()
        ]
        changed = {name: statement.excluded[name] for name in ("ended", "move_revision")}
        await tx.execute(statement.on_conflict_do_update(index_elements=["complaint_id"], set_=changed), rows)
    return deltas


async def erase(tx: AsyncSession, persons: Sequence[UUID], complaints: Sequence[UUID], erased_display: str) -> None:
    """Take what is personal out of the persons' cases, and remember them for receipts that are still to come."""
    subjects = sorted({*persons, *complaints})
    await tx.execute(insert(erased).on_conflict_do_nothing(), [{"subject_id": subject} for subject in subjects])
    theirs = (cases.c.person_id == func.any(list(persons))) | (cases.c.complaint_id == func.any(list(complaints)))
    ids = list(await tx.scalars(select(cases.c.complaint_id).where(theirs)))
    if not ids:
        return
    await tx.execute(
        text(
            "update cases set facts = facts || jsonb_build_object('organisation', null, 'customer', "
            "facts -> 'customer' || jsonb_build_object('display', cast(:display as text), 'preferred_channel', null)) "
            "where complaint_id = any(cast(:ids as uuid[]))"
        ),
        {"display": erased_display, "ids": ids},
    )
    for table in (classifications, assignments):
        await tx.execute(
            update(table)
            .where(table.c.complaint_id == func.any(ids), table.c.override_reason.is_not(None))
            .values(override_reason=None)
        )
