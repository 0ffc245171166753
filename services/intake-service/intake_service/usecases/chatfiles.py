"""Files in a chat: what each side may name, and how they are told (A2, A6).

Invariant: a visitor names what was uploaded in this very chat, and reads what stands in its transcript, nothing else.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.channels.wording import placeholder
from intake_service.domain.chat import ChatFile, NewChatMessage
from intake_service.domain.message import MAX_TEXT
from intake_service.domain.record import Attachment
from intake_service.domain.views import Scan
from intake_service.store import attachments as store
from intake_service.usecases.attachments import link_to
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import UnknownAttachment


async def with_wording(tx: AsyncSession, chat_id: UUID, said: NewChatMessage, *, by_visitor: bool) -> NewChatMessage:
    """The same with words: files that come alone are told by their names.

    Raises `UnknownAttachment` for what is not there, for what another chat's visitor uploaded, and where a visitor
    names what was not uploaded in this chat.
    """
    if not said.files:
        return said
    known = await store.find_many(tx, said.files)
    allowed = {chat_id} if by_visitor else {chat_id, None}
    for place, each in enumerate(said.files):
        if each not in known or known[each]["chat_id"] not in allowed:
            raise unknown(str(place))
    if said.text:
        return said
    names = placeholder("文件", "File", *(known[each]["name"] for each in said.files))
    return said.model_copy(update={"text": names[:MAX_TEXT].strip()})


def unknown(place: str) -> UnknownAttachment:
    return UnknownAttachment(
        "Upload the file first (a visitor by POST /v1/chats/{chat_id}/files, an agent by POST /v1/attachments) and "
        "name the id of the answer.",
        pointer=f"/files/{place}",
    )


async def told(
    tx: AsyncSession, rows: Sequence[RowMapping], deps: Deps, *, inside: bool
) -> list[tuple[ChatFile, ...] | None]:
    """The files of each of these entries; None where it has none. Costs a statement only where one has some."""
    named = [[Attachment.model_validate(each) for each in row["attachments"] or ()] for row in rows]
    scans = await store.scans(tx, (each.id for one in named for each in one if each.id is not None))
    return [
        tuple(_file(each.id, each, Scan(scans[each.id]), deps, inside=inside) for each in one if each.id in scans)
        or None
        for one in named
    ]


def _file(upload: UUID, kept: Attachment, scan: Scan, deps: Deps, *, inside: bool) -> ChatFile:
    file = ChatFile(id=upload, name=kept.name, media_type=kept.media_type, size_bytes=kept.size_bytes or 0, scan=scan)
    if scan is Scan.INFECTED:
        return file
    if inside:
        return file.model_copy(update={"href": f"/v1/attachments/{upload}"})
    return file.model_copy(update=link_to(upload, deps).model_dump())
