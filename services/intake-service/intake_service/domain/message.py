"""A message as a channel adapter hands it in, and whether it can be understood (A1, A3, A8).

The envelope is checked by its types: what breaks them is the adapter's mistake and is refused (4xx). What the envelope
carries is the sender's: what can't be understood of it is a `Doubt`, and the message is kept in quarantine.
"""

import binascii
import unicodedata
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from intake_service.domain.complaint import NaturalKey, stated
from intake_service.domain.contacts import NotAContact, normal_email, normal_phone
from intake_service.domain.details import Details
from intake_service.domain.person import Identity
from intake_service.domain.record import (
    MAX_ATTACHMENTS,
    Attachment,
    MediaType,
    NewComplaint,
    Part,
    Sha256,
    StatedChannel,
    StatedComplainant,
)
from intake_service.domain.text import (
    Identifier,
    Instant,
    Line,
    OptionalIdentifier,
    OptionalLine,
    Subject,
    Text,
    Wording,
)
from shared.contracts.envelope import Bilingual
from shared.contracts.intake import ReplySession
from shared.contracts.vocabulary import Channel, Language

MAX_IDENTITIES = 5
MAX_ACCOUNT_ID = 100
#: Characters of a complaint's symptom and of a message on its thread.
MAX_TEXT = 10_000
MAX_RAW = 400_000
#: Charsets of raw text; any other is not decoded.
CHARSETS = frozenset(
    {"utf-8", "us-ascii", "utf-16", "gb18030", "gbk", "gb2312", "big5", "iso-8859-1", "windows-1252", "shift_jis"}
)


class SenderKind(StrEnum):
    """What an identity is. `handle` is the sender's id in this channel and account (a chat visitor, a social user)."""

    ACCOUNT = "account"
    PHONE = "phone"
    WECOM = "wecom"
    EMAIL = "email"
    HANDLE = "handle"


class Automatic(StrEnum):
    """What kind of machine wrote it: an answering machine, a bounce, another report (read, abuse), ourselves, or two
    machines that answer each other."""

    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    REPORT = "report"
    OURS = "ours"
    LOOP = "loop"


class MessageSource(Part):
    """Where it came in. Channel, account and message id make a redelivery recognisable (A8)."""

    channel: Channel
    account: Annotated[Identifier, Field(description="The account, number or mailbox it came in by.")]
    message_id: Annotated[Identifier, Field(description="The provider's id of the message.")]
    thread_id: Identifier | None = Field(None, description="The provider's id of the conversation.")
    reply_to: Identifier | None = Field(None, description="The message id that it answers.")
    reply_token: Identifier | None = Field(
        None, description="The token of the signed reply address that it was sent to (`help+TOKEN@…`)."
    )

    @property
    def key(self) -> NaturalKey:
        return (self.channel, self.account, self.message_id)

    @property
    def references(self) -> frozenset[NaturalKey]:
        """Every id of this account that it names: its own, its thread's, and the one that it answers."""
        named = (self.message_id, self.thread_id, self.reply_to)
        return frozenset((self.channel, self.account, each) for each in named if each is not None)


class SenderIdentity(Part):
    """By what the sender is known. Only what the channel vouches for: whoever has an identity takes part in its
    person's complaints."""

    kind: SenderKind
    value: OptionalIdentifier
    organisation: Line | None = Field(None, description="Of an account.")


def _one_of_a_kind(identities: tuple[SenderIdentity, ...]) -> tuple[SenderIdentity, ...]:
    for kind in (SenderKind.ACCOUNT, SenderKind.WECOM):
        if sum(identity.kind is kind for identity in identities) > 1:
            raise ValueError(f"at most one identity of kind {kind}")
    return identities


class Sender(Part):
    identities: Annotated[
        tuple[SenderIdentity, ...], Field(max_length=MAX_IDENTITIES), AfterValidator(_one_of_a_kind)
    ] = ()
    name: OptionalLine = ""


class ReplyUntil(Part):
    """Where an answer in the message's own conversation goes, while its channel takes one: to the sender's first
    identity, or to `webhook` where the channel gave one."""

    expires_at: Instant
    webhook: Annotated[str, Field(max_length=2000, pattern=r"^https?://[!-~]+$")] | None = None


class Signs(Part):
    """What the receiving server or the channel says of a message that may be spam; it is weighed, nothing more."""

    bulk: Annotated[bool, Field(description="Sent to a list.")] = False
    unauthenticated: Annotated[bool, Field(description="SPF or DKIM failed.")] = False


class Content(Part):
    text: Wording = ""
    subject: Subject = ""
    scene: Annotated[Text, Field(description="Where it was said or seen: app and device, page, post.")] = ""
    language: Language | None = None


class Raw(Part):
    """The message as the provider sent it: here, or by the SHA-256 of an upload (`POST /v1/attachments`). Text
    (`text/…`) that stands here must be readable in its charset."""

    data: Annotated[str | None, Field(max_length=MAX_RAW, description="Base64.")] = None
    sha256: Annotated[Sha256 | None, Field(description="Of an upload, in the place of `data`.")] = None
    media_type: MediaType = "application/octet-stream"
    charset: Line = "utf-8"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.data is None) == (self.sha256 is None):
            raise ValueError("give either data or sha256")
        return self


MESSAGE_EXAMPLE: dict[str, Any] = {
    "source": {
        "channel": "email",
        "account": "help@shop.example",
        "message_id": "m-1@mail.example",
        "thread_id": "t-1",
    },
    "sender": {"identities": [{"kind": "email", "value": "zhang@example.com"}], "name": "张女士"},
    "content": {"subject": "订单无法查询", "text": "从早上开始一直加载失败，请尽快处理。", "language": "zh"},
    "occurred_at": "2024-05-10T10:20:00+08:00",
}


class IncomingMessage(Part):
    """What a channel adapter hands in: the same for every channel."""

    model_config = ConfigDict(json_schema_extra={"examples": [MESSAGE_EXAMPLE]})

    source: MessageSource
    sender: Sender
    content: Content
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=MAX_ATTACHMENTS)] = ()
    occurred_at: Annotated[Instant, Field(description="When it was sent.")]
    automatic: Automatic | None = Field(
        None, description="A machine wrote it: kept and noted; it makes no complaint, and nobody answers it."
    )
    signs: Signs = Signs()
    raw: Raw | None = None
    details: Details | None = None
    reply: ReplyUntil | None = None

    @property
    def reply_session(self) -> ReplySession | None:
        """What the others are told of where an answer goes."""
        if self.reply is None or not self.sender.identities:
            return None
        address = self.sender.identities[0].value
        return ReplySession(account=self.source.account, address=address, **self.reply.model_dump())


class Reason(StrEnum):
    """Why a message is in quarantine."""

    NO_TEXT = "no_text"
    TOO_LONG = "too_long"
    NO_IDENTITY = "no_identity"
    FROM_THE_FUTURE = "from_the_future"
    UNDECODABLE_RAW = "undecodable_raw"
    UNREADABLE = "unreadable"
    REFUSED = "refused"


MESSAGES = {
    Reason.NO_TEXT: Bilingual(zh="没有可读的文字", en="There is no readable text"),
    Reason.TOO_LONG: Bilingual(
        zh=f"主题与正文合计超过 {MAX_TEXT} 个字符", en=f"Subject and text have more than {MAX_TEXT} characters"
    ),
    Reason.NO_IDENTITY: Bilingual(zh="没有可识别的发件人身份", en="No identity of the sender can be read"),
    Reason.FROM_THE_FUTURE: Bilingual(zh="发送时间在未来", en="It says that it was sent in the future"),
    Reason.UNDECODABLE_RAW: Bilingual(zh="原始内容无法解码", en="The raw part cannot be decoded"),
    Reason.UNREADABLE: Bilingual(zh="无法读取", en="It cannot be read"),
    Reason.REFUSED: Bilingual(zh="违反规则", en="It breaks a rule"),
}


class Doubt(BaseModel):
    """What can't be understood, and where (JSON Pointer)."""

    model_config = ConfigDict(frozen=True)

    reason: Reason
    pointer: str = Field(examples=["/content/text"])
    message: Bilingual


def doubt(reason: Reason, pointer: str, message: Bilingual | None = None) -> Doubt:
    return Doubt(reason=reason, pointer=pointer, message=message or MESSAGES[reason])


@dataclass(frozen=True, slots=True)
class Understood:
    """A message that can be dealt with. `handles` are the sender's ids in the message's own channel and account."""

    text: str
    complainant: StatedComplainant
    handles: tuple[str, ...]

    def record(self, message: IncomingMessage) -> NewComplaint:
        """The standard record of the complaint that the message makes. It was made when it was sent (F7)."""
        source = message.source
        return NewComplaint(
            channel=StatedChannel(channel=source.channel, account=source.account, message_id=source.message_id),
            symptom=self.text,
            scene=message.content.scene,
            complainant=self.complainant,
            made_at=message.occurred_at,
            attachments=message.attachments,
        )


def understand(message: IncomingMessage, now: datetime, skew: timedelta, region: str) -> Understood | tuple[Doubt, ...]:
    """What the message says and who says it, or all that can't be understood of it. Clocks may differ by `skew`;
    phones without a country code are of `region`. An identity that can't be read beside one that can is left out."""
    text = wording(message.content)
    complainant, handles = _sender(message, region)
    doubts: list[Doubt] = []
    if not readable(message.content.text):
        doubts.append(doubt(Reason.NO_TEXT, "/content/text"))
    elif len(text) > MAX_TEXT:
        doubts.append(doubt(Reason.TOO_LONG, "/content/text"))
    if complainant is None:
        doubts.append(doubt(Reason.NO_IDENTITY, "/sender/identities"))
    if message.occurred_at > now + skew:
        doubts.append(doubt(Reason.FROM_THE_FUTURE, "/occurred_at"))
    if message.raw is not None and not _decodable(message.raw):
        doubts.append(doubt(Reason.UNDECODABLE_RAW, "/raw"))
    if doubts or complainant is None:
        return tuple(doubts)
    return Understood(text, complainant, handles)


def wording(content: Content) -> str:
    """Subject and text as one."""
    return f"{content.subject}\n\n{content.text}" if content.subject else content.text


def on_thread(content: Content) -> str:
    """What is shown of a message on a complaint's thread: the beginning where it is too long, and its scene."""
    scene = f"\n\n{content.scene}" if content.scene else ""
    return (wording(content)[: MAX_TEXT - len(scene)] + scene).strip()


def readable(text: str) -> bool:
    """Whether there is a visible character, beside the mark that stands for a byte nobody could read."""
    return any(unicodedata.category(sign)[0] not in "CZ" and sign != "\ufffd" for sign in text)


def _decodable(raw: Raw) -> bool:
    if raw.data is None:
        return True
    try:
        data = b64decode(raw.data, validate=True)
    except (binascii.Error, ValueError):
        return False
    if not raw.media_type.startswith("text/"):
        return True
    charset = raw.charset.lower()
    if charset not in CHARSETS:
        return False
    try:
        data.decode(charset)
    except UnicodeDecodeError:
        return False
    return True


def _sender(message: IncomingMessage, region: str) -> tuple[StatedComplainant | None, tuple[str, ...]]:
    """The complainant and the handles, of the identities that can be read; None where none can."""
    readable = [
        (identity, value) for identity in message.sender.identities if (value := _normal(identity, region)) is not None
    ]
    if not readable:
        return None, ()

    def values(kind: SenderKind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for identity, value in readable if identity.kind is kind))

    account = next((identity for identity, _ in readable if identity.kind is SenderKind.ACCOUNT), None)
    return StatedComplainant(
        name=message.sender.name,
        phones=values(SenderKind.PHONE),
        emails=values(SenderKind.EMAIL),
        wecom=_first(values(SenderKind.WECOM)),
        account_id=_first(values(SenderKind.ACCOUNT)),
        organisation=account.organisation if account else None,
        language=message.content.language,
    ), tuple(f"{message.source.channel}\x1f{message.source.account}\x1f{value}" for value in values(SenderKind.HANDLE))


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _normal(identity: SenderIdentity, region: str) -> str | None:
    """The identity's value in its normal form; None where it can't be read."""
    value = identity.value
    try:
        match identity.kind:
            case SenderKind.PHONE:
                return normal_phone(value, region)
            case SenderKind.EMAIL:
                return normal_email(value)
            case SenderKind.ACCOUNT:
                return value if 0 < len(value) <= MAX_ACCOUNT_ID else None
            case _:
                return value or None
    except NotAContact:
        return None


def identities_of(message: IncomingMessage, region: str) -> frozenset[Identity]:
    """By what the sender of a message is known, as far as it can be read."""
    complainant, handles = _sender(message, region)
    if complainant is None:
        return frozenset()
    known, _ = stated(complainant, region)
    return frozenset(replace(known, handles=handles).identities)
