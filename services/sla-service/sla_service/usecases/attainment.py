"""Attainment: how the deadlines of a stretch of time were met (F11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from shared.web.errors import Invalid
from shared.web.principal import Principal
from shared.web.visibility import visible_teams
from sla_service.store import attainment
from sla_service.usecases.deps import Deps

GroupBy = Literal["policy", "metric", "team"]
_LONGEST = timedelta(days=366)


class BadStretch(Invalid):
    slug, title = "bad-stretch", "The stretch of time cannot be reported"


@dataclass(frozen=True, slots=True)
class Report:
    """Rows as `store.attainment` tells them; the last is of all groups."""

    since: datetime
    until: datetime
    by: GroupBy
    now: datetime
    rows: Sequence[Any]


async def report(since: datetime, until: datetime, by: GroupBy, principal: Principal, deps: Deps) -> Report:
    """Clocks that were decided in ``[since, until)``. Raises `BadStretch`."""
    if until <= since:
        raise BadStretch("`to` must be after `from`; `from` belongs to the stretch, `to` does not.", parameter="to")
    if until - since > _LONGEST:
        raise BadStretch(f"At most {_LONGEST.days} days; ask for each year on its own.", parameter="to")
    now = deps.clock.now()
    async with deps.reading() as tx:
        rows = await attainment.attainment(tx, [by], since, until, now, visible_teams(principal))
    return Report(since, until, by, now, rows)
