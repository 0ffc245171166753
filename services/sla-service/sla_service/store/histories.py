"""Histories and their facts: a handful of statements for a hundred complaints."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual, ComplaintFacts, StaffContact
from shared.contracts.vocabulary import CaseState, Urgency
from sla_service.clocks.facts import About, Fact, FactKind, happened
from sla_service.clocks.instants import instant_of, micros

_ABOUT = TypeAdapter(About)


@dataclass(slots=True)
class History:
    history_id: UUID
    complaint: ComplaintFacts | None
    unpriced: list[dict[str, str]] | None


_LOCK = text(
    "select history_id, complaint, unpriced from histories where history_id = any(cast(:ids as uuid[])) "
    "order by history_id for update"
)
_OPEN = text(
    "insert into histories (history_id, complaint, person_id) "
    "select i, c::jsonb, p from unnest(cast(:ids as uuid[]), cast(:complaints as text[]), cast(:people as uuid[])) "
    "as r (i, c, p) order by i on conflict (history_id) do nothing"
)
_SAVE = text(
    "update histories h set complaint = r.c::jsonb, unpriced = r.u::jsonb "
    "from unnest(cast(:ids as uuid[]), cast(:complaints as text[]), cast(:unpriced as text[])) as r (i, c, u) "
    "where h.history_id = r.i"
)
_ADD_FACTS = text(
    "insert into facts (fact_id, history_id, kind, occurred_at, recorded_at, urgency, urgency_revision, subject_id, "
    "cycle, revision, from_state, to_state, other_at, team_id, team_name, person, about) "
    "select a, b, c, d, e, f, g, h, i, j, k, l, m, n, o::jsonb, p::jsonb, q::jsonb from unnest(cast(:a as uuid[]), "
    "cast(:b as uuid[]), cast(:c as text[]), cast(:d as timestamptz[]), cast(:e as timestamptz[]), cast(:f as text[]), "
    "cast(:g as int[]), cast(:h as uuid[]), cast(:i as int[]), cast(:j as int[]), cast(:k as text[]), "
    "cast(:l as text[]), cast(:m as timestamptz[]), cast(:n as text[]), cast(:o as text[]), cast(:p as text[]), "
    "cast(:q as text[])) as r (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q) on conflict (fact_id) do nothing"
)
_FACTS = text(
    "select history_id, fact_id, kind, occurred_at, recorded_at, urgency, urgency_revision, subject_id, cycle, "
    "revision, from_state, to_state, other_at, team_id, team_name, person, about from facts "
    "where history_id = any(cast(:ids as uuid[]))"
)


async def lock_histories(tx: AsyncSession, heard: Mapping[UUID, ComplaintFacts | None]) -> dict[UUID, History]:
    """The histories of these ids, made where they are new, locked in the order of their ids until the commit."""
    ids = sorted(heard)
    found = await _locked(tx, ids)
    if missing := [one for one in ids if one not in found]:
        complaints = [heard[one] for one in missing]
        await tx.execute(
            _OPEN,
            {
                "ids": missing,
                "complaints": [one.model_dump_json() if one else None for one in complaints],
                "people": [one.customer.person_id if one else None for one in complaints],
            },
        )
        found |= await _locked(tx, missing)
    return found


async def _locked(tx: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, History]:
    rows = (await tx.execute(_LOCK, {"ids": ids})).all()
    return {row.history_id: _history(row) for row in rows}


def _history(row: Any) -> History:
    complaint = ComplaintFacts.model_validate(row.complaint) if row.complaint is not None else None
    return History(row.history_id, complaint, row.unpriced)


async def history(tx: AsyncSession, history_id: UUID) -> History | None:
    query = text("select history_id, complaint, unpriced from histories where history_id = :id")
    row = (await tx.execute(query, {"id": history_id})).one_or_none()
    return _history(row) if row is not None else None


async def histories_after(tx: AsyncSession, after: UUID | None, limit: int) -> list[History]:
    """A page of all histories, in the order of their ids."""
    query = text(
        "select history_id, complaint, unpriced from histories "
        "where cast(:after as uuid) is null or history_id > :after order by history_id limit :limit"
    )
    return [_history(row) for row in (await tx.execute(query, {"after": after, "limit": limit})).all()]


_RECEIVED = (
    "complaint is not null and cast(complaint ->> 'received_at' as timestamptz) >= :since "
    "and cast(complaint ->> 'received_at' as timestamptz) < :until"
)


async def received_between(tx: AsyncSession, since: datetime, until: datetime, at_most: int) -> int:
    """How many complaints were received in ``[since, until)``; no more than so many are counted."""
    query = text(f"select count(*) from (select 1 from histories where {_RECEIVED} limit :limit) as found")  # noqa: S608
    return await tx.scalar(query, {"since": since, "until": until, "limit": at_most}) or 0


async def received_after(
    tx: AsyncSession, since: datetime, until: datetime, after: UUID | None, limit: int
) -> list[History]:
    """A page of the histories of complaints received in ``[since, until)``, in the order of their ids."""
    query = text(
        f"select history_id, complaint, unpriced from histories where {_RECEIVED} "  # noqa: S608
        "and (cast(:after as uuid) is null or history_id > :after) order by history_id limit :limit"
    )
    asked = {"since": since, "until": until, "after": after, "limit": limit}
    return [_history(row) for row in (await tx.execute(query, asked)).all()]


async def save_histories(tx: AsyncSession, changed: Sequence[History]) -> None:
    if changed:
        await tx.execute(
            _SAVE,
            {
                "ids": [one.history_id for one in changed],
                "complaints": [one.complaint.model_dump_json() if one.complaint else None for one in changed],
                "unpriced": [json.dumps(one.unpriced, ensure_ascii=False) if one.unpriced else None for one in changed],
            },
        )


async def unpriced_histories(tx: AsyncSession, after: UUID | None, limit: int) -> list[UUID]:
    """Histories with clocks that could not be priced, a page of them."""
    query = text(
        "select history_id from histories where unpriced is not null "
        "and (cast(:after as uuid) is null or history_id > :after) order by history_id limit :limit"
    )
    return list((await tx.execute(query, {"after": after, "limit": limit})).scalars())


async def add_facts(tx: AsyncSession, rows: Sequence[tuple[UUID, Fact]]) -> None:
    """Keep facts of histories; a fact that is known stays as it is."""
    columns = [
        (
            fact.fact_id,
            history_id,
            fact.kind.value,
            instant_of(fact.at if fact.told is None else fact.told),
            instant_of(fact.recorded),
            fact.urgency.value if fact.urgency else None,
            fact.urgency_revision,
            fact.subject_id,
            fact.cycle,
            fact.revision,
            fact.from_state.value if fact.from_state else None,
            fact.to_state.value if fact.to_state else None,
            None if fact.other_at is None else instant_of(fact.other_at),
            fact.team_id,
            fact.team_name.model_dump_json() if fact.team_name else None,
            fact.person.model_dump_json() if fact.person else None,
            _ABOUT.dump_json(fact.about, exclude_defaults=True).decode() if fact.about else None,
        )
        for history_id, fact in rows
    ]
    if columns:
        await tx.execute(_ADD_FACTS, dict(zip("abcdefghijklmnopq", map(list, zip(*columns, strict=True)), strict=True)))


async def facts_of(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, list[Fact]]:
    wanted = list(ids)
    found: dict[UUID, list[Fact]] = {one: [] for one in wanted}
    for row in (await tx.execute(_FACTS, {"ids": wanted})).all():
        found[row[0]].append(_fact(row))
    return found


def _fact(row: Any) -> Fact:
    (_, fact_id, kind, occurred_at, recorded_at, urgency, urgency_revision, subject_id, cycle, revision) = row[:10]
    from_state, to_state, other_at, team_id, team_name, person, about = row[10:]
    told, recorded = micros(occurred_at), micros(recorded_at)
    at = happened(told, recorded)
    return Fact(
        fact_id,
        FactKind(kind),
        at,
        recorded,
        Urgency(urgency) if urgency else None,
        urgency_revision,
        subject_id,
        cycle,
        revision,
        CaseState(from_state) if from_state else None,
        CaseState(to_state) if to_state else None,
        None if other_at is None else micros(other_at),
        team_id,
        Bilingual.model_validate(team_name) if team_name else None,
        StaffContact.model_validate(person) if person else None,
        None if told == at else told,
        _ABOUT.validate_python(about) if about else None,
    )


async def erased_among(tx: AsyncSession, people: Sequence[UUID]) -> set[UUID]:
    query = text("select person_id from erased_people where person_id = any(cast(:people as uuid[]))")
    return set((await tx.execute(query, {"people": people})).scalars())


async def erase_people(tx: AsyncSession, people: Sequence[UUID]) -> None:
    """Take their names out of every history, and out of those still to come."""
    await tx.execute(
        text("insert into erased_people (person_id) select unnest(cast(:people as uuid[])) on conflict do nothing"),
        {"people": people},
    )
    await tx.execute(
        text(
            "update histories set complaint = jsonb_set(complaint, '{customer,display}', '\"\"') where history_id in "
            "(select history_id from histories where person_id = any(cast(:people as uuid[])) "
            "order by history_id for update)"
        ),
        {"people": people},
    )
