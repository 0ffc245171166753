"""Uploaded files, who holds them, and what the scanner said of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, delete, exists, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.store.tables import attachment_accesses, attachment_uses, attachments, blobs, receipts

_FILE = [blobs.c[name] for name in ("size_bytes", "scan", "signature")]


async def insert_blob(tx: AsyncSession, row: Mapping[str, Any]) -> str:
    """Keep what is known of a file's content, and hold it against deletion until the commit; its scan as it stands.
    What came when there was no scanner is scanned when it comes again."""
    written = upsert(blobs).values(row)
    new = and_(blobs.c.scan == "not_scanned", written.excluded.scan == "pending")
    again = {name: case((new, written.excluded[name]), else_=blobs.c[name]) for name in ("scan", "scan_at")}
    kept = written.on_conflict_do_update(index_elements=["sha256"], set_=again)
    scan: str = (await tx.execute(kept.returning(blobs.c.scan))).scalar_one()
    return scan


async def insert_attachments(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(attachments), list(rows))


async def find(tx: AsyncSession, attachment_id: UUID) -> RowMapping | None:
    asked = select(attachments, *_FILE).join(blobs).where(attachments.c.id == attachment_id)
    row: RowMapping | None = (await tx.execute(asked)).mappings().one_or_none()
    return row


async def find_many(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, RowMapping]:
    asked = select(attachments, *_FILE).join(blobs).where(attachments.c.id.in_(sorted(set(ids))))
    return {row["id"]: row for row in (await tx.execute(asked)).mappings()}


async def hold_attachments(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, RowMapping]:
    """Those of them that are there, held against deletion until the commit."""
    if not (wanted := sorted(set(ids))):
        return {}
    asked = select(attachments, *_FILE).join(blobs).where(attachments.c.id.in_(wanted)).order_by(attachments.c.id)
    found = (await tx.execute(asked.with_for_update(read=True, key_share=True, of=attachments))).mappings()
    return {row["id"]: row for row in found}


async def hold_blobs(tx: AsyncSession, digests: Iterable[str]) -> dict[str, RowMapping]:
    """Those of them that are there, held against deletion until the commit."""
    if not (wanted := sorted(set(digests))):
        return {}
    asked = select(blobs).where(blobs.c.sha256.in_(wanted)).order_by(blobs.c.sha256)
    found = (await tx.execute(asked.with_for_update(read=True, key_share=True))).mappings()
    return {row["sha256"]: row for row in found}


async def insert_uses(tx: AsyncSession, uses: Iterable[tuple[UUID, UUID]]) -> None:
    """(attachment, holder): a complaint, or the receipt of a message. What has a holder is not swept."""
    rows = [{"attachment_id": attachment, "holder_id": holder} for attachment, holder in sorted(set(uses))]
    if rows:
        await tx.execute(upsert(attachment_uses).on_conflict_do_nothing(), rows)


async def scans(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    if not (wanted := sorted(set(ids))):
        return {}
    asked = select(attachments.c.id, blobs.c.scan).join(blobs).where(attachments.c.id.in_(wanted))
    return {row.id: row.scan for row in await tx.execute(asked)}


async def release(tx: AsyncSession, complaint_ids: Sequence[UUID], receipt_ids: Sequence[UUID]) -> None:
    """Delete the attachments that these complaints, their messages and these receipts alone hold; the files are
    `unheld_blobs` then."""
    of_receipts = select(receipts.c.id).where(receipts.c.complaint_id.in_(complaint_ids))
    theirs = or_(
        attachment_uses.c.holder_id.in_(complaint_ids),
        attachment_uses.c.holder_id.in_(of_receipts),
        attachment_uses.c.holder_id.in_(receipt_ids),
    )
    released = set(
        (await tx.execute(delete(attachment_uses).where(theirs).returning(attachment_uses.c.attachment_id))).scalars()
    )
    held = exists().where(attachment_uses.c.attachment_id == attachments.c.id)
    await tx.execute(delete(attachments).where(attachments.c.id.in_(released), ~held))


async def forget_of_chats(tx: AsyncSession, chat_ids: Sequence[UUID]) -> None:
    """Delete what visitors of these chats uploaded and nobody holds."""
    held = exists().where(attachment_uses.c.attachment_id == attachments.c.id)
    await tx.execute(delete(attachments).where(attachments.c.chat_id.in_(chat_ids), ~held))


async def delete_unnamed(tx: AsyncSession, before: datetime, limit: int) -> int:
    """Delete uploads of before this instant that nobody holds; how many. Raises `IntegrityError` where one of them has
    found a holder meanwhile: nothing is deleted then."""
    held = exists().where(attachment_uses.c.attachment_id == attachments.c.id)
    unnamed = (
        select(attachments.c.id)
        .where(attachments.c.uploaded_at < before, ~held)
        .order_by(attachments.c.uploaded_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    deleted = delete(attachments).where(attachments.c.id.in_(unnamed)).returning(attachments.c.id)
    return len((await tx.execute(deleted)).all())


async def unheld_blobs(tx: AsyncSession, limit: int) -> list[str]:
    held = exists().where(attachments.c.sha256 == blobs.c.sha256)
    return list((await tx.execute(select(blobs.c.sha256).where(~held).limit(limit))).scalars())


async def delete_blob(tx: AsyncSession, sha256: str) -> bool:
    """Whether nobody has it, so that its file may go before the commit. Who keeps it anew meanwhile waits for that."""
    held = exists().where(attachments.c.sha256 == blobs.c.sha256)
    deleted = delete(blobs).where(blobs.c.sha256 == sha256, ~held).returning(blobs.c.sha256)
    try:
        async with tx.begin_nested():
            return (await tx.execute(deleted)).one_or_none() is not None
    except IntegrityError:
        return False


async def unknown_blobs(tx: AsyncSession, digests: Sequence[str]) -> set[str]:
    known = (await tx.execute(select(blobs.c.sha256).where(blobs.c.sha256.in_(digests)))).scalars()
    return set(digests) - set(known)


async def take_unscanned(tx: AsyncSession, now: datetime, until: datetime) -> RowMapping | None:
    """The file that waits for the scanner longest; nobody else takes it before `until`."""
    due = (
        select(blobs.c.sha256)
        .where(blobs.c.scan == "pending", blobs.c.scan_at <= now)
        .order_by(blobs.c.scan_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = update(blobs).where(blobs.c.sha256.in_(due.scalar_subquery())).values(scan_at=until)
    row: RowMapping | None = (await tx.execute(taken.returning(blobs))).mappings().one_or_none()
    return row


async def tell_scan(tx: AsyncSession, sha256: str, told: Mapping[str, Any]) -> None:
    await tx.execute(update(blobs).where(blobs.c.sha256 == sha256, blobs.c.scan == "pending").values(told))


async def insert_access(tx: AsyncSession, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(attachment_accesses).values(row))


async def accesses_of(
    tx: AsyncSession, attachment_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[RowMapping]:
    """Who read a file, the latest first."""
    asked = select(attachment_accesses).where(attachment_accesses.c.attachment_id == attachment_id)
    if after is not None:
        asked = asked.where(tuple_(attachment_accesses.c.accessed_at, attachment_accesses.c.id) < tuple_(*after))
    asked = asked.order_by(attachment_accesses.c.accessed_at.desc(), attachment_accesses.c.id.desc()).limit(limit)
    return list((await tx.execute(asked)).mappings())
