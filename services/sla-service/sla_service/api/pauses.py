"""Pauses that were not legitimate, as JSON (F9)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from shared.web.errors import responses
from sla_service.api.deps import DepsDep, Overseer
from sla_service.api.shapes import Instant
from sla_service.usecases import pauses
from sla_service.usecases.pauses import EmptyStretch

router = APIRouter(tags=["clocks"])


class TeamPauses(BaseModel):
    """Pauses of a team that were not legitimate, each counted once however many clocks it stopped. `minutes` of plain
    time, `given_back_minutes` of them counted as run; `team_id` is empty for complaints that no team has."""

    model_config = ConfigDict(from_attributes=True)

    team_id: str | None
    pauses: int
    minutes: float
    given_back_minutes: float
    no_question: int
    near_deadline: int
    complaints: list[UUID]


class PauseFindings(BaseModel):
    data: list[TeamPauses]


@router.get("/v1/pauses/findings", responses=responses(EmptyStretch))
async def pause_findings(
    principal: Overseer,
    deps: DepsDep,
    since: Annotated[Instant, Query(alias="from", description="Pauses that began from this instant on")],
    until: Annotated[Instant | None, Query(alias="to", description="Before this instant; empty: until now")] = None,
) -> PauseFindings:
    """Pauses without a question asked, or begun too near the deadline, by team: the most minutes first."""
    rows = await pauses.findings_by_team(since, until, principal, deps)
    return PauseFindings(data=[TeamPauses.model_validate(row) for row in rows])
