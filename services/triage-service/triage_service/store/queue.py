"""The work list: open cases by urgency and age."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import ComplaintFacts
from triage_service.store.tables import cases


@dataclass(frozen=True, slots=True)
class QueueItem:
    facts: ComplaintFacts
    kind: str
    issue_type: str
    rank: int
    team_id: str
    agent_id: str | None
    assignment_revision: int


async def queue(
    tx: AsyncSession,
    *,
    team_id: str | None,
    agent_id: str | None,
    waiting: bool | None,
    visible: frozenset[str] | None,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> list[QueueItem]:
    """Open cases, the most urgent first, then the oldest.

    `waiting`: those without an agent, or those with one. `visible`: of these teams alone.
    """
    wanted = [~cases.c.ended, cases.c.team_id.is_not(None)]
    if team_id is not None:
        wanted.append(cases.c.team_id == team_id)
    if agent_id is not None:
        wanted.append(cases.c.agent_id == agent_id)
    if waiting is not None:
        wanted.append(cases.c.agent_id.is_(None) if waiting else cases.c.agent_id.is_not(None))
    if visible is not None:
        wanted.append(cases.c.team_id == func.any(sorted(visible)))
    order = (cases.c.rank, cases.c.received_at, cases.c.complaint_id)
    if after is not None:
        wanted.append(tuple_(*order) > tuple_(*after))
    rows = await tx.execute(select(cases).where(and_(*wanted)).order_by(*order).limit(limit))
    return [
        QueueItem(
            facts=ComplaintFacts.model_validate(row.facts),
            kind=row.kind,
            issue_type=row.issue_type,
            rank=row.rank,
            team_id=row.team_id,
            agent_id=row.agent_id,
            assignment_revision=row.assignment_revision,
        )
        for row in rows
    ]


async def waiting_of(tx: AsyncSession, teams: frozenset[str], limit: int) -> list[UUID]:
    """Open cases of these teams that have no agent, the most urgent first, then the oldest."""
    order = (cases.c.rank, cases.c.received_at, cases.c.complaint_id)
    wanted = (~cases.c.ended, cases.c.team_id == func.any(sorted(teams)), cases.c.agent_id.is_(None))
    return list(await tx.scalars(select(cases.c.complaint_id).where(*wanted).order_by(*order).limit(limit)))
