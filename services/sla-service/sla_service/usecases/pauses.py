"""Pauses that were not legitimate, by team (F9)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.web.errors import Invalid
from shared.web.principal import Principal
from shared.web.visibility import visible_teams
from sla_service.store import pauses
from sla_service.usecases.deps import Deps


class EmptyStretch(Invalid):
    slug, title = "empty-stretch", "The stretch of time is empty"


async def findings_by_team(since: datetime, until: datetime | None, principal: Principal, deps: Deps) -> Sequence[Any]:
    """Pauses that began in ``[since, until)``, or since then. Raises `EmptyStretch`."""
    now = deps.clock.now()
    end = until or now
    if end <= since:
        raise EmptyStretch("`to` must be after `from`; without `to` it is now.", parameter="from")
    async with deps.reading() as tx:
        return await pauses.findings_by_team(tx, since, end, now, visible_teams(principal))
