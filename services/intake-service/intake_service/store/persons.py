"""Complainants: reading, looking up, erasing; and who looked at their contacts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, desc, insert, null, select, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.person import Identity, Person
from intake_service.store.calls import forget as forget_calls
from intake_service.store.rows import person_of
from intake_service.store.tables import (
    complaints,
    contact_accesses,
    identities,
    links,
    messages,
    notes,
    outcomes,
    persons,
    receipts,
)

NO_CONTACTS: dict[str, Any] = {"phones": [], "emails": [], "wecom": None}
NO_RECORD: dict[str, Any] = {"symptom": "", "scene": "", "impact": "", "demands": [], "attachments": []}


async def find(tx: AsyncSession, person_id: UUID) -> Person | None:
    row = (await tx.execute(select(persons).where(persons.c.id == person_id))).mappings().one_or_none()
    return person_of(row) if row is not None else None


async def lock(tx: AsyncSession, person_id: UUID) -> Person | None:
    asked = select(persons).where(persons.c.id == person_id).with_for_update()
    row = (await tx.execute(asked)).mappings().one_or_none()
    return person_of(row) if row is not None else None


async def known_by(tx: AsyncSession, wanted: Sequence[Identity]) -> list[Person]:
    """Who is known by one of these identities, the strongest first, each person once."""
    asked = (
        select(persons)
        .join(identities, identities.c.person_id == persons.c.id)
        .where(tuple_(identities.c.kind, identities.c.value).in_(wanted))
        .order_by(identities.c.kind, identities.c.value)
    )
    people = [person_of(row) for row in (await tx.execute(asked)).mappings()]
    return list({person.id: person for person in people}.values())


async def identities_of(tx: AsyncSession, person_id: UUID) -> frozenset[Identity]:
    asked = select(identities.c.kind, identities.c.value).where(identities.c.person_id == person_id)
    return frozenset((kind, value) for kind, value in await tx.execute(asked))


async def erase(tx: AsyncSession, person: Person, at: datetime) -> list[UUID]:
    """Delete what is personal of a locked person; answers with the ids of all their complaints.

    What stays: ids, numbers, instants, channel, kind, priority, product, region, and the delivery's message id,
    without which a repeated delivery would bring everything back (A8).
    """
    await tx.execute(delete(identities).where(identities.c.person_id == person.id))
    await tx.execute(
        update(persons)
        .where(persons.c.id == person.id)
        .values(
            revision=person.revision + 1,
            name="",
            contacts=NO_CONTACTS,
            organisation=None,
            account_id=None,
            preferred_channel=None,
            erased_at=at,
        )
    )
    customer = {
        "person_id": str(person.id),
        "display": "*",
        "language": person.language,
        "preferred_channel": None,
        "level": person.level,
    }
    redacted = (
        update(complaints)
        .where(complaints.c.person_id == person.id)
        .values(record=NO_RECORD, customer=customer, organisation=None, erased_at=at)
        .returning(complaints.c.id)
    )
    ids = sorted((await tx.execute(redacted)).scalars())
    await tx.execute(update(messages).where(messages.c.complaint_id.in_(ids)).values(text="", attachments=[]))
    kept = update(receipts).where(receipts.c.complaint_id.in_(ids))
    await tx.execute(
        kept.values(body=null(), body_sha256=null(), fingerprint=null(), envelope=null(), details=null(), html=null())
    )
    await tx.execute(update(notes).where(notes.c.complaint_id.in_(ids)).values(text=""))
    await tx.execute(update(links).where(links.c.complaint_id.in_(ids) | links.c.other_id.in_(ids)).values(reason=""))
    await tx.execute(update(outcomes).where(outcomes.c.complaint_id.in_(ids)).values(result=null()))
    await forget_calls(tx, ids, person.contacts.phones, at)
    return ids


async def insert_access(tx: AsyncSession, row: dict[str, Any]) -> None:
    await tx.execute(insert(contact_accesses).values(row))


async def accesses_of(
    tx: AsyncSession, person_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    """Who looked at a person's whole contacts, the latest first."""
    asked = select(contact_accesses).where(contact_accesses.c.person_id == person_id)
    if after is not None:
        asked = asked.where(tuple_(contact_accesses.c.accessed_at, contact_accesses.c.id) < tuple_(*after))
    asked = asked.order_by(desc(contact_accesses.c.accessed_at), desc(contact_accesses.c.id)).limit(limit)
    return list((await tx.execute(asked)).mappings())
