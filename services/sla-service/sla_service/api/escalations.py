"""Escalations at the HTTP door (F10)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.envelope import Actor, StaffContact
from shared.web.errors import responses
from shared.web.pages import Page, PagingDep, page
from sla_service.api.deps import DepsDep, Reader
from sla_service.usecases import escalations
from sla_service.usecases.escalations import EscalationWithdrawn, NoSuchEscalation, NotTheRecipient

router = APIRouter(tags=["clocks"])


class EscalationOut(BaseModel):
    """One step of a chain (F10). `raised_at` is when it was due, `detected_at` when the timer fired; `withdrawn` where
    a fact that came late showed that the deadline was kept; `acknowledged_by` is who took it on."""

    model_config = ConfigDict(from_attributes=True)

    escalation_id: UUID
    complaint_id: Annotated[UUID, Field(validation_alias="history_id")]
    clock_id: UUID
    step: int
    role: str
    team_id: str | None
    recipient: StaffContact | None
    raised_at: AwareDatetime
    detected_at: AwareDatetime
    withdrawn: bool
    acknowledged_at: AwareDatetime | None
    acknowledged_by: Actor | None


@router.get("/v1/escalations")
async def list_escalations(
    request: Request,
    principal: Reader,
    paging: PagingDep,
    deps: DepsDep,
    complaint: Annotated[UUID | None, Query(description="Of this complaint alone")] = None,
) -> Page[EscalationOut]:
    """Steps of escalation chains that were raised, the newest first."""
    position = paging.after(datetime, UUID)
    rows = await escalations.list_escalations(complaint, position, paging.limit + 1, principal, deps)
    shown = [EscalationOut.model_validate(row) for row in rows]
    return page(shown, paging, request, key=lambda one: (one.raised_at, one.escalation_id))


@router.post(
    "/v1/escalations/{escalation_id}/acknowledge",
    responses=responses(NoSuchEscalation, NotTheRecipient, EscalationWithdrawn),
)
async def acknowledge_escalation(escalation_id: UUID, principal: Reader, deps: DepsDep) -> EscalationOut:
    """Take a step on: its recipient, a lead or a manager. The first to do so stays recorded; asked again, the answer
    is the same. Later steps of the chain that are marked `unless_acknowledged` are not raised."""
    return EscalationOut.model_validate(await escalations.acknowledge(escalation_id, principal, deps))
