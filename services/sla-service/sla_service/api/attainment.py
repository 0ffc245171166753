"""Attainment as JSON (F11)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from shared.web.errors import responses
from sla_service.api.deps import DepsDep, Overseer
from sla_service.api.shapes import Instant
from sla_service.domain.months import share
from sla_service.usecases import attainment
from sla_service.usecases.attainment import BadStretch, GroupBy, Report

router = APIRouter(tags=["attainment"])


class Attained(BaseModel):
    """How a group of clocks met its deadlines. `open_overdue` of them are late and still open: their time is counted
    up to `as_of`. Times are seconds of plain time from start to end; empty where no clock has one."""

    clocks: int
    on_time: int
    #: `on_time` of `clocks`, 0 to 1; empty where there were none, 1 for all of them only.
    share: float | None
    open_overdue: int
    average_seconds: float | None
    median_seconds: float | None
    p90_seconds: float | None

    @classmethod
    def of(cls, row: Any, **more: Any) -> "Attained":
        return cls(
            clocks=row.clocks,
            on_time=row.on_time,
            share=share(row.on_time, row.clocks),
            open_overdue=row.open_overdue,
            average_seconds=_seconds(row.average),
            median_seconds=_seconds(row.median),
            p90_seconds=_seconds(row.p90),
            **more,
        )


class AttainedGroup(Attained):
    #: A policy's id, a metric or a team's id; empty for clocks that no team has.
    group: str | None


class AttainmentOut(BaseModel):
    since: AwareDatetime = Field(serialization_alias="from")
    until: AwareDatetime = Field(serialization_alias="to")
    group_by: GroupBy
    as_of: AwareDatetime
    total: Attained
    groups: list[AttainedGroup]

    @classmethod
    def of(cls, told: Report) -> "AttainmentOut":
        *groups, whole = told.rows
        return cls(
            since=told.since,
            until=told.until,
            group_by=told.by,
            as_of=told.now,
            total=Attained.of(whole),
            groups=[AttainedGroup.of(row, group=getattr(row, told.by)) for row in groups],
        )


def _seconds(value: Any) -> float | None:
    return None if value is None else round(float(value), 3)


@router.get("/v1/attainment", responses=responses(BadStretch))
async def attained(
    principal: Overseer,
    deps: DepsDep,
    since: Annotated[Instant, Query(alias="from", description="From this instant on")],
    until: Annotated[Instant, Query(alias="to", description="Before this instant, at most 366 days later")],
    group_by: GroupBy = "metric",
) -> AttainmentOut:
    """Clocks that ended or came due in the stretch, whichever was first, so each counts in one stretch alone."""
    return AttainmentOut.of(await attainment.report(since, until, group_by, principal, deps))
