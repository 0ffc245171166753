"""How a complainant wants to be told (A4)."""

from uuid import UUID

from notify_service import store
from notify_service.domain import Preference
from notify_service.usecases.deps import Deps
from notify_service.usecases.errors import PersonErased
from shared.contracts.envelope import Actor
from shared.web.etag import if_match


async def get_preference(person_id: UUID, deps: Deps) -> tuple[Preference, int]:
    """The preference and its version; an empty one of version 0 where none was set."""
    async with deps.reading() as tx:
        return await store.recipient_preference(tx, person_id)


async def put_preference(
    person_id: UUID, preference: Preference, expected: str | None, actor: Actor, deps: Deps
) -> int:
    """Set it, also for somebody whose contacts are not heard yet; returns the new version.

    Raises `PersonErased`, `PreconditionFailed`.
    """
    async with deps.session() as tx:
        await store.share_people(tx)
        await store.lock_preference(tx, person_id)
        if await store.erased(tx, person_id):
            raise PersonErased("Nothing is kept of this person any more.")
        _, version = await store.recipient_preference(tx, person_id)
        if_match(expected, version)
        await store.put_preference(tx, person_id, preference, version + 1, deps.clock.now(), actor.id)
    return version + 1
