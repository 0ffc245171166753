"""The published promise, and how it was kept (F11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sla_service.clocks.policy import SERVICE, PolicyVersion
from sla_service.domain.months import month_before
from sla_service.usecases.deps import Deps


@dataclass(frozen=True, slots=True)
class Published:
    """`kept` tells by policy, metric and urgency how many clocks were decided in ``[since, until)``, the month before
    this one, and how many of them in time. Nothing stands there where there were none."""

    policies: list[PolicyVersion]
    since: datetime
    until: datetime
    kept: Mapping[tuple[str, str, str], tuple[int, int]]


async def published(deps: Deps) -> Published:
    """The policies that hold now in the order of choice, with the month before; counted anew every few minutes."""
    now = deps.clock.now()
    since, until = month_before(now, ZoneInfo(deps.settings.time_zone))
    async with deps.reading() as tx:
        book = await deps.shelf.book(tx)
        kept = await deps.last_month.kept(tx, since, until, now)
    policies = [version for version in book.valid_at_instant(now) if version.spec.track == SERVICE]
    return Published(policies, since, until, kept)
