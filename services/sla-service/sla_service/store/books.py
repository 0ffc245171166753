"""Versions of policies and calendars."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor
from sla_service.clocks.calendar import Calendar, CalendarSpec
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import Book, DatedCalendar, PolicySpec, PolicyVersion
from sla_service.store import turns
from sla_service.store.tables import book, calendars, policies


async def revision(tx: AsyncSession) -> int:
    """0 while nothing was ever kept."""
    return await tx.scalar(select(book.c.revision)) or 0


async def lock_book(tx: AsyncSession) -> int:
    """One author at a time; the revision as it is."""
    await tx.execute(text("insert into book (one_row, revision) values (true, 0) on conflict (one_row) do nothing"))
    return await tx.scalar(select(book.c.revision).with_for_update()) or 0


async def next_revision(tx: AsyncSession) -> None:
    await tx.execute(book.update().values(revision=book.c.revision + 1))


async def load_book(tx: AsyncSession, published_by: datetime | None = None) -> Book:
    """Every version of every policy and calendar, or those that were published by an instant."""
    number = await revision(tx)
    kept = (await tx.execute(_published(calendars, published_by))).all()
    known = {
        (row.calendar_id, row.version): Calendar(CalendarSpec.model_validate(row.spec), row.version) for row in kept
    }
    dated = [
        DatedCalendar(known[row.calendar_id, row.version], micros(row.valid_from), micros(row.created_at), row.reprice)
        for row in kept
        if row.valid_from is not None
    ]
    rows = (await tx.execute(_published(policies, published_by))).all()
    versions = [
        PolicyVersion(
            spec=PolicySpec.model_validate(row.spec),
            version=row.version,
            valid_from=row.valid_from,
            calendar_version=row.calendar_version,
            change=row.change,
            ended=row.ended,
        )
        for row in rows
    ]
    return Book(versions, known, number, dated, await turns.waiting(tx))


def _published(table: Table, by: datetime | None) -> Select[Any]:
    return select(table) if by is None else select(table).where(table.c.created_at <= by)


async def add_policy(tx: AsyncSession, version: PolicyVersion, *, reason: str, by: Actor, now: datetime) -> None:
    await tx.execute(
        policies.insert().values(
            policy_id=version.policy_id,
            version=version.version,
            valid_from=version.valid_from,
            calendar_version=version.calendar_version,
            change=version.change,
            ended=version.ended,
            spec=version.spec.model_dump(mode="json"),
            reason=reason,
            created_by=by.model_dump(mode="json"),
            created_at=now,
        )
    )


async def add_calendar(tx: AsyncSession, spec: CalendarSpec, version: int, now: datetime) -> None:
    await tx.execute(
        calendars.insert().values(
            calendar_id=spec.calendar_id, version=version, spec=spec.model_dump(mode="json"), created_at=now
        )
    )


async def publish_calendar(
    tx: AsyncSession,
    spec: CalendarSpec,
    version: int,
    now: datetime,
    *,
    valid_from: datetime,
    reprice: bool,
    reason: str,
    by: Actor,
) -> None:
    await tx.execute(
        calendars.insert().values(
            calendar_id=spec.calendar_id,
            version=version,
            spec=spec.model_dump(mode="json"),
            created_at=now,
            valid_from=valid_from,
            reprice=reprice,
            reason=reason,
            created_by=by.model_dump(mode="json"),
        )
    )


async def hold_book(tx: AsyncSession) -> None:
    """Until the commit nobody prices running clocks anew; those who fold hold it together."""
    await tx.execute(text("select pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '.book', 0))"))


async def take_book(tx: AsyncSession) -> None:
    """Wait for those who fold by the book as it was, and keep others from it until the commit."""
    await tx.execute(text("select pg_advisory_xact_lock(hashtextextended(current_schema() || '.book', 0))"))


async def policy_rows(tx: AsyncSession) -> Sequence[Any]:
    """The newest version of each policy first."""
    return (await tx.execute(select(policies).order_by(policies.c.policy_id, policies.c.version.desc()))).all()


async def calendar_rows(tx: AsyncSession) -> Sequence[Any]:
    return (await tx.execute(select(calendars).order_by(calendars.c.calendar_id, calendars.c.version.desc()))).all()
