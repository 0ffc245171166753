"""How deadlines were met, counted in one statement (F11)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

Key = Literal["policy", "metric", "team", "urgency"]
_KEYS: dict[Key, str] = {
    "policy": "c.policy",
    "metric": "c.metric",
    "team": "c.owner_team",
    "urgency": "h.complaint ->> 'urgency'",
}
#: Each clock once, at the instant that decided it: its end where that was in time, else its due instant. That is
#: never after `due_at`, which has the index.
_DECIDED = """
select {keys}, c.on_time is true as on_time, c.status in ('running', 'paused') as open,
  extract(epoch from coalesce(
    c.fulfilled_at, case when c.status in ('running', 'paused') then cast(:now as timestamptz) end
  ) - c.started_at) as seconds
from clocks c join histories h on h.history_id = c.history_id
where c.revision > 0 and not c.void and c.due_at >= :since
  and least(c.fulfilled_at, c.due_at) >= :since and least(c.fulfilled_at, c.due_at) < :until
  and (c.fulfilled_at is not null or c.breached_at is not null or (c.status = 'running' and c.due_at < :now))
  and (cast(:teams as text[]) is null or c.owner_team is null or c.owner_team = any(cast(:teams as text[])))
"""
_COUNTED = """
select {names}, grouping({names}) > 0 as whole, count(*) as clocks, count(*) filter (where on_time) as on_time,
  count(*) filter (where open) as open_overdue, avg(seconds) as average,
  percentile_cont(0.5) within group (order by seconds) as median,
  percentile_cont(0.9) within group (order by seconds) as p90
from ({decided}) as decided group by grouping sets (({names}), ()) order by whole, {names}
"""


async def attainment(
    tx: AsyncSession, by: Sequence[Key], since: datetime, until: datetime, now: datetime, teams: Iterable[str] | None
) -> Sequence[Any]:
    """A row per group of the clocks that were decided in ``[since, until)``, and at last one of all of them (`whole`).

    `average`, `median` and `p90` are seconds from the start to the end, or to `now` for a clock that is late and open;
    a late clock that was cancelled counts, but has no time.
    """
    decided = _DECIDED.format(keys=", ".join(f"{_KEYS[key]} as {key}" for key in by))
    query = text(_COUNTED.format(names=", ".join(by), decided=decided))
    wanted = {"since": since, "until": until, "now": now, "teams": None if teams is None else sorted(teams)}
    return (await tx.execute(query, wanted)).all()
