"""What follows from other services' events. Each gets the consumer's transaction and a list."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from notify_service import store
from notify_service.domain import drafts_of
from notify_service.usecases.deps import Deps
from shared.contracts import Event
from shared.contracts.intake import (
    ComplaintReceivedV1,
    ContactsChangedV1,
    ContactsErasedV1,
    MessageAddedV1,
    PersonErasedV1,
)
from shared.contracts.triage import TeamChangedV1


async def tell(events: Sequence[Event], tx: AsyncSession, deps: Deps) -> None:
    """Keep the messages that follow from these events (A4, C2, C5, C6, D1, F10); the worker addresses, writes and
    sends them. One message per event and audience."""
    drafts = [draft for event in events for draft in drafts_of(event)]
    told_where = [event for event in events if isinstance(event, ComplaintReceivedV1 | MessageAddedV1) and event.reply]
    if drafts or told_where:
        await store.share_people(tx)
        await store.upsert_sessions(tx, told_where)
    if drafts:
        await store.insert_messages(tx, drafts, deps.clock.now())
        deps.wake_after(tx)


async def learn_contacts(events: Sequence[ContactsChangedV1], tx: AsyncSession, deps: Deps) -> None:
    """Keep the newest contacts; what waited for them is sent."""
    await store.share_people(tx)
    await store.upsert_recipients(tx, events)
    await store.release_waiting(tx, [event.person_id for event in events], deps.clock.now())
    deps.wake_after(tx)


async def forget_people(events: Sequence[ContactsErasedV1 | PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    """A6: contacts and texts are deleted, for good; what has not been sent is withdrawn."""
    await store.erase(tx, [event.person_id for event in events])


async def learn_teams(events: Sequence[TeamChangedV1], tx: AsyncSession, deps: Deps) -> None:
    """Keep who answers for each team."""
    await store.upsert_teams(tx, events)
