"""Channels by revision, and how far each was fetched."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import desc, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from intake_service.domain.channels import ChannelSpec, Json, KeptChannel
from intake_service.store.tables import channel_states, channels
from shared.contracts.envelope import Actor

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(current_schema() || '.channel.' || :channel_id, 0))")
#: Held by a session, so by the process that fetches; nobody else fetches the channel meanwhile.
_TRY_SEAT = text(
    "select pg_try_advisory_lock(hashtextextended(current_schema() || '.channel.pull.' || :channel_id, 0))"
)
_LEAVE_SEAT = text(
    "select pg_advisory_unlock(hashtextextended(current_schema() || '.channel.pull.' || :channel_id, 0))"
)


async def lock(tx: AsyncSession, channel_id: str) -> None:
    """Nobody else changes the channel until the commit."""
    await tx.execute(_LOCK, {"channel_id": channel_id})


def _kept(row: RowMapping) -> KeptChannel:
    return KeptChannel(
        spec=ChannelSpec.model_validate(row["data"]),
        revision=row["revision"],
        changed_at=row["changed_at"],
        changed_by=Actor.model_validate(row["changed_by"]),
    )


async def find(tx: AsyncSession, channel_id: str) -> KeptChannel | None:
    asked = select(channels).where(channels.c.channel_id == channel_id).order_by(desc(channels.c.revision)).limit(1)
    row = (await tx.execute(asked)).mappings().one_or_none()
    return _kept(row) if row is not None else None


async def all_of(tx: AsyncSession) -> list[KeptChannel]:
    """Each as it holds now, in order of their ids."""
    latest = select(channels.c.channel_id, func.max(channels.c.revision)).group_by(channels.c.channel_id)
    asked = select(channels).where(tuple_(channels.c.channel_id, channels.c.revision).in_(latest))
    return [_kept(row) for row in (await tx.execute(asked.order_by(channels.c.channel_id))).mappings()]


async def insert_revision(tx: AsyncSession, kept: KeptChannel) -> None:
    row = {
        "channel_id": kept.spec.channel_id,
        "revision": kept.revision,
        "data": kept.spec.model_dump(mode="json"),
        "changed_at": kept.changed_at,
        "changed_by": kept.changed_by.model_dump(mode="json"),
    }
    await tx.execute(insert(channels).values(row))
    await tx.execute(upsert(channel_states).values(channel_id=kept.spec.channel_id).on_conflict_do_nothing())


async def owners(tx: AsyncSession, accounts: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The teams in charge of what came by these channels and accounts: of an enabled channel before a disabled one."""
    found = [kept.spec for kept in await all_of(tx)]
    return {
        (spec.channel, spec.account): spec.owner_team
        for spec in sorted(found, key=lambda each: each.enabled)
        if (spec.channel, spec.account) in accounts
    }


async def states(tx: AsyncSession) -> dict[str, RowMapping]:
    return {row["channel_id"]: row for row in (await tx.execute(select(channel_states))).mappings()}


async def state(tx: AsyncSession, channel_id: str) -> RowMapping:
    asked = select(channel_states).where(channel_states.c.channel_id == channel_id)
    return (await tx.execute(asked)).mappings().one()


async def advance(
    tx: AsyncSession,
    channel_id: str,
    step: int,
    *,
    cursor: Json,
    exist: int,
    taken: int,
    waiting: int | None,
    at: datetime,
) -> bool:
    """Move the cursor on from where it stood after `step`; False where somebody else has moved it meanwhile."""
    told: dict[str, Any] = {
        "step": step + 1,
        "cursor": cursor,
        "exist": channel_states.c.exist + exist,
        "taken": channel_states.c.taken + taken,
        "waiting": waiting,
        "last_contact_at": at,
        "last_error": None,
    }
    if taken:
        told["last_message_at"] = at
    moved = (
        update(channel_states)
        .where(channel_states.c.channel_id == channel_id, channel_states.c.step == step)
        .values(told)
        .returning(channel_states.c.step)
    )
    return (await tx.execute(moved)).scalar_one_or_none() is not None


async def heard(tx: AsyncSession, channel_id: str, at: datetime) -> None:
    """The provider answered; there was nothing."""
    await tx.execute(
        update(channel_states)
        .where(channel_states.c.channel_id == channel_id)
        .values(last_contact_at=at, last_error=None)
    )


async def failed(tx: AsyncSession, channel_id: str, why: str, at: datetime) -> None:
    await tx.execute(
        update(channel_states).where(channel_states.c.channel_id == channel_id).values(last_error=why, last_error_at=at)
    )


async def remember_seed(tx: AsyncSession, channel_id: str, digest: str) -> None:
    await tx.execute(update(channel_states).where(channel_states.c.channel_id == channel_id).values(seeded=digest))


async def try_seat(connection: AsyncConnection, channel_id: str) -> bool:
    """Whether this session fetches the channel from now on. A session that has the seat asks no second time."""
    return bool((await connection.execute(_TRY_SEAT, {"channel_id": channel_id})).scalar_one())


async def leave_seat(connection: AsyncConnection, channel_id: str) -> None:
    await connection.execute(_LEAVE_SEAT, {"channel_id": channel_id})


async def alive(connection: AsyncConnection) -> None:
    """Raises where the session is gone, and its seats with it."""
    await connection.execute(text("select 1"))
