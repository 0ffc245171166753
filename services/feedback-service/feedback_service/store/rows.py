"""Single rows, for the doors. No commits."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service.store.tables import cases, closings, survey_deliveries, surveys, visits


def surveys_with_delivery() -> Select[Any]:
    return select(surveys, survey_deliveries.c.delivered_at).outerjoin(
        survey_deliveries, survey_deliveries.c.survey_id == surveys.c.survey_id
    )


async def survey(tx: AsyncSession, survey_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = surveys_with_delivery().where(surveys.c.survey_id == survey_id)
    row: Row[Any] | None = (await tx.execute(query.with_for_update(of=surveys) if lock else query)).one_or_none()
    return row


async def answer_survey(tx: AsyncSession, survey_id: UUID, **values: Any) -> None:
    await tx.execute(update(surveys).where(surveys.c.survey_id == survey_id).values(**values))


async def visit(tx: AsyncSession, visit_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = visits_with_case().where(visits.c.visit_id == visit_id)
    row: Row[Any] | None = (await tx.execute(query.with_for_update(of=visits) if lock else query)).one_or_none()
    return row


async def change_visit(tx: AsyncSession, visit_id: UUID, **values: Any) -> None:
    await tx.execute(update(visits).where(visits.c.visit_id == visit_id).values(**values))


def visits_with_case() -> Select[Any]:
    return select(visits, cases.c.cycle.label("case_cycle"), cases.c.state.label("case_state")).outerjoin(
        cases, cases.c.complaint_id == visits.c.complaint_id
    )


async def latest_survey(tx: AsyncSession, complaint_id: UUID) -> Row[Any] | None:
    """Of the last cycle that was resolved; locked, so that two closings queue."""
    query = select(surveys).where(surveys.c.complaint_id == complaint_id).order_by(surveys.c.cycle.desc()).limit(1)
    return (await tx.execute(query.with_for_update())).one_or_none()


async def case_of(tx: AsyncSession, complaint_id: UUID) -> Row[Any] | None:
    return (await tx.execute(select(cases).where(cases.c.complaint_id == complaint_id))).one_or_none()


async def closing(tx: AsyncSession, complaint_id: UUID, cycle: int) -> Row[Any] | None:
    query = select(closings).where(closings.c.complaint_id == complaint_id, closings.c.cycle == cycle)
    return (await tx.execute(query)).one_or_none()


async def insert_closing(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(closings).values(**row))
