"""The archive: facts for ever, personal parts until they are erased. No commits."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.domain.archiving import Archived
from insight_service.store.tables import archive, archive_personal, complaint_terms, erased

_ARCHIVE = text(
    """
    insert into archive (event_id, type, source, subject, complaint_id, occurred_at, recorded_at, archived_at, facts)
    select event_id, type, source, subject, complaint_id, occurred_at, recorded_at, :archived_at, facts::jsonb
    from unnest(cast(:event_ids as uuid[]), cast(:types as text[]), cast(:sources as text[]), cast(:subjects as text[]),
                cast(:complaint_ids as uuid[]), cast(:occurred as timestamptz[]), cast(:recorded as timestamptz[]),
                cast(:facts as text[]))
      with ordinality as event(event_id, type, source, subject, complaint_id, occurred_at, recorded_at, facts, place)
    order by place
    on conflict (event_id) do nothing
    """
)
_PERSONAL = text(
    """
    insert into archive_personal (event_id, person_id, salt, parts)
    select event_id, person_id, salt, parts::jsonb
    from unnest(cast(:event_ids as uuid[]), cast(:person_ids as uuid[]), cast(:salts as text[]), cast(:parts as text[]))
      as part(event_id, person_id, salt, parts)
    where not exists (select 1 from erased_persons e where e.person_id = part.person_id)
    on conflict (event_id) do nothing
    """
)


async def keep(tx: AsyncSession, rows: Sequence[tuple[Archived, bytes, str, str]], archived_at: Any) -> None:
    """Archive events with their salts and JSON texts; those that stand there already, stay. Personal parts of somebody
    who was erased are not kept, however late they come."""
    events = [row[0].event for row in rows]
    await tx.execute(
        _ARCHIVE,
        {
            "archived_at": archived_at,
            "event_ids": [event.event_id for event in events],
            "types": [event.TYPE for event in events],
            "sources": [event.TOPIC.split(".")[1] for event in events],
            "subjects": [event.key for event in events],
            "complaint_ids": [row[0].complaint_id for row in rows],
            "occurred": [event.occurred_at for event in events],
            "recorded": [event.recorded_at for event in events],
            "facts": [row[2] for row in rows],
        },
    )
    private = [row for row in rows if row[0].personal]
    if private:
        await tx.execute(
            _PERSONAL,
            {
                "event_ids": [row[0].event.event_id for row in private],
                "person_ids": [row[0].person_id for row in private],
                "salts": [row[1].hex() for row in private],
                "parts": [row[3] for row in private],
            },
        )


async def forget(tx: AsyncSession, persons: Sequence[UUID]) -> None:
    """A6: personal parts and what was derived from them go; the facts stay."""
    for person in sorted(persons, key=str):
        await tx.execute(insert(erased).values(person_id=person).on_conflict_do_nothing())
    await tx.execute(delete(archive_personal).where(archive_personal.c.person_id.in_(persons)))
    await tx.execute(delete(complaint_terms).where(complaint_terms.c.person_id.in_(persons)))


async def events_of(
    tx: AsyncSession,
    *,
    complaint_id: UUID | None,
    subject: str | None,
    type_: str | None,
    after: int,
    limit: int,
) -> Sequence[Any]:
    """In the order in which they were archived."""
    query = (
        select(archive, archive_personal.c.parts)
        .outerjoin(archive_personal, archive_personal.c.event_id == archive.c.event_id)
        .where(archive.c.seq > after)
        .order_by(archive.c.seq)
        .limit(limit)
    )
    if complaint_id is not None:
        query = query.where(archive.c.complaint_id == complaint_id)
    if subject is not None:
        query = query.where(archive.c.subject == subject)
    if type_ is not None:
        query = query.where(archive.c.type == type_)
    return (await tx.execute(query)).all()
