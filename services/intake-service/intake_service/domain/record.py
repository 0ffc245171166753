"""The standard record of a complaint (A2) as it comes in, and what else is said about a complaint later (A3)."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from intake_service.domain.money import Amount
from intake_service.domain.text import Identifier, Instant, Line, LongText, OptionalLine, Text
from shared.contracts.vocabulary import Channel, Kind, Language, LinkRelation, Priority

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Phone = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40, pattern=r"^[0-9+*#()./;=a-zA-Z \-]+$")
]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")
]
MediaType = Annotated[str, StringConstraints(max_length=127, pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}$")]
Level = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]

#: A complaint's number or id.
COMPLAINT_KEY = r"^(C-[0-9]{8}-[0-9]{6,12}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"
MAX_PHONES = 5
MAX_EMAILS = 5
MAX_DEMANDS = 20
MAX_ATTACHMENTS = 50


class Part(BaseModel):
    """A part of the record. A field that the record does not know is refused, so that no misspelt one is lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StatedChannel(Part):
    """How it came in. `message_id` is the provider's; with `account` it makes a redelivery recognisable (A8)."""

    channel: Channel
    account: Annotated[Identifier, Field(description="The account, number or mailbox it came in by.")] = "default"
    seat: Line | None = Field(None, description="The seat or counter that took it.")
    message_id: Identifier | None = None


class StatedComplainant(Part):
    """Whoever complains, as far as told. The same phone, mail address, WeCom user or account is the same person."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "张女士", "phones": ["13800001234"]}]},
    )

    name: OptionalLine = ""
    phones: Annotated[tuple[Phone, ...], Field(max_length=MAX_PHONES)] = ()
    emails: Annotated[tuple[Email, ...], Field(max_length=MAX_EMAILS)] = ()
    wecom: Identifier | None = None
    organisation: Line | None = None
    account_id: Annotated[Identifier, Field(max_length=100)] | None = Field(
        None, description="The account with the company; with `organisation` it tells who it is."
    )
    preferred_channel: Channel | None = None
    language: Language | None = None
    level: Level | None = Field(None, description="The customer's level, such as `standard` or `vip`.")


class StatedDemand(Part):
    """One thing that the complainant wants."""

    text: Annotated[LongText, Field(max_length=2_000)]
    amount: Amount | None = None
    deadline: Instant | None = None


class Attachment(Part):
    """A file that came along: one that was uploaded, by its `id` or its SHA-256 (`POST /v1/attachments`), or one that
    lies where `url` says. Of an upload's file everything else is told by the upload."""

    id: Annotated[UUID | None, Field(description="The upload's.")] = None
    name: Annotated[OptionalLine, Field(description="Must be there where no upload's id is.")] = ""
    media_type: MediaType = "application/octet-stream"
    size_bytes: Annotated[int, Field(strict=True, ge=0, le=2**40)] | None = None
    url: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^https?://[!-~]+$")] | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.name and self.id is None:
            raise ValueError("give its name, or the id of an upload")
        return self

    @property
    def is_stored(self) -> bool:
        """Whether the file is to lie in our own store."""
        return self.id is not None or (self.sha256 is not None and self.url is None)


COMPLAINT_EXAMPLE: dict[str, Any] = {
    "channel": {"channel": "hotline", "account": "4008001234", "seat": "seat-07", "message_id": "call-20240510-0001"},
    "complainant": {
        "name": "王女士",
        "phones": ["13812341234"],
        "organisation": "某网店公司",
        "account_id": "shop-1001",
        "language": "zh",
    },
    "kind": "complaint",
    "priority": "important",
    "happened_at": "2024-05-10T10:15:00+08:00",
    "received_at": "2024-05-10T10:20:00+08:00",
    "scene": "订单管理系统，查询最近七天的订单",
    "symptom": "查询最近七天的订单时提示加载失败，无法核对库存",
    "impact": "发货受到影响",
    "demands": [
        {"text": "两小时内修复", "deadline": "2024-05-10T12:20:00+08:00"},
        {"text": "赔偿延迟发货的损失", "amount": {"amount_minor": 50000, "currency": "CNY"}},
    ],
    "product": "order-management",
    "region": "CN-ZJ",
}


class Told(Part):
    """What the complainant tells, however it came in."""

    symptom: Annotated[LongText, Field(description="What was seen, in the complainant's words.")]
    complainant: StatedComplainant = StatedComplainant()
    kind: Kind = Kind.COMPLAINT
    priority: Annotated[Priority, Field(description="First priority at receipt (A7).")] = Priority.GENERAL
    happened_at: Instant | None = Field(None, description="When the trouble began, to the minute; not in the future.")
    scene: Text = ""
    impact: Text = ""
    demands: Annotated[tuple[StatedDemand, ...], Field(max_length=MAX_DEMANDS)] = ()
    product: Line | None = None
    region: Line | None = None


class NewComplaint(Told):
    """The standard record. Only the channel and the symptom must be there: what the kind's template wants beside them
    is asked for in the answer (`missing`)."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPLAINT_EXAMPLE]})

    channel: StatedChannel
    received_at: Instant | None = Field(None, description="When it was received; not in the future. Default: now.")
    made_at: Instant | None = Field(None, description="When it was made, where it was found outside (F7).")
    recorded_by: Line | None = Field(None, description="Who recorded it. Default: whoever calls.")
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=MAX_ATTACHMENTS)] = ()


class NewMessage(Part):
    """A message on the complaint's thread, from the complainant (inbound) or to them (outbound)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"direction": "inbound", "channel": {"channel": "wecom"}, "text": "什么时候能修好？"}]
        }
    )

    direction: Literal["inbound", "outbound"]
    channel: StatedChannel
    text: LongText
    sent_at: Instant | None = Field(None, description="When it was sent; not in the future. Default: now.")
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=MAX_ATTACHMENTS)] = ()


class NewNote(Part):
    """An internal note; never shown to the complainant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "客户情绪激动，请先致歉。"}]})

    text: LongText


class NewLink(Part):
    """What the complaint is to another one. `duplicate_of` merges it into the other (C7)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"relation": "related_to", "other": "C-20240510-000001", "reason": "同一故障"}]}
    )

    relation: LinkRelation
    other: Annotated[
        str,
        StringConstraints(pattern=COMPLAINT_KEY),
        Field(description="Number or id of the other complaint."),
    ]
    reason: Text = ""


class NewKey(Part):
    """A key for a channel adapter, bound to a channel or to one account of it, or to none."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "wecom adapter", "channel": "wecom", "account": "shop-service"}]}
    )

    name: Line
    channel: Channel | None = None
    account: Identifier | None = None
