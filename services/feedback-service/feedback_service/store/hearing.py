"""What events bring: set by set. No commits."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    case,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service.store.tables import cases, closings, erased, survey_deliveries, surveys, visits


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
