"""Complainants' personal data: looking people up, showing contacts whole, erasing (A6, A9)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import views
from intake_service.domain.complaint import stated
from intake_service.domain.person import Identity
from intake_service.domain.quarantine import is_of, needles
from intake_service.domain.record import StatedComplainant
from intake_service.store import attachments, chats, complaints, receipts
from intake_service.store import persons as store
from intake_service.usecases.attachments import forget_files
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NoSuchComplainant
from intake_service.usecases.reception import impossible
from shared.bus import outbox
from shared.contracts.intake import ContactsErasedV1, PersonErasedV1
from shared.ids import derived_id
from shared.web.auth import Principal


def _no_such(person_id: UUID) -> NoSuchComplainant:
    return NoSuchComplainant(f"No complainant has the id {person_id}.")


async def look_up(wanted: StatedComplainant, deps: Deps) -> Sequence[views.ComplainantView]:
    """Who is known by one of these contacts or this account, the surest first, masked. Raises `ImpossibleRecord`."""
    complainant, faults = stated(wanted, deps.settings.phone_region)
    if faults:
        raise impossible(faults)
    if not complainant.identities:
        return []
    async with deps.reading() as tx:
        people = await store.known_by(tx, complainant.identities)
    return [views.complainant_view(person) for person in people]


async def show_contacts(person_id: UUID, reason: str, principal: Principal, deps: Deps) -> views.WholeContacts:
    """Whole contacts; that they were shown is committed before they are. Raises `NoSuchComplainant`."""
    async with deps.session() as tx:
        person = await store.find(tx, person_id)
        if person is None:
            raise _no_such(person_id)
        await store.insert_access(
            tx,
            {
                "id": deps.ids(),
                "person_id": person_id,
                "actor": principal.actor.model_dump(mode="json"),
                "reason": reason,
                "accessed_at": deps.clock.now(),
            },
        )
    return views.whole_contacts(person)


async def list_accesses(
    person_id: UUID, after: tuple[datetime, UUID] | None, limit: int, deps: Deps
) -> Sequence[views.ContactAccess]:
    """Who looked at the whole contacts, the latest first. Raises `NoSuchComplainant`."""
    async with deps.reading() as tx:
        if await store.find(tx, person_id) is None:
            raise _no_such(person_id)
        rows = await store.accesses_of(tx, person_id, after, limit)
    return [views.ContactAccess(**{**row, "complainant_id": row["person_id"]}) for row in rows]


async def erase(person_id: UUID, principal: Principal, deps: Deps) -> views.ErasureReceipt:
    """Delete the person's contacts and redact their complaints, here and, by events, everywhere (PIPL, GDPR).

    A second time changes nothing and says the same. Raises `NoSuchComplainant`.
    """
    now = deps.clock.now()
    async with deps.session() as tx:
        person = await store.lock(tx, person_id)
        if person is None:
            raise _no_such(person_id)
        if person.erased_at is not None:
            count = await complaints.count_of(tx, person_id)
            return views.ErasureReceipt(complainant_id=person_id, erased_at=person.erased_at, complaints=count)
        identities = await store.identities_of(tx, person_id)
        alone = await _erase_quarantined(tx, identities, deps)
        ids = await store.erase(tx, person, now)
        await attachments.release(tx, ids, alone)
        await attachments.forget_of_chats(tx, await chats.erase(tx, ids, now))
        outbox.add(
            tx,
            PersonErasedV1(
                event_id=derived_id("person-erased", person_id),
                occurred_at=now,
                recorded_at=now,
                actor=principal.actor,
                person_id=person_id,
                complaint_ids=tuple(ids),
            ),
            ContactsErasedV1(
                event_id=derived_id("contacts-erased", person_id),
                occurred_at=now,
                recorded_at=now,
                actor=principal.actor,
                person_id=person_id,
            ),
        )
    await forget_files(deps)
    return views.ErasureReceipt(complainant_id=person_id, erased_at=now, complaints=len(ids))


async def _erase_quarantined(tx: AsyncSession, identities: Collection[Identity], deps: Deps) -> list[UUID]:
    """Messages of theirs that nobody could understand, and of their machines, as far as they can be told."""
    candidates = await receipts.quarantined_with(tx, needles(identities))
    region = deps.settings.phone_region
    theirs = [row["id"] for row in candidates if is_of(identities, row["body"] or b"", row["envelope"], region)]
    await receipts.forget(tx, theirs)
    return theirs
