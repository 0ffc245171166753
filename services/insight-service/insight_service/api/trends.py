"""Trends (E1)."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from insight_service.api.shapes import DepsDep, StaffDep, TrendOut
from insight_service.usecases import ask
from shared.web.errors import Invalid, responses

router = APIRouter(tags=["trends"])


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Dimension(StrEnum):
    ISSUE_TYPE = "issue_type"
    URGENCY = "urgency"
    RESPONSIBLE = "responsible"
    CHANNEL = "channel"
    KIND = "kind"
    PRODUCT = "product"
    REGION = "region"
    TEAM = "team"


class StretchBackwards(Invalid):
    slug = "stretch-backwards"
    title = "The stretch of time is empty"


_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@router.get("/v1/trends", responses=responses(StretchBackwards))
async def trends(
    principal: StaffDep,
    deps: DepsDep,
    period: Period = Period.WEEK,
    by: Dimension = Dimension.ISSUE_TYPE,
    start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> list[TrendOut]:
    """Complaints received from `from` (inclusive) to `to` (exclusive), per period and value, periods in order, the most
    frequent value first. Days, weeks (from Monday) and months as the setting `INSIGHT_TIME_ZONE` counts them."""
    first, last = max(start or _FIRST, _FIRST), min(end or _LAST, _LAST)
    if first >= last:
        raise StretchBackwards("`from` must lie before `to`.", parameter="from")
    rows = await ask.count_trends(period=period, dimension=by, start=first, end=last, deps=deps)
    return [TrendOut(**vars(row)) for row in rows]
