"""Steps of escalation chains, and who takes them on (F10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.contracts.envelope import StaffContact
from shared.contracts.sla import ClockView, EscalationAcknowledgedV1
from shared.ids import derived_id
from shared.web.errors import Conflict, Forbidden, NotFound
from shared.web.principal import Principal, Role
from shared.web.visibility import may_see_team, visible_teams
from sla_service.store import clocks, escalations, histories
from sla_service.usecases.deps import Deps


class NoSuchEscalation(NotFound):
    slug, title = "no-such-escalation", "There is no such escalation"


class EscalationWithdrawn(Conflict):
    slug, title = "escalation-withdrawn", "The escalation was withdrawn"


class NotTheRecipient(Forbidden):
    slug, title = "not-the-recipient", "The escalation went to somebody else"


async def list_escalations(
    complaint: UUID | None, after: tuple[datetime, UUID] | None, limit: int, principal: Principal, deps: Deps
) -> Sequence[Any]:
    """The newest first."""
    async with deps.reading() as tx:
        return await escalations.list_escalations(tx, complaint, visible_teams(principal), after, limit)


async def acknowledge(escalation_id: UUID, principal: Principal, deps: Deps) -> Any:
    """Record that this person takes the step on; once, whoever asks again.

    The clock is locked before the instant is taken, so a timer that comes later sees it, and one that came earlier has
    raised what was due before.

    Raises `NoSuchEscalation`, `NotTheRecipient`, `EscalationWithdrawn`.
    """
    async with deps.session() as tx:
        row = await escalations.escalation(tx, escalation_id)
        if row is None or (row.team_id is not None and not may_see_team(principal, row.team_id)):
            raise NoSuchEscalation(f"No escalation has the id {escalation_id}; list them with GET /v1/escalations.")
        recipient = StaffContact.model_validate(row.recipient) if row.recipient else None
        if not principal.has(Role.LEAD, Role.MANAGER) and (
            recipient is None or recipient.staff_id != principal.subject
        ):
            raise NotTheRecipient("Ask the one it went to, a team lead or a manager to acknowledge it.")
        view = await clocks.lock_clock(tx, row.clock_id)
        row = await escalations.escalation(tx, escalation_id)
        assert row is not None  # none is ever deleted
        if row.withdrawn:
            raise EscalationWithdrawn("A fact that came late showed that the deadline was kept: nothing is to be done.")
        if row.acknowledged_at is None:
            row = await _acknowledge(tx, row, view, principal, deps)
        return row


async def _acknowledge(tx: AsyncSession, row: Any, view: ClockView, principal: Principal, deps: Deps) -> Any:
    history = await histories.history(tx, row.history_id)
    now = deps.clock.now()
    view = view.model_copy(update={"revision": view.revision + 1})
    await clocks.save_revision(tx, view)
    outbox.add(
        tx,
        EscalationAcknowledgedV1(
            event_id=derived_id("clock-event", view.clock_id, view.revision),
            occurred_at=now,
            recorded_at=now,
            actor=principal.actor,
            clock=view,
            facts=history.complaint if history else None,
            escalation_id=row.escalation_id,
            step=row.step,
            role=row.role,
        ),
    )
    return await escalations.acknowledge(tx, row.escalation_id, now, principal.actor)
