"""Writes of the events that are heard: one statement per table for a whole list."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service.domain.entries import Entry
from resolution_service.domain.models import Standpoint, moves
from resolution_service.domain.states import Fact, FactKind, Standing
from resolution_service.domain.worklist import URGENCY_RANK
from resolution_service.store.bulk import rows_of, select_rows, values_of
from resolution_service.store.tables import cases, clocks, entries, erasures
from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts
from shared.contracts.sla import ClockEvent
from shared.contracts.vocabulary import CaseState


@dataclass(frozen=True, slots=True)
class Heard:
    """What one event says of its case beside the facts."""

    facts: ComplaintFacts
    plain: bool = True
    acknowledged_at: datetime | None = None
    assessed_at: datetime | None = None
    classification_revision: int = 0
    kind: str | None = None
    issue_type: str | None = None
    responsible: str | None = None
    emotion: str | None = None
    assignment_revision: int = 0
    team_id: str | None = None
    team_name: str | None = None
    agent_id: str | None = None
    agent: str | None = None


_OF_FACTS = (
    "id",
    "number",
    "received_at",
    "channel",
    "urgency",
    "urgency_rank",
    "urgency_revision",
    "person_id",
    "facts",
    "search",
    "since",
)
_OF_EVENT = tuple(field.name for field in fields(Heard) if field.name != "facts")
_CASE_NAMES = _OF_FACTS + _OF_EVENT
_URGENCY = ("urgency", "urgency_rank", "urgency_revision", "facts")
_CLASSIFICATION = ("classification_revision", "kind", "issue_type", "responsible", "emotion")
_ASSIGNMENT = ("assignment_revision", "team_id", "team_name", "agent_id", "agent")


def _case_row(heard: Heard) -> tuple[Any, ...]:
    facts = heard.facts
    search = " ".join(filter(None, (facts.number, facts.organisation, facts.product))).lower()
    return (
        facts.complaint_id,
        facts.number,
        facts.received_at,
        facts.channel.value,
        facts.urgency.value,
        URGENCY_RANK[facts.urgency],
        facts.urgency_revision,
        facts.customer.person_id,
        facts.model_dump_json(),
        search,
        facts.received_at,
        *(getattr(heard, name) for name in _OF_EVENT),
    )


#: What `Standpoint` has behind the facts, in its order.
_STANDPOINT = tuple(cases.c[field.name] for field in fields(Standpoint) if field.name != "facts")


def without_person(facts: ColumnElement[Any]) -> ColumnElement[Any]:
    """The facts of an erased person's complaint: ids and dates stay, who it was goes (A6)."""
    customer = facts["customer"].op("||")(literal({"display": ""}, JSONB))
    return facts.op("||")(func.jsonb_build_object("customer", customer, "organisation", null()))


def _insert_cases() -> Any:
    new = rows_of(cases, _CASE_NAMES)
    erased = exists(select(1).where(erasures.c.subject_id.in_([new["id"], new["person_id"]])))
    rows = select_rows(
        new,
        facts=case((erased, without_person(new["facts"])), else_=new["facts"]),
        search=case((erased, func.lower(new["number"])), else_=new["search"]),
    )
    return insert(cases).from_select([*_CASE_NAMES, "erased"], rows.add_columns(erased.label("erased")))


def _upsert_cases() -> Any:
    statement = _insert_cases()
    heard = statement.excluded

    def newest(names: tuple[str, ...], revision: str) -> dict[str, Any]:
        newer = heard[revision] > cases.c[revision]
        return {name: case((newer, heard[name]), else_=cases.c[name]) for name in names}

    return statement.on_conflict_do_update(
        index_elements=[cases.c.id],
        set_={
            **newest(_URGENCY, "urgency_revision"),
            **newest(_CLASSIFICATION, "classification_revision"),
            **newest(_ASSIGNMENT, "assignment_revision"),
            "plain": and_(cases.c.plain, heard.plain),
            "erased": or_(cases.c.erased, heard.erased),
            "acknowledged_at": func.least(cases.c.acknowledged_at, heard.acknowledged_at),
            "assessed_at": func.least(cases.c.assessed_at, heard.assessed_at),
        },
    ).returning(cases.c.id, cases.c.urgency_revision, cast(cases.c.facts, Text).label("kept"), *_STANDPOINT)


def _know_cases() -> Any:
    """For events that say nothing of the case but its facts: no row is written where they bring nothing new."""
    statement = _insert_cases()
    return statement.on_conflict_do_update(
        index_elements=[cases.c.id],
        set_={name: statement.excluded[name] for name in _URGENCY},
        where=statement.excluded.urgency_revision > cases.c.urgency_revision,
    )


_ENTRY_NAMES = tuple(column.name for column in entries.columns)


def _entry_row(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.event_id,
        entry.complaint_id,
        entry.type,
        entry.occurred_at,
        entry.recorded_at,
        entry.actor.kind.value,
        entry.actor.id,
        entry.actor.name,
        entry.data,
        entry.personal,
        entry.cycle,
        entry.other_id,
        entry.fact.value if entry.fact else None,
        entry.to_state.value if entry.to_state else None,
        entry.serial,
    )


_CLOCK_NAMES = ("clock_id", "complaint_id", "revision", "status", "due_at", "warn_at", "view")


def _upsert_clocks() -> Any:
    statement = insert(clocks).from_select(list(_CLOCK_NAMES), select_rows(rows_of(clocks, _CLOCK_NAMES)))
    return statement.on_conflict_do_update(
        index_elements=[clocks.c.clock_id],
        set_={name: statement.excluded[name] for name in _CLOCK_NAMES[1:]},
        where=statement.excluded.revision > clocks.c.revision,
    )


def _next_due() -> Any:
    running = clocks.c.status == "running"
    next_of = (
        select(
            cases.c.id,
            func.min(clocks.c.due_at).filter(running).label("due_at"),
            func.min(clocks.c.warn_at).filter(running).label("warn_at"),
        )
        .join(clocks, clocks.c.complaint_id == cases.c.id)
        .where(cases.c.id.in_(bindparam("ids", expanding=True)))
        .group_by(cases.c.id)
        .subquery()
    )
    return (
        update(cases)
        .values(next_due_at=next_of.c.due_at, next_warn_at=next_of.c.warn_at)
        .where(
            cases.c.id == next_of.c.id,
            or_(
                cases.c.next_due_at.is_distinct_from(next_of.c.due_at),
                cases.c.next_warn_at.is_distinct_from(next_of.c.warn_at),
            ),
        )
    )


_MOVE_NAMES = ("id", "state", "cycle", "since", "revision", "version")


def _move_cases() -> Any:
    new = rows_of(cases, _MOVE_NAMES)
    return update(cases).values({name: new[name] for name in _MOVE_NAMES[1:]}).where(cases.c.id == new["id"])


_UPSERT_CASES = _upsert_cases()
_KNOW_CASES = _know_cases()
_INSERT_ENTRIES = (
    insert(entries)
    .from_select(list(_ENTRY_NAMES), select_rows(rows_of(entries, _ENTRY_NAMES)))
    .on_conflict_do_nothing(index_elements=[entries.c.event_id])
)
_UPSERT_CLOCKS = _upsert_clocks()
_NEXT_DUE = _next_due()
_MOVE_CASES = _move_cases()
_BEARING = select(
    entries.c.event_id,
    entries.c.complaint_id,
    entries.c.fact,
    entries.c.occurred_at,
    entries.c.cycle,
    entries.c.to_state,
    entries.c.serial,
    entries.c.actor_kind,
    entries.c.actor_id,
    entries.c.actor_name,
    entries.c.personal["reason"].astext.label("reason"),
).where(entries.c.fact.is_not(None))


async def upsert_cases(tx: AsyncSession, heard: Sequence[Heard]) -> dict[UUID, Standpoint]:
    """Bring the rows of the cases up to what was heard and lock them; returns them as they are now."""
    rows = sorted((_case_row(one) for one in heard), key=lambda row: row[0])
    told = {one.facts.complaint_id: one.facts for one in heard}
    return {
        row.id: _standpoint(row, told[row.id]) for row in await tx.execute(_UPSERT_CASES, values_of(_CASE_NAMES, rows))
    }


def _standpoint(row: Row[Any], told: ComplaintFacts) -> Standpoint:
    """What was told is what is kept, unless something newer was heard before or the person was erased."""
    same = row.urgency_revision == told.urgency_revision and not row.erased
    facts = told if same else ComplaintFacts.model_validate_json(row.kept)
    state, *rest = tuple(row)[3:]
    return Standpoint(facts, CaseState(state), *rest)


async def know_cases(tx: AsyncSession, heard: Sequence[Heard]) -> None:
    rows = sorted((_case_row(one) for one in heard), key=lambda row: row[0])
    await tx.execute(_KNOW_CASES, values_of(_CASE_NAMES, rows))


async def insert_entries(tx: AsyncSession, made: Sequence[Entry]) -> None:
    await tx.execute(_INSERT_ENTRIES, values_of(_ENTRY_NAMES, [_entry_row(entry) for entry in made]))


async def upsert_clocks(tx: AsyncSession, events: Sequence[ClockEvent]) -> None:
    """Keep each clock's highest revision, and the earliest due instant of each case."""
    rows = []
    for event in events:
        assert event.facts is not None
        clock = event.clock
        rows.append(
            (
                clock.clock_id,
                event.facts.complaint_id,
                clock.revision,
                clock.status.value,
                clock.due_at,
                clock.warn_at,
                clock.model_dump_json(),
            )
        )
    rows.sort(key=lambda row: row[0])
    await tx.execute(_UPSERT_CLOCKS, values_of(_CLOCK_NAMES, rows))
    await tx.execute(_NEXT_DUE, {"ids": sorted({row[1] for row in rows})})


async def bearing_facts(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[Fact]]:
    """The facts that bear on the states of these cases, milestones left out (they are in the case's row)."""
    found: dict[UUID, list[Fact]] = {identity: [] for identity in ids}
    if not ids:
        return found
    for row in await tx.execute(_BEARING.where(entries.c.complaint_id.in_(ids))):
        found[row.complaint_id].append(
            Fact(
                FactKind(row.fact),
                row.occurred_at,
                row.event_id,
                cycle=row.cycle or 0,
                to=CaseState(row.to_state) if row.to_state else None,
                serial=row.serial or 0,
                reason=row.reason or "",
                actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
            )
        )
    return found


async def move_cases(tx: AsyncSession, moved: Sequence[tuple[Standpoint, Standing]]) -> None:
    """Write the states that the facts ask for; each move counts as one more revision."""
    rows = []
    for was, to in sorted(moved, key=lambda pair: pair[0].id):
        step = int(moves(was, to))
        rows.append((was.id, to.state.value, to.cycle, to.since, was.revision + step, was.version + step))
    await tx.execute(_MOVE_CASES, values_of(_MOVE_NAMES, rows))
