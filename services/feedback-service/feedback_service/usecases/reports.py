"""What feedback-service is asked: lists, and satisfaction by month (D1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from feedback_service import store
from feedback_service.usecases.deps import Deps
from feedback_service.usecases.surveys import Survey, survey_of
from feedback_service.usecases.visits import Visit, visit_of

Position = tuple[datetime, UUID]


@dataclass(frozen=True)
class Month:
    """`month` as YYYY-MM in the settings' time zone; `reasons` of those who were not satisfied."""

    month: str
    answered: int
    mean: float
    satisfied_share: float
    levels: dict[str, int]
    reasons: dict[str, int]


async def list_surveys(
    *, complaint_id: UUID | None, answered: bool | None, after: Any, limit: int, deps: Deps
) -> Sequence[Survey]:
    async with deps.reading() as tx:
        rows = await store.list_surveys(tx, complaint_id=complaint_id, answered=answered, after=after, limit=limit)
    return [survey_of(row) for row in rows]


async def list_visits(
    *,
    complaint_id: UUID | None,
    assignee_id: str | None,
    is_open: bool | None,
    after: Any,
    limit: int,
    deps: Deps,
) -> Sequence[Visit]:
    async with deps.reading() as tx:
        rows = await store.list_visits(
            tx, complaint_id=complaint_id, assignee_id=assignee_id, is_open=is_open, after=after, limit=limit
        )
    return [visit_of(row) for row in rows]


async def list_closings(complaint_id: UUID, deps: Deps) -> Sequence[dict[str, Any]]:
    async with deps.reading() as tx:
        rows = await store.list_closings(tx, complaint_id)
    hidden = {"person_id", "written_by"}
    return [{key: value for key, value in row._mapping.items() if key not in hidden} for row in rows]


async def satisfaction(months_before: int, deps: Deps) -> Sequence[Month]:
    """This month and so many before it, the newest first; months without an answer are left out."""
    zone, now = deps.settings.time_zone, deps.clock.now()
    async with deps.reading() as tx:
        levels = await store.satisfaction_by_month(tx, zone, months_before, now)
        reasons = await store.reasons_by_month(tx, zone, months_before, now)
    months: dict[str, dict[str, int]] = {}
    for row in levels:
        months.setdefault(row.month, {})[str(row.satisfaction)] = row.times
    why: dict[str, dict[str, int]] = {}
    for row in reasons:
        why.setdefault(row.month, {})[row.reason] = row.times
    return [_month(month, counts, why.get(month, {}), deps.settings.satisfied_from) for month, counts in months.items()]


def _month(month: str, counts: dict[str, int], reasons: dict[str, int], satisfied_from: int) -> Month:
    answered = sum(counts.values())
    total = sum(int(level) * count for level, count in counts.items())
    satisfied = sum(count for level, count in counts.items() if int(level) >= satisfied_from)
    return Month(month, answered, round(total / answered, 2), round(satisfied / answered, 4), counts, reasons)
