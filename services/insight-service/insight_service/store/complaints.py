"""One row per complaint, from which trends are counted and similar cases are found. No commits."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.store.tables import complaint_terms, complaints

_ENSURE = text(
    """
    insert into complaints (complaint_id, number, person_id, received_at, channel, organisation, product, region,
                            urgency, urgency_revision)
    select * from unnest(
        cast(:complaint_ids as uuid[]), cast(:numbers as text[]), cast(:person_ids as uuid[]),
        cast(:received as timestamptz[]), cast(:channels as text[]), cast(:organisations as text[]),
        cast(:products as text[]), cast(:regions as text[]), cast(:urgencies as text[]), cast(:revisions as int[]))
      as fact(complaint_id, number, person_id, received_at, channel, organisation, product, region, urgency, revision)
    order by complaint_id
    on conflict (complaint_id) do update
      set urgency = excluded.urgency, urgency_revision = excluded.urgency_revision
      where excluded.urgency_revision > complaints.urgency_revision
    """
)


async def ensure(tx: AsyncSession, facts: Mapping[UUID, Any]) -> None:
    """A row for every complaint, from the facts of whichever event was heard first; the later urgency stands."""
    known = list(facts.values())
    await tx.execute(
        _ENSURE,
        {
            "complaint_ids": [fact.complaint_id for fact in known],
            "numbers": [fact.number for fact in known],
            "person_ids": [fact.customer.person_id for fact in known],
            "received": [fact.received_at for fact in known],
            "channels": [fact.channel.value for fact in known],
            "organisations": [fact.organisation for fact in known],
            "products": [fact.product for fact in known],
            "regions": [fact.region for fact in known],
            "urgencies": [fact.urgency.value for fact in known],
            "revisions": [fact.urgency_revision for fact in known],
        },
    )


async def update_newer(
    tx: AsyncSession,
    revision_column: str,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Set `columns` (name → SQL type) where a row's `revision` is higher than what `revision_column` has."""
    values = ", ".join(f"{name} = new.{name}" for name in columns)
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in columns.items())
    names = ", ".join(columns)
    statement = text(
        f"update complaints set {values}, {revision_column} = new.revision "  # noqa: S608 names are ours
        f"from unnest(cast(:ids as uuid[]), cast(:revisions as int[]), {arrays}) "
        f"as new(complaint_id, revision, {names}) "
        f"where complaints.complaint_id = new.complaint_id and new.revision > complaints.{revision_column}"
    )
    await tx.execute(
        statement,
        {"ids": [row["complaint_id"] for row in rows], "revisions": [row["revision"] for row in rows]}
        | {name: [row[name] for row in rows] for name in columns},
    )


_FIRST = text(
    """
    update complaints set first_response_at = least(complaints.first_response_at, new.at)
    from unnest(cast(:ids as uuid[]), cast(:ats as timestamptz[])) as new(complaint_id, at)
    where complaints.complaint_id = new.complaint_id
    """
)
_RESOLVED = text(
    """
    update complaints set
        first_resolved_at = least(complaints.first_resolved_at, new.at),
        last_resolved_at = greatest(complaints.last_resolved_at, new.at),
        measure_kinds = case when new.cycle > complaints.resolved_cycle
                             then string_to_array(nullif(new.kinds, ''), ',') else complaints.measure_kinds end,
        resolved_cycle = greatest(complaints.resolved_cycle, new.cycle)
    from unnest(cast(:ids as uuid[]), cast(:ats as timestamptz[]), cast(:cycles as int[]), cast(:kinds as text[]))
      as new(complaint_id, at, cycle, kinds)
    where complaints.complaint_id = new.complaint_id
    """
)


async def first_response(tx: AsyncSession, rows: Sequence[tuple[UUID, Any]]) -> None:
    await tx.execute(_FIRST, {"ids": [row[0] for row in rows], "ats": [row[1] for row in rows]})


async def resolved(tx: AsyncSession, rows: Sequence[tuple[UUID, Any, int, str]]) -> None:
    await tx.execute(
        _RESOLVED,
        {
            "ids": [row[0] for row in rows],
            "ats": [row[1] for row in rows],
            "cycles": [row[2] for row in rows],
            "kinds": [row[3] for row in rows],
        },
    )


_TERMS = text(
    """
    insert into complaint_terms (complaint_id, person_id, terms, summary)
    select complaint_id, person_id, string_to_array(terms, ' '), summary
    from unnest(cast(:ids as uuid[]), cast(:persons as uuid[]), cast(:terms as text[]), cast(:summaries as text[]))
      as new(complaint_id, person_id, terms, summary)
    where not exists (select 1 from erased_persons e where e.person_id = new.person_id)
    on conflict (complaint_id) do nothing
    """
)


async def keep_terms(tx: AsyncSession, rows: Sequence[tuple[UUID, UUID, Sequence[str], str]]) -> None:
    await tx.execute(
        _TERMS,
        {
            "ids": [row[0] for row in rows],
            "persons": [row[1] for row in rows],
            "terms": [" ".join(row[2]) for row in rows],
            "summaries": [row[3] for row in rows],
        },
    )


async def complaint(tx: AsyncSession, complaint_id: UUID) -> Any | None:
    query = (
        select(complaints, complaint_terms.c.terms, complaint_terms.c.summary)
        .outerjoin(complaint_terms, complaint_terms.c.complaint_id == complaints.c.complaint_id)
        .where(complaints.c.complaint_id == complaint_id)
    )
    return (await tx.execute(query)).one_or_none()


async def candidates(tx: AsyncSession, terms: Sequence[str], but: UUID, limit: int) -> Sequence[Any]:
    """Complaints that share a term, the newest first."""
    query = (
        select(complaints, complaint_terms.c.terms, complaint_terms.c.summary)
        .join(complaint_terms, complaint_terms.c.complaint_id == complaints.c.complaint_id)
        .where(complaint_terms.c.terms.overlap(list(terms)), complaints.c.complaint_id != but)
        .order_by(complaints.c.received_at.desc())
        .limit(limit)
    )
    return (await tx.execute(query)).all()


async def known_complaints(tx: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    result = await tx.execute(select(complaints.c.complaint_id).where(complaints.c.complaint_id.in_(ids)))
    return set(result.scalars())
