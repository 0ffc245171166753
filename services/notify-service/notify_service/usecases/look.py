"""Looking at messages and notices, and trying a failed one again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notify_service import store
from notify_service.domain import Message, Status
from notify_service.usecases.deps import Deps
from notify_service.usecases.errors import MessageNotFailed, MessageNotFound
from shared.contracts.vocabulary import Purpose


async def list_messages(
    complaint_id: UUID | None,
    status: Status | None,
    purpose: Purpose | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    deps: Deps,
) -> list[Message]:
    async with deps.reading() as tx:
        return await store.list_messages(
            tx, complaint_id=complaint_id, status=status, purpose=purpose, after=after, limit=limit
        )


async def list_notices(recipient: str, after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> list[Message]:
    async with deps.reading() as tx:
        return await store.list_notices(tx, recipient, after=after, limit=limit)


async def get_message(message_id: UUID, deps: Deps) -> Message:
    async with deps.reading() as tx:
        message = await store.find(tx, message_id)
    if message is None:
        raise MessageNotFound("Take an id from GET /v1/messages.")
    return message


async def try_again(message_id: UUID, tx: AsyncSession, deps: Deps) -> Message:
    """Queue a failed message anew, with all its attempts; its contacts are looked up again.

    Raises `MessageNotFound`, `MessageNotFailed`.
    """
    message = await store.find(tx, message_id, lock=True)
    if message is None:
        raise MessageNotFound("Take an id from GET /v1/messages.")
    if message.status is not Status.FAILED:
        raise MessageNotFailed(f"It is {message.status}; there is nothing to try again.")
    deps.wake_after(tx)
    return await store.queue_again(tx, message_id, deps.clock.now())
