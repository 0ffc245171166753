"""Feedback's tables and queries. No commits.

What a row says depends on the set of events that were heard, never on their order: moves of the case keep the highest
revision, deliveries and answers stand in rows of their own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    SmallInteger,
    String,
    Table,
    Text,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import bus_tables
from shared.web.idempotency import idempotency_table

metadata = MetaData()
bus = bus_tables(metadata)
idempotency = idempotency_table(metadata)

Instant = DateTime(timezone=True)

#: States after which nobody is visited any more.
OVER = ("closed", "merged", "withdrawn", "rejected")

cases = Table(
    "cases",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("move_revision", Integer, nullable=False),
    Column("state", String(30), nullable=False),
    Column("cycle", Integer, nullable=False),
)

surveys = Table(
    "surveys",
    metadata,
    Column("survey_id", PgUUID, primary_key=True),
    Column("complaint_id", PgUUID, nullable=False, index=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("offered_at", Instant, nullable=False),
    Column("resolved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("answered_by", JSONB),
    Column("satisfaction", SmallInteger),
    Column("satisfied", Boolean),
    Column("answers", JSONB),
    Column("reasons", JSONB),
    Column("comment", Text),
    Index("surveys_by_answer", "answered_at"),
)

#: In a row of its own because the receipt of a survey's message may be heard before the resolution it belongs to.
survey_deliveries = Table(
    "survey_deliveries",
    metadata,
    Column("survey_id", PgUUID, primary_key=True),
    Column("delivered_at", Instant, nullable=False),
)

visits = Table(
    "visits",
    metadata,
    Column("visit_id", PgUUID, primary_key=True),
    Column("complaint_id", PgUUID, nullable=False, index=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("means", String(20), nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("earliest_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("assignee", JSONB),
    Column("assignee_id", String(100)),
    Column("assignment_revision", Integer, nullable=False),
    Column("done_at", Instant),
    Column("done_by", JSONB),
    Column("outcome", String(20)),
    Column("note", Text),
    Index("visits_open_by_due", "due_at", "visit_id", postgresql_where=Column("done_at").is_(None)),
)

closings = Table(
    "closings",
    metadata,
    Column("complaint_id", PgUUID, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("person_id", PgUUID, nullable=False, index=True),
    Column("number", String(30), nullable=False),
    Column("summary", Text, nullable=False),
    Column("other_wishes", Text, nullable=False),
    Column("satisfied", Boolean, nullable=False),
    Column("closed_with_reason", Text),
    Column("written_at", Instant, nullable=False),
    Column("written_by", JSONB, nullable=False),
)

#: Persons whose copies are to stay blank, however late an event of theirs arrives.
erased = Table("erased_persons", metadata, Column("person_id", PgUUID, primary_key=True))


# ---------------------------------------------------------------- what events bring


async def keep_moves(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """The move with the highest revision says where the case stands."""
    statement = insert(cases)
    new = statement.excluded
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[cases.c.complaint_id],
            set_={"move_revision": new.move_revision, "state": new.state, "cycle": new.cycle},
            where=new.move_revision > cases.c.move_revision,
        ),
        [dict(row) for row in sorted(rows, key=lambda row: str(row["complaint_id"]))],
    )


async def insert_surveys(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Returns the ids that are new."""
    return await _insert_new(tx, surveys, surveys.c.survey_id, rows)


async def insert_visits(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    return await _insert_new(tx, visits, visits.c.visit_id, rows)


async def _insert_new(tx: AsyncSession, table: Table, key: Column[Any], rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    ordered = [dict(row) for row in sorted(rows, key=lambda row: str(row[key.name]))]
    result = await tx.execute(insert(table).values(ordered).on_conflict_do_nothing().returning(key))
    return set(result.scalars())


async def keep_deliveries(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    statement = insert(survey_deliveries)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[survey_deliveries.c.survey_id],
            set_={"delivered_at": func.least(survey_deliveries.c.delivered_at, statement.excluded.delivered_at)},
        ),
        [dict(row) for row in sorted(rows, key=lambda row: str(row["survey_id"]))],
    )


async def erased_among(tx: AsyncSession, persons: set[UUID]) -> set[UUID]:
    result = await tx.execute(select(erased.c.person_id).where(erased.c.person_id.in_(persons)))
    return set(result.scalars())


async def erase(tx: AsyncSession, persons: Sequence[UUID]) -> None:
    """A6: free text of and about these persons goes; levels, instants and outcomes stay."""
    await tx.execute(
        insert(erased).on_conflict_do_nothing(), [{"person_id": person} for person in sorted(persons, key=str)]
    )
    where: ColumnElement[Any] = literal_column("'{customer,display}'")
    nothing: ColumnElement[Any] = literal_column("'\"\"'::jsonb")
    await tx.execute(
        update(surveys)
        .where(surveys.c.person_id.in_(persons))
        .values(
            facts=func.jsonb_set(surveys.c.facts, where, nothing),
            comment=case((surveys.c.comment.is_not(None), ""), else_=None),
        )
    )
    await tx.execute(
        update(visits)
        .where(visits.c.person_id.in_(persons))
        .values(
            facts=func.jsonb_set(visits.c.facts, where, nothing),
            note=case((visits.c.note.is_not(None), ""), else_=None),
        )
    )
    await tx.execute(
        update(closings)
        .where(closings.c.person_id.in_(persons))
        .values(summary="", other_wishes="", closed_with_reason=None)
    )


# ---------------------------------------------------------------- single rows, for the doors


def _surveys_with_delivery() -> Select[Any]:
    return select(surveys, survey_deliveries.c.delivered_at).outerjoin(
        survey_deliveries, survey_deliveries.c.survey_id == surveys.c.survey_id
    )


async def survey(tx: AsyncSession, survey_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = _surveys_with_delivery().where(surveys.c.survey_id == survey_id)
    row: Row[Any] | None = (await tx.execute(query.with_for_update(of=surveys) if lock else query)).one_or_none()
    return row


async def answer_survey(tx: AsyncSession, survey_id: UUID, **values: Any) -> None:
    await tx.execute(update(surveys).where(surveys.c.survey_id == survey_id).values(**values))


async def visit(tx: AsyncSession, visit_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    query = _visits_with_case().where(visits.c.visit_id == visit_id)
    row: Row[Any] | None = (await tx.execute(query.with_for_update(of=visits) if lock else query)).one_or_none()
    return row


async def change_visit(tx: AsyncSession, visit_id: UUID, **values: Any) -> None:
    await tx.execute(update(visits).where(visits.c.visit_id == visit_id).values(**values))


def _visits_with_case() -> Select[Any]:
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


# ---------------------------------------------------------------- lists


async def list_surveys(
    tx: AsyncSession,
    *,
    complaint_id: UUID | None,
    answered: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Newest first."""
    query = _surveys_with_delivery().order_by(surveys.c.offered_at.desc(), surveys.c.survey_id.desc()).limit(limit)
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
    query = _visits_with_case().order_by(visits.c.due_at, visits.c.visit_id).limit(limit)
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
