"""What was received, counted in the transaction that received it, and counted again in the tables that keep it (A8)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.views import DeliveryStatus
from intake_service.store.tables import complaints, delivery_counts, receipts

#: Processes that receive for one account at the same time have each a row of their own, as a rule.
SLOTS = 256

_COUNT = text(
    "insert into delivery_counts as c (channel, account, slot, written, repeated, last_at) "
    "select w.channel, w.account, :slot, w.written, w.repeated, :at from unnest(cast(:channels as text[]), "
    "cast(:accounts as text[]), cast(:written as bigint[]), cast(:repeated as bigint[])) "
    "as w (channel, account, written, repeated) order by w.channel, w.account "
    "on conflict (channel, account, slot) do update set written = c.written + excluded.written, "
    "repeated = c.repeated + excluded.repeated, last_at = greatest(c.last_at, excluded.last_at)"
)


async def count(tx: AsyncSession, received: Mapping[tuple[str, str], tuple[int, int]], slot: int, at: datetime) -> None:
    """Add to what was written and repeated, by channel and account. One statement for a batch."""
    accounts = sorted(received)
    columns = {
        "channels": [channel for channel, _ in accounts],
        "accounts": [account for _, account in accounts],
        "written": [received[each][0] for each in accounts],
        "repeated": [received[each][1] for each in accounts],
    }
    await tx.execute(_COUNT, {**columns, "slot": slot, "at": at})


async def counted(tx: AsyncSession) -> dict[tuple[str, str], RowMapping]:
    """Written, repeated, direct and the last instant, by channel and account."""
    table = delivery_counts.c
    asked = select(
        table.channel,
        table.account,
        func.sum(table.written).label("written"),
        func.sum(table.repeated).label("repeated"),
        func.sum(table.direct).label("direct"),
        func.max(table.last_at).label("last_at"),
    ).group_by(table.channel, table.account)
    return {(row["channel"], row["account"]): row for row in (await tx.execute(asked)).mappings()}


async def receipts_by_account(tx: AsyncSession) -> dict[tuple[str, str], tuple[int, int]]:
    """How many receipts there are, and how many of them say that they made a complaint. It reads the whole table."""
    made = receipts.c.status.in_((DeliveryStatus.CREATED, DeliveryStatus.SUGGESTION))
    asked = select(receipts.c.channel, receipts.c.account, func.count(), func.count().filter(made)).group_by(
        receipts.c.channel, receipts.c.account
    )
    return {(channel, account): (found, making) for channel, account, found, making in await tx.execute(asked)}


async def complaints_by_account(tx: AsyncSession) -> dict[tuple[str, str], int]:
    """How many complaints there are. It reads the index of the natural key, so it takes time that grows with it."""
    asked = select(complaints.c.channel, complaints.c.account, func.count()).group_by(
        complaints.c.channel, complaints.c.account
    )
    return {(channel, account): found for channel, account, found in await tx.execute(asked)}


async def quarantined_by_owner(tx: AsyncSession, now: datetime) -> dict[str, tuple[int, int]]:
    """How many messages are in quarantine, and how many of them should have been looked at before `now`."""
    asked = (
        select(receipts.c.owner, func.count(), func.count().filter(receipts.c.due_at <= now))
        .where(receipts.c.status == "quarantined", receipts.c.fingerprint.is_not(None))
        .group_by(receipts.c.owner)
    )
    return {owner: (found, overdue) for owner, found, overdue in await tx.execute(asked)}
