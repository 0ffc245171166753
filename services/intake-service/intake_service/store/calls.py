"""Calls of the hotline, and the complaints that seats recorded of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, desc, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.calls import FORGOTTEN, Call, Told
from intake_service.store.tables import calls, complaints
from shared.contracts.vocabulary import Channel

_INSTANTS = ("last_at", "rang_at", "started_at", "ended_at", "duration_seconds")
_FACTS = ("caller", "seat", "recording_url")
_SAME = and_(
    complaints.c.channel == Channel.HOTLINE.value,
    complaints.c.account == calls.c.account,
    complaints.c.message_id == calls.c.call_id,
)
#: When it ended, as far as anybody said so.
_OVER_AT = func.coalesce(calls.c.ended_at, calls.c.last_at + FORGOTTEN)
_OPEN = and_(calls.c.complaint_id.is_(None), calls.c.dismissed_at.is_(None))


def call_of(row: RowMapping) -> Call:
    def told(name: str) -> Told | None:
        found = row["facts"].get(name)
        return (datetime.fromisoformat(found[0]), found[1]) if found else None

    values: dict[str, Any] = {name: row[name] for name in _INSTANTS} | {name: told(name) for name in _FACTS}
    return Call(**values)


async def hold(tx: AsyncSession, first: Mapping[str, Any]) -> RowMapping:
    """The call, locked until the commit; `first` where it is the first time that it is heard of."""
    await tx.execute(upsert(calls).values(**first, facts={}).on_conflict_do_nothing())
    known = and_(calls.c.channel_id == first["channel_id"], calls.c.call_id == first["call_id"])
    asked = select(calls).where(known).with_for_update()
    return (await tx.execute(asked)).mappings().one()


async def write(tx: AsyncSession, row_id: UUID, call: Call, complaint_id: UUID | None) -> None:
    told = {name: (each[0].isoformat(), each[1]) for name in _FACTS if (each := getattr(call, name)) is not None}
    values: dict[str, Any] = {name: getattr(call, name) for name in _INSTANTS}
    await tx.execute(update(calls).where(calls.c.id == row_id).values(**values, facts=told, complaint_id=complaint_id))


async def find(tx: AsyncSession, account: str, outer_id: str) -> RowMapping | None:
    """The call of an account, whichever of its channels told of it."""
    asked = _joined().where(calls.c.account == account, calls.c.call_id == outer_id).order_by(calls.c.id).limit(1)
    row: RowMapping | None = (await tx.execute(asked)).mappings().one_or_none()
    return row


async def show(tx: AsyncSession, row_id: UUID, *, alone: bool = False) -> RowMapping | None:
    """`alone`: locked until the commit."""
    asked = _joined().where(calls.c.id == row_id)
    asked = asked.with_for_update(of=calls) if alone else asked
    row: RowMapping | None = (await tx.execute(asked)).mappings().one_or_none()
    return row


async def record_of(tx: AsyncSession, account: str, outer_id: str) -> RowMapping | None:
    """The complaint that a seat recorded of the call."""
    asked = select(complaints.c.id, complaints.c.person_id, complaints.c.erased_at).where(
        complaints.c.channel == Channel.HOTLINE.value,
        complaints.c.account == account,
        complaints.c.message_id == outer_id,
    )
    row: RowMapping | None = (await tx.execute(asked)).mappings().one_or_none()
    return row


def _joined() -> Select[Any]:
    return select(calls, complaints.c.id.label("record_id"), complaints.c.number).select_from(
        calls.outerjoin(complaints, _SAME)
    )


def _without_record(before: Mapping[str, datetime]) -> ColumnElement[bool]:
    """`before`: of each channel, when calls must have ended to be due."""
    due = [and_(calls.c.channel_id == channel_id, at >= _OVER_AT) for channel_id, at in before.items()]
    return and_(_OPEN, complaints.c.id.is_(None), or_(False, *due))


async def page_of(
    tx: AsyncSession,
    *,
    channel_id: str | None,
    complaint: UUID | str | None,
    without_record: Mapping[str, datetime] | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[RowMapping]:
    """The latest first."""
    asked = _joined().order_by(desc(calls.c.heard_at), desc(calls.c.id)).limit(limit)
    if channel_id is not None:
        asked = asked.where(calls.c.channel_id == channel_id)
    if complaint is not None:
        asked = asked.where((complaints.c.id if isinstance(complaint, UUID) else complaints.c.number) == complaint)
    if without_record is not None:
        asked = asked.where(_without_record(without_record))
    if after is not None:
        asked = asked.where(tuple_(calls.c.heard_at, calls.c.id) < tuple_(*after))
    return list((await tx.execute(asked)).mappings())


async def lost(tx: AsyncSession, before: Mapping[str, datetime]) -> dict[str, int]:
    """How many calls of each channel are without a record that must be there."""
    if not before:
        return {}
    counted = select(calls.c.channel_id, func.count()).select_from(calls.outerjoin(complaints, _SAME))
    found = await tx.execute(counted.where(_without_record(before)).group_by(calls.c.channel_id))
    return {row[0]: row[1] for row in found}


async def dismiss(tx: AsyncSession, row_id: UUID, dismissed: Mapping[str, Any], at: datetime) -> None:
    await tx.execute(update(calls).where(calls.c.id == row_id).values(dismissed=dismissed, dismissed_at=at))


async def settle(tx: AsyncSession) -> None:
    """Note which calls have their record, so that nobody looks for it again."""
    await tx.execute(update(calls).where(_OPEN, _SAME).values(complaint_id=complaints.c.id))


async def forget(tx: AsyncSession, complaint_ids: Sequence[UUID], phones: Sequence[str], at: datetime) -> None:
    """Delete who called and the link to what they said, of these complaints' calls and of all from these numbers."""
    records = select(complaints.c.account, complaints.c.message_id).where(
        complaints.c.id.in_(complaint_ids), complaints.c.channel == Channel.HOTLINE.value
    )
    theirs = or_(tuple_(calls.c.account, calls.c.call_id).in_(records), calls.c.facts["caller"][1].astext.in_(phones))
    rest = calls.c.facts.op("-")("caller").op("-")("recording_url")
    await tx.execute(update(calls).where(theirs).values(facts=rest, erased_at=at))
