"""Live chat (A1): who takes part, what becomes of a chat, and how its messages are told. Pure."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from intake_service.domain.channels import TeamId
from intake_service.domain.contacts import mask_name
from intake_service.domain.message import (
    Content,
    IncomingMessage,
    MessageSource,
    Sender,
    SenderIdentity,
    SenderKind,
    readable,
)
from intake_service.domain.record import MAX_ATTACHMENTS, Attachment, Email, Part, Phone
from intake_service.domain.text import FreeText, Identifier, Line, OptionalLine, Text
from intake_service.domain.views import Scan
from shared.contracts.envelope import Actor
from shared.contracts.vocabulary import Channel, Language

#: The author of the visitor's messages; an agent's are by `agent:` and who it is.
VISITOR = "visitor"

ClientId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$"),
    Field(
        description="The client's own id of the message. Sent again under it, it is the same message.", examples=["1"]
    ),
]


class ChatState(StrEnum):
    """`silent`: opened, and nothing was said. `waiting` for an agent. `joined`: an agent is in charge. `ended`."""

    SILENT = "silent"
    WAITING = "waiting"
    JOINED = "joined"
    ENDED = "ended"


class EntryType(StrEnum):
    """What stands in a transcript."""

    MESSAGE = "message"
    JOINED = "joined"
    HANDED_OVER = "handed_over"
    ENDED = "ended"


class Visitor(Part):
    """What the site vouches for; nothing of a visitor whom it does not name."""

    account_id: Annotated[Identifier, Field(max_length=100)] | None = None
    organisation: Line | None = None
    name: OptionalLine = ""
    phone: Phone | None = None
    email: Email | None = None

    @property
    def display(self) -> str:
        """Masked (A6)."""
        return mask_name(self.name) or "*"

    @property
    def identified(self) -> bool:
        return bool(self.account_id or self.phone or self.email)


class OpenChat(Part):
    """`identity` is who the visitor is, signed by the site: Base64url of a JSON object, a dot, and Base64url of its
    HMAC-SHA-256. Without it the visitor is nobody that was seen before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "zh"}]})

    identity: (
        Annotated[str, StringConstraints(max_length=4_000, pattern=r"^[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+$")] | None
    ) = None
    language: Language | None = None


def _readable(text: str) -> str:
    if text and not readable(text):
        raise ValueError("there is nothing to read in it")
    return text


def _each_once(files: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(files))


class NewChatMessage(Part):
    """Text, files, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"message_id": "1", "text": "订单无法查询"},
                {"message_id": "2", "text": "请看截图", "files": ["0190d0a4-7c1c-7000-8000-000000000000"]},
            ]
        }
    )

    message_id: ClientId
    text: Annotated[FreeText, AfterValidator(_readable)] = ""
    files: Annotated[
        tuple[UUID, ...],
        Field(
            max_length=MAX_ATTACHMENTS,
            description="Ids of uploads: a visitor's of this chat, an agent's of `POST /v1/attachments`.",
        ),
        AfterValidator(_each_once),
    ] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.text and not self.files:
            raise ValueError("give text, files, or both")
        return self


class HandOver(Part):
    """To an agent, or to a queue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"queue": "second-line", "reason": "需要技术支持"}]})

    agent: Annotated[Identifier, Field(description="The agent's id.")] | None = None
    queue: TeamId | None = None
    reason: Annotated[Text, Field(description="Shown to agents alone.")] = ""

    @model_validator(mode="after")
    def _one(self) -> "HandOver":
        if (self.agent is None) == (self.queue is None):
            raise ValueError("give either agent or queue")
        return self


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class OpenedChat(_View):
    """The token is the visitor's alone: whoever has it speaks and reads in the chat until it expires."""

    chat_id: UUID
    token: str
    expires_at: datetime


class Accepted(_View):
    """It is kept for good, in this place of the transcript."""

    message_id: str
    seq: int


class ChatFile(_View):
    """A file of a message. The visitor is told a `url` by which whoever has it may download the file until
    `expires_at`; agents where they read it (`href`), which is recorded. Neither is told of an infected file."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    scan: Scan
    url: str | None = None
    expires_at: datetime | None = None
    href: str | None = Field(None, examples=["/v1/attachments/0190d0a4-7c1c-7000-8000-000000000000"])


class Entry(_View):
    """One place of a transcript. `text` is a message's, and so are `files`, where it has some. `author` is `visitor` or
    `agent`; a visitor's `name` is masked. `agent`, `queue` and `reason` are a hand-over's, told to agents alone."""

    type: EntryType
    seq: int
    at: datetime
    author: str
    name: str
    message_id: str | None = None
    text: str | None = None
    files: tuple[ChatFile, ...] | None = None
    agent: str | None = None
    queue: str | None = None
    reason: str | None = None


class Presence(_View):
    """Somebody who has a socket open."""

    role: str
    name: str
    typing: bool


class Transcript(_View):
    state: ChatState
    data: tuple[Entry, ...]


class ChatView(_View):
    """`since` is when it came into its state. Who is `offered_to` it was handed over to, and has not joined yet."""

    chat_id: UUID
    channel_id: str
    state: ChatState
    since: datetime
    opened_at: datetime
    visitor: str
    identified: bool
    language: Language | None
    agent: Actor | None
    queue: str
    offered_to: str | None
    complaint_id: UUID | None
    last_seq: int


class PresentChat(ChatView):
    present: tuple[Presence, ...]


def author_of(agent: str) -> str:
    return f"agent:{agent}"


def role_of(author: str) -> str:
    return VISITOR if author == VISITOR else "agent"


def delivery_of(chat_id: UUID, author: str, message_id: str) -> str:
    """The id of a message in its channel: no two chats and no two authors have one in common."""
    by = "v" if author == VISITOR else hashlib.sha256(author.encode()).hexdigest()[:16]
    return f"{chat_id}/{by}/{message_id}"


def fingerprint(said: NewChatMessage) -> bytes:
    """Of what the visitor said, whenever it came: sent again it is the same message."""
    told = (said.text, *(str(each) for each in said.files))
    return hashlib.sha256("\0".join(told).encode()).digest()


def attachments_of(said: NewChatMessage) -> tuple[Attachment, ...]:
    return tuple(Attachment(id=each) for each in said.files)


def incoming(
    chat_id: UUID, account: str, visitor: Visitor, language: Language | None, said: NewChatMessage, now: datetime
) -> IncomingMessage:
    """What a visitor said, as every channel hands it in. The chat is the thread, and the visitor's handle in it."""
    stated: list[dict[str, Any]] = [{"kind": SenderKind.HANDLE, "value": str(chat_id)}]
    if visitor.account_id:
        stated.append({"kind": SenderKind.ACCOUNT, "value": visitor.account_id, "organisation": visitor.organisation})
    if visitor.phone:
        stated.append({"kind": SenderKind.PHONE, "value": visitor.phone})
    if visitor.email:
        stated.append({"kind": SenderKind.EMAIL, "value": visitor.email})
    return IncomingMessage(
        source=MessageSource(
            channel=Channel.CHAT,
            account=account,
            message_id=delivery_of(chat_id, VISITOR, said.message_id),
            thread_id=str(chat_id),
        ),
        sender=Sender(identities=tuple(SenderIdentity(**each) for each in stated), name=visitor.name),
        content=Content(text=said.text, language=language),
        attachments=attachments_of(said),
        occurred_at=now,
    )
