"""Pauses that were not legitimate, counted in one statement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

#: One pause may stop several clocks of a complaint: it counts once, with the longest time for which it stopped one.
_BY_TEAM = text("""
with found as (
  select c.history_id, c.owner_team, f ->> 'fact_id' as fact_id, f -> 'wrong' as wrong,
    (f ->> 'given_back')::bool as given_back, (f ->> 'begin')::timestamptz as begins,
    least(coalesce((f ->> 'end')::timestamptz, cast(:now as timestamptz)), :now) as ends
  from clocks c, jsonb_array_elements(c.findings) f
  where c.findings is not null and not c.void
    and (cast(:teams as text[]) is null or c.owner_team is null or c.owner_team = any(cast(:teams as text[])))
), pauses as (
  select history_id, owner_team, fact_id, min(begins) as begins, max(ends - begins) as lasted,
    bool_or(wrong @> '["no_question"]') as no_question, bool_or(wrong @> '["near_deadline"]') as near_deadline,
    bool_or(given_back) as given_back
  from found where begins >= :since and begins < :until group by history_id, owner_team, fact_id
)
select owner_team as team_id, count(*) as pauses, round(sum(extract(epoch from lasted)) / 60, 2) as minutes,
  coalesce(round(sum(extract(epoch from lasted)) filter (where given_back) / 60, 2), 0) as given_back_minutes,
  count(*) filter (where no_question) as no_question, count(*) filter (where near_deadline) as near_deadline,
  array_agg(distinct history_id) as complaints
from pauses group by owner_team order by minutes desc, owner_team
""")


async def findings_by_team(
    tx: AsyncSession, since: datetime, until: datetime, now: datetime, teams: Iterable[str] | None
) -> Sequence[Any]:
    """A row per team of the pauses that began in ``[since, until)``, the most minutes first; one that lasts counts up
    to `now`."""
    wanted = {"since": since, "until": until, "now": now, "teams": None if teams is None else sorted(teams)}
    return (await tx.execute(_BY_TEAM, wanted)).all()
