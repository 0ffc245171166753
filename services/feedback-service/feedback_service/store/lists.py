"""Lists and counts. No commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service.store.rows import surveys_with_delivery, visits_with_case
from feedback_service.store.tables import OVER, cases, closings, surveys, visits


async def list_surveys(
    tx: AsyncSession,
    *,
    complaint_id: UUID | None,
    answered: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Newest first."""
    query = surveys_with_delivery().order_by(surveys.c.offered_at.desc(), surveys.c.survey_id.desc()).limit(limit)
    if complaint_id is not None:
        query = query.where(surveys.c.complaint_id == complaint_id)
    if answered is not None:
        query = query.where(surveys.c.answered_at.is_not(None) if answered else surveys.c.answered_at.is_(None))
    if after is not None:
        query = query.where(tuple_(surveys.c.offered_at, surveys.c.survey_id) < after)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def list_visits(
    tx: AsyncSession,
    *,
    complaint_id: UUID | None,
    assignee_id: str | None,
    is_open: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """The next due first."""
    query = visits_with_case().order_by(visits.c.due_at, visits.c.visit_id).limit(limit)
    if complaint_id is not None:
        query = query.where(visits.c.complaint_id == complaint_id)
    if assignee_id is not None:
        query = query.where(visits.c.assignee_id == assignee_id)
    superseded = or_(cases.c.cycle > visits.c.cycle, and_(cases.c.cycle == visits.c.cycle, cases.c.state.in_(OVER)))
    still = and_(visits.c.done_at.is_(None), func.coalesce(superseded, False).is_(False))
    if is_open is not None:
        query = query.where(still if is_open else ~still)
    if after is not None:
        query = query.where(tuple_(visits.c.due_at, visits.c.visit_id) > after)
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def list_closings(tx: AsyncSession, complaint_id: UUID) -> Sequence[Row[Any]]:
    query = select(closings).where(closings.c.complaint_id == complaint_id).order_by(closings.c.cycle)
    return (await tx.execute(query)).all()


def _month_start(zone: str, months: int, now: datetime) -> Any:
    """The first instant of the month `months` before the one of `now`, as people in `zone` count months."""
    local = func.date_trunc("month", func.timezone(zone, now)) - func.make_interval(0, months)
    return func.timezone(zone, local)


async def satisfaction_by_month(tx: AsyncSession, zone: str, months: int, now: datetime) -> Sequence[Row[Any]]:
    """D1: per month of answering, how often each level was given."""
    month = func.to_char(func.timezone(zone, surveys.c.answered_at), "YYYY-MM").label("month")
    query = (
        select(month, surveys.c.satisfaction, func.count().label("times"))
        .where(surveys.c.answered_at >= _month_start(zone, months, now))
        .group_by(month, surveys.c.satisfaction)
        .order_by(month.desc(), surveys.c.satisfaction.desc())
    )
    return (await tx.execute(query)).all()


async def reasons_by_month(tx: AsyncSession, zone: str, months: int, now: datetime) -> Sequence[Row[Any]]:
    month = func.to_char(func.timezone(zone, surveys.c.answered_at), "YYYY-MM").label("month")
    reason = func.jsonb_array_elements_text(surveys.c.reasons).label("reason")
    listed = (
        select(month, reason)
        .where(
            surveys.c.satisfied.is_(False),
            surveys.c.answered_at >= _month_start(zone, months, now),
        )
        .subquery()
    )
    query = (
        select(listed.c.month, listed.c.reason, func.count().label("times"))
        .group_by(listed.c.month, listed.c.reason)
        .order_by(listed.c.month.desc(), func.count().desc(), listed.c.reason)
    )
    return (await tx.execute(query)).all()
