"""Follow-up visits 回访: assigned, done, recorded (D2, D3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service import domain, store
from feedback_service.usecases.deps import Deps
from shared.bus import outbox
from shared.contracts.envelope import Actor, ComplaintFacts, StaffContact
from shared.contracts.vocabulary import VisitOutcome


@dataclass(frozen=True)
class Visit:
    """`superseded`: the case was reopened, closed or taken out before anybody called. Instants are UTC."""

    visit_id: UUID
    complaint_id: UUID
    number: str
    cycle: int
    status: Literal["planned", "done", "superseded"]
    means: str
    earliest_at: datetime
    due_at: datetime
    assignee: StaffContact | None
    done_at: datetime | None
    outcome: VisitOutcome | None
    note: str | None


def visit_of(row: Row[Any]) -> Visit:
    status: Literal["planned", "done", "superseded"] = "planned"
    if row.done_at is not None:
        status = "done"
    elif not _waits(row):
        status = "superseded"
    return Visit(
        visit_id=row.visit_id,
        complaint_id=row.complaint_id,
        number=row.facts["number"],
        cycle=row.cycle,
        status=status,
        means=row.means,
        earliest_at=row.earliest_at,
        due_at=row.due_at,
        assignee=StaffContact.model_validate(row.assignee) if row.assignee else None,
        done_at=row.done_at,
        outcome=VisitOutcome(row.outcome) if row.outcome else None,
        note=row.note,
    )


def _waits(row: Row[Any]) -> bool:
    """Until the case is reopened or over. A case that feedback has not heard move yet is the one just resolved."""
    reopened = row.case_cycle is not None and row.case_cycle > row.cycle
    return not (reopened or (row.case_cycle == row.cycle and row.case_state in store.OVER))


async def assign_visit(visit_id: UUID, assignee: StaffContact, actor: Actor, tx: AsyncSession, deps: Deps) -> Visit:
    row = await _open_visit(tx, visit_id)
    now = deps.clock.now()
    revision = row.assignment_revision + 1
    await store.change_visit(
        tx,
        visit_id,
        assignee=assignee.model_dump(mode="json"),
        assignee_id=assignee.staff_id,
        assignment_revision=revision,
    )
    facts = ComplaintFacts.model_validate(row.facts)
    outbox.add(tx, domain.follow_up_assigned(facts, row.cycle, assignee, revision=revision, actor=actor, at=now))
    return await _fresh(tx, visit_id)


async def record_visit(
    visit_id: UUID,
    outcome: VisitOutcome,
    note: str,
    occurred_at: datetime | None,
    actor: Actor,
    tx: AsyncSession,
    deps: Deps,
) -> Visit:
    """The visit is done. Not satisfied: the complaint is analysed again and reopened (D3)."""
    row = await _open_visit(tx, visit_id)
    now = deps.clock.now()
    done = domain.follow_up_done(
        ComplaintFacts.model_validate(row.facts),
        row.cycle,
        earliest_at=row.earliest_at,
        outcome=outcome,
        note=note,
        actor=actor,
        occurred_at=occurred_at or now,
        recorded_at=now,
    )
    await store.change_visit(
        tx,
        visit_id,
        done_at=done.occurred_at,
        done_by=actor.model_dump(mode="json"),
        outcome=outcome.value,
        note=note,
    )
    outbox.add(tx, done)
    if outcome is VisitOutcome.DISSATISFIED:
        outbox.add(tx, domain.dissatisfied_by_visit(done))
    return await _fresh(tx, visit_id)


async def _open_visit(tx: AsyncSession, visit_id: UUID) -> Row[Any]:
    row = await store.visit(tx, visit_id, lock=True)
    if row is None:
        raise domain.FollowUpNotFound("There is no follow-up visit with this id.")
    if row.done_at is not None:
        raise domain.FollowUpNotOpen(f"It was done at {row.done_at.isoformat()}.")
    if not _waits(row):
        raise domain.FollowUpNotOpen(
            f"The case is {row.case_state} in cycle {row.case_cycle}; its visit is superseded."
        )
    return row


async def _fresh(tx: AsyncSession, visit_id: UUID) -> Visit:
    row = await store.visit(tx, visit_id)
    assert row is not None
    return visit_of(row)
