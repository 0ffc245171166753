"""From what a complaint or message says of its files to the uploads that it means, in the transaction that writes it.

Invariant: a file that is named in something kept is there, and stays until what names it is erased.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain.files import served_type
from intake_service.domain.message import Raw
from intake_service.domain.record import Attachment
from intake_service.store import attachments as store
from intake_service.usecases.errors import UnknownAttachment
from shared.contracts.envelope import Actor

#: The name of a message as its provider sent it.
RAW_NAME = "message"


@dataclass(frozen=True, slots=True)
class Named:
    """What a complaint or message says of its files."""

    attachments: tuple[Attachment, ...]
    actor: Actor
    raw: Raw | None = None

    @property
    def digests(self) -> list[str]:
        by_digest = [each.sha256 for each in self.attachments if each.is_stored and each.id is None]
        raw = self.raw.sha256 if self.raw is not None else None
        return [each for each in (*by_digest, raw) if each is not None]


@dataclass(frozen=True, slots=True)
class Held:
    """The same with what is known of the files, and the ids of the uploads."""

    attachments: tuple[Attachment, ...]
    uploads: tuple[UUID, ...] = ()


async def hold(
    tx: AsyncSession, named: Sequence[Named], ids: Callable[[], UUID], now: datetime
) -> list[Held | UnknownAttachment]:
    """What each of them means, held against deletion until the commit. What names no stored file costs no statement.

    Whoever holds what was named tells so by `store.insert_uses`.
    """
    uploads = await store.hold_attachments(
        tx, (each.id for one in named for each in one.attachments if each.id is not None)
    )
    contents = await store.hold_blobs(tx, (digest for one in named for digest in one.digests))
    made: list[dict[str, Any]] = []
    answers = [_held(one, uploads, contents, made, ids, now) for one in named]
    await store.insert_attachments(tx, made)
    return answers


def _held(
    named: Named,
    uploads: dict[UUID, RowMapping],
    contents: dict[str, RowMapping],
    made: list[dict[str, Any]],
    ids: Callable[[], UUID],
    now: datetime,
) -> Held | UnknownAttachment:
    known: list[Attachment] = []
    new: list[dict[str, Any]] = []
    held: list[UUID] = []

    def of_content(digest: str, name: str, stated: str) -> dict[str, Any]:
        row = {
            "id": ids(),
            "sha256": digest,
            "name": name,
            "media_type": contents[digest]["media_type"],
            "stated_type": stated,
            "actor": named.actor.model_dump(mode="json"),
            "uploaded_at": now,
        }
        new.append(row)
        return {**row, "size_bytes": contents[digest]["size_bytes"]}

    for place, each in enumerate(named.attachments):
        if not each.is_stored:
            known.append(each)
            continue
        row: Any = None
        if each.id is not None:
            row = uploads.get(each.id)
        elif each.sha256 in contents:
            row = of_content(each.sha256, each.name, each.media_type)
        if row is None or each.sha256 not in (None, row["sha256"]):
            return _unknown(f"/attachments/{place}")
        held.append(row["id"])
        known.append(
            Attachment(
                id=row["id"],
                name=each.name or row["name"],
                media_type=served_type(row["media_type"]),
                size_bytes=row["size_bytes"],
                sha256=row["sha256"],
            )
        )
    if named.raw is not None and named.raw.sha256 is not None:
        if named.raw.sha256 not in contents:
            return _unknown("/raw/sha256")
        held.append(of_content(named.raw.sha256, RAW_NAME, named.raw.media_type)["id"])
    made.extend(new)
    return Held(tuple(known), tuple(held))


def _unknown(pointer: str) -> UnknownAttachment:
    return UnknownAttachment(
        "Upload the file first (POST /v1/attachments) and name the id or the SHA-256 of the answer.", pointer=pointer
    )
