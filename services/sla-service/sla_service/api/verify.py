"""Do the kept clocks still follow from their facts?"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from shared.web.auth import Principal, Role, allow
from shared.web.errors import responses
from sla_service.api.deps import DepsDep
from sla_service.usecases import replay

router = APIRouter(tags=["clocks"])


class DifferenceOut(BaseModel):
    """One field. `clock_id` with one value empty: the clock is kept but does not follow from the facts, or follows
    from them and is not kept."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    kept: Any
    folded: Any


class DifferingOut(BaseModel):
    """`history_id` is the complaint, or the improvement action."""

    model_config = ConfigDict(from_attributes=True)

    history_id: UUID
    clock_id: UUID
    differences: list[DifferenceOut]


class VerdictOut(BaseModel):
    """How many histories and clocks were looked at, how many clocks differ, and the first hundred of these. `after` is
    where the next request goes on; empty: all were looked at."""

    model_config = ConfigDict(from_attributes=True)

    histories: int
    clocks: int
    differing: int
    found: list[DifferingOut]
    after: UUID | None


@router.post("/v1/clocks/verify", responses=responses(replay.NothingKept))
async def verify(
    _: Annotated[Principal, Depends(allow(Role.QUALITY))],
    deps: DepsDep,
    complaint: Annotated[UUID | None, Query(description="Of this complaint alone")] = None,
    after: Annotated[UUID | None, Query(description="From the history behind this one on")] = None,
    limit: Annotated[int, Query(ge=1, le=20_000, description="Histories that one request looks at")] = 2_000,
) -> VerdictOut:
    """Fold clocks anew from their facts and compare them, bit for bit, with what is kept. Changes nothing."""
    return VerdictOut.model_validate(await replay.verify(complaint, deps, after=after, at_most=limit))
