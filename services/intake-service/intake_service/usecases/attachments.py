"""Files that come with complaints and messages: taking them in, and giving them out (A2, A6)."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog
from fastapi import Response
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.blobs import BlobsAway, NoSuchBlob, Stored, TooLong, sniff
from intake_service.domain.files import link_token, read_link, safe_name
from intake_service.domain.views import AttachmentAccess, AttachmentLink, AttachmentReceipt, Scan
from intake_service.store import attachments as store
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import (
    AttachmentInfected,
    AttachmentNotScanned,
    AttachmentTooLarge,
    LinkExpired,
    NoSuchAttachment,
    StoreAway,
)
from shared.web.auth import Principal
from shared.web.idempotency import Once

log = structlog.get_logger()

#: Seconds between two looks for what nobody names any more, and how much of it goes at a time.
SWEEP_EVERY = 600.0
SWEEP_BATCH = 500
_NO_KEY = Once("", None, b"")


async def upload(
    stream: AsyncIterable[bytes],
    name: str,
    stated_type: str,
    principal: Principal,
    once: Callable[[str], Once],
    deps: Deps,
) -> Response:
    """Keep a file that nobody names yet: 201 with its receipt. `once` is asked when the SHA-256 is known.

    Raises `AttachmentTooLarge`, `StoreAway`, and what `Once` raises.
    """
    stored = await _put(stream, deps)
    async with deps.session() as tx:
        told = once(stored.sha256)
        if (first := await told.replay(tx)) is not None:
            return first
        receipt = await _keep(tx, stored, name, stated_type, principal, deps)
        answer = await told.record(tx, receipt, status=201, headers={"Location": f"/v1/attachments/{receipt.id}"})
    deps.unscanned.set()
    return answer


async def keep_file(
    stream: AsyncIterable[bytes],
    name: str,
    stated_type: str,
    principal: Principal,
    deps: Deps,
    *,
    chat_id: UUID | None = None,
    check: Callable[[AsyncSession], Awaitable[object]] | None = None,
) -> AttachmentReceipt:
    """The same for our own channels: its id goes into the message's attachments, its SHA-256 into `raw`. `chat_id` is
    the chat whose visitor sent it. `check` is asked in the transaction, when the file is there.

    Raises `AttachmentTooLarge`, `StoreAway`, and what `check` raises: then it is not kept.
    """
    stored = await _put(stream, deps)
    async with deps.session() as tx:
        if check is not None:
            await check(tx)
        receipt = await _keep(tx, stored, name, stated_type, principal, deps, chat_id)
    deps.unscanned.set()
    return receipt


async def _put(stream: AsyncIterable[bytes], deps: Deps) -> Stored:
    limit = deps.settings.max_attachment_bytes
    try:
        return await deps.blobs.put(stream, limit)
    except TooLong as error:
        raise AttachmentTooLarge(f"At most {limit} bytes are taken.") from error
    except BlobsAway as error:
        raise _away(error) from error


def _away(error: BlobsAway) -> StoreAway:
    log.error("attachment store does not answer", reason=str(error))
    return StoreAway("Nothing was kept. Send it again in a minute.", retry_after=60)


async def _keep(
    tx: AsyncSession,
    stored: Stored,
    name: str,
    stated_type: str,
    principal: Principal,
    deps: Deps,
    chat_id: UUID | None = None,
) -> AttachmentReceipt:
    named, now = safe_name(name), deps.clock.now()
    media_type = sniff(stored.head, named)
    scan = await store.insert_blob(
        tx,
        {
            "sha256": stored.sha256,
            "size_bytes": stored.size_bytes,
            "media_type": media_type,
            "stored_at": now,
            "scan": Scan.PENDING if deps.scanner else Scan.NOT_SCANNED,
            "scan_at": now if deps.scanner else None,
        },
    )
    # The row is ours by now, so nobody takes the file away any more; but it may have been taken between `put` and the
    # row. That is why this is asked inside of the transaction.
    if not await deps.blobs.exists(stored.sha256):
        raise StoreAway("It was deleted as you sent it. Send it again.")
    receipt = AttachmentReceipt(
        id=deps.ids(),
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        media_type=media_type,
        name=named,
        scan=Scan(scan),
    )
    row = {
        **receipt.model_dump(include={"id", "sha256", "name", "media_type"}),
        "stated_type": stated_type,
        "actor": principal.actor.model_dump(mode="json"),
        "uploaded_at": now,
        "chat_id": chat_id,
    }
    await store.insert_attachments(tx, [row])
    return receipt


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be given out."""

    id: UUID
    sha256: str
    name: str
    media_type: str
    size_bytes: int


async def show(attachment_id: UUID, deps: Deps) -> File:
    """Raises `NoSuchAttachment`, `AttachmentInfected`, `AttachmentNotScanned`."""
    async with deps.reading() as tx:
        return _file(await store.find(tx, attachment_id), deps)


async def note_download(file: File, principal: Principal, deps: Deps) -> None:
    """That somebody reads the file is committed before they do."""
    async with deps.session() as tx:
        await _note(tx, file.id, "download", principal, deps)


async def make_link(attachment_id: UUID, principal: Principal, deps: Deps) -> AttachmentLink:
    """A link that whoever has it may download by until it expires. Raises what `show` raises."""
    async with deps.session() as tx:
        file = _file(await store.find(tx, attachment_id), deps)
        await _note(tx, file.id, "link", principal, deps)
    return link_to(file.id, deps)


def link_to(attachment_id: UUID, deps: Deps) -> AttachmentLink:
    """Whether the file may be given out is looked at when the link is used."""
    expires_at = (deps.clock.now() + timedelta(minutes=deps.settings.attachment_link_minutes)).replace(microsecond=0)
    token = link_token(attachment_id, expires_at, deps.settings.token_secret.get_secret_value())
    return AttachmentLink(url=f"{deps.settings.public_base_url}/files/{token}", expires_at=expires_at)


async def linked(token: str, deps: Deps) -> File:
    """The file of a link. Raises `LinkExpired` and what `show` raises."""
    read = read_link(token, deps.settings.token_secret.get_secret_value())
    if read is None:
        raise NoSuchAttachment("Open the link exactly as it was given.")
    attachment_id, expires_at = read
    if deps.clock.now() >= expires_at:
        raise LinkExpired("Ask whoever gave it to you for a new one.")
    return await show(attachment_id, deps)


async def content(file: File, start: int, beyond: int, deps: Deps) -> AsyncIterator[bytes]:
    """Its bytes from `start` to before `beyond`; the first are there when this returns.

    Raises `StoreAway`, `NoSuchAttachment`.
    """
    blocks = deps.blobs.read(file.sha256, start, beyond)
    try:
        first = await anext(blocks, b"")
    except BlobsAway as error:
        raise _away(error) from error
    except NoSuchBlob as error:
        log.error("a file is not in the attachment store", attachment=str(file.id))
        raise NoSuchAttachment("The file is not in the store any more.") from error

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return whole()


async def whole(sha256: str, deps: Deps) -> bytes:
    """A file that is needed as one: a message as it came. Raises `StoreAway`, `NoSuchAttachment`."""
    try:
        return b"".join([block async for block in deps.blobs.read(sha256)])
    except BlobsAway as error:
        raise _away(error) from error
    except NoSuchBlob as error:
        log.error("a message is not in the attachment store", sha256=sha256)
        raise NoSuchAttachment("The file is not in the store any more.") from error


async def list_accesses(
    attachment_id: UUID, after: tuple[datetime, UUID] | None, limit: int, deps: Deps
) -> Sequence[AttachmentAccess]:
    """Who read the file or took a link to it, the latest first."""
    async with deps.reading() as tx:
        rows = await store.accesses_of(tx, attachment_id, after, limit)
    return [AttachmentAccess(**row) for row in rows]


def _file(row: RowMapping | None, deps: Deps) -> File:
    if row is None:
        raise NoSuchAttachment("Look the id up in the complaint or the message.")
    if row["scan"] == Scan.INFECTED:
        raise AttachmentInfected(
            f"It is kept, and never given out; {deps.settings.quarantine_owner} is in charge of it.",
            signature=row["signature"],
        )
    if row["scan"] in (Scan.PENDING, Scan.FAILED) and not deps.settings.serve_unscanned:
        again = "Come back in a minute." if row["scan"] == Scan.PENDING else "It could not say what this file is."
        raise AttachmentNotScanned(again, scan=row["scan"])
    return File(**{name: row[name] for name in File.__slots__})


async def _note(
    tx: AsyncSession, attachment_id: UUID, what: Literal["download", "link"], principal: Principal, deps: Deps
) -> None:
    row = {
        "id": deps.ids(),
        "attachment_id": attachment_id,
        "actor": principal.actor.model_dump(mode="json"),
        "what": what,
        "accessed_at": deps.clock.now(),
    }
    await store.insert_access(tx, row)


async def keep_tidy(deps: Deps) -> None:
    """Runs for ever: deletes uploads that nobody named, and files that nobody has."""
    while True:
        await tidy(deps)
        await asyncio.sleep(SWEEP_EVERY)


async def tidy(deps: Deps) -> None:
    """One round of it. What fails is tried again in the next round."""
    age = timedelta(hours=deps.settings.unnamed_attachment_hours)
    deleted = SWEEP_BATCH
    while deleted == SWEEP_BATCH:
        try:
            async with deps.session() as tx:
                deleted = await store.delete_unnamed(tx, deps.clock.now() - age, SWEEP_BATCH)
        except IntegrityError:
            log.info("an upload found its complaint as it was swept")
            break
    await forget_files(deps)
    try:
        await deps.blobs.sweep(age)
        await _forget_strays(age, deps)
    except BlobsAway as error:
        log.warning("attachment store does not answer", reason=str(error))


async def forget_files(deps: Deps) -> None:
    """Delete the files that no attachment has any more. What the store refuses to delete waits for the next round."""
    async with deps.reading() as tx:
        unheld = await store.unheld_blobs(tx, SWEEP_BATCH)
    try:
        for sha256 in unheld:
            await _forget(sha256, deps)
    except BlobsAway as error:
        log.warning("attachment store does not answer", reason=str(error))


async def _forget(sha256: str, deps: Deps) -> None:
    """The row goes with its file: whoever uploads the same content meanwhile waits for this commit, then looks whether
    the file is there."""
    async with deps.session() as tx:
        if await store.delete_blob(tx, sha256):
            await deps.blobs.delete(sha256)


async def _forget_strays(age: timedelta, deps: Deps) -> None:
    """Files without a row: whoever brought them died before the commit."""
    strays: list[str] = []

    async def forget() -> None:
        async with deps.reading() as tx:
            unknown = await store.unknown_blobs(tx, strays)
        strays.clear()
        for sha256 in unknown:
            async with deps.session() as tx:
                row = {"sha256": sha256, "size_bytes": 0, "media_type": "", "stored_at": deps.clock.now()}
                await store.insert_blob(tx, {**row, "scan": Scan.NOT_SCANNED})
                if await store.delete_blob(tx, sha256):
                    await deps.blobs.delete(sha256)

    async for sha256 in deps.blobs.older_than(age):
        strays.append(sha256)
        if len(strays) == SWEEP_BATCH:
            await forget()
    await forget()
