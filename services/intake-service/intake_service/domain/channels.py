"""Channels as data (A1): which accounts complaints come in by, who is in charge of each, and what arrives by them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from intake_service.domain.message import IncomingMessage
from intake_service.domain.record import Part
from intake_service.domain.text import Identifier, Line
from shared.contracts.envelope import Actor, Bilingual
from shared.contracts.vocabulary import Channel

#: A JSON object: settings as they were given, and a cursor as its kind wrote it.
Json = dict[str, Any]

CHANNEL_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
KIND = r"^[a-z][a-z0-9_]{0,31}$"
#: Where a secret lies: `env:INTAKE_SECRET_…`, or `file:` and a path below `INTAKE_SECRETS_DIR`.
REFERENCE = r"^(env:INTAKE_SECRET_[A-Z0-9_]{1,100}|file:[!-~]{1,500})$"

ChannelId = Annotated[str, StringConstraints(pattern=CHANNEL_ID)]
SecretName = Annotated[str, StringConstraints(pattern=KIND)]
SecretRef = Annotated[
    str,
    Field(
        pattern=REFERENCE,
        description="Where the secret lies, never the secret: `env:INTAKE_SECRET_…`, or `file:` and a path below "
        "`INTAKE_SECRETS_DIR`.",
        examples=["env:INTAKE_SECRET_MAIL"],
    ),
]
TeamId = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")]


class Title(Part):
    """What people call the channel."""

    zh: Line
    en: Line

    def bilingual(self) -> Bilingual:
        return Bilingual(zh=self.zh, en=self.en)


CHANNEL_EXAMPLE: dict[str, Any] = {
    "kind": "api",
    "channel": "social",
    "account": "shop",
    "title": {"zh": "商城官方微博", "en": "The shop on Weibo"},
    "owner_team": "support",
    "co_owner_team": "brand",
}


class ChannelBody(Part):
    """A channel as an administrator states it. `channel` may be left out where the kind has one of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHANNEL_EXAMPLE]})

    kind: Annotated[str, Field(pattern=KIND, description="Which adapter serves it.", examples=["api"])]
    channel: Channel | None = None
    account: Annotated[Identifier, Field(description="The account, number or mailbox that it receives for.")]
    title: Title
    owner_team: Annotated[TeamId, Field(description="In charge of what arrives and can't be understood.")]
    co_owner_team: TeamId | None = None
    enabled: bool = True
    settings: Annotated[Json, Field(default_factory=dict, description="What the kind wants to know.")]
    secrets: Annotated[dict[SecretName, SecretRef], Field(default_factory=dict, max_length=20)]


class ChannelSpec(ChannelBody):
    """A channel as it is kept."""

    channel_id: ChannelId
    channel: Channel


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """A channel with its revision and who made that. The first is 1."""

    spec: ChannelSpec
    revision: int
    changed_at: datetime
    changed_by: Actor


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something arrived of which no envelope can be read. `message_id` is the provider's id, where it is known."""

    why: Bilingual
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file that came along, not kept yet."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Media:
    """A file that lies at the provider for a while, and is asked for by `media_id`. `kind` is image, voice, or what the
    provider calls it."""

    media_id: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What arrived, and its bytes as they came: they are kept whatever becomes of it (A8). `fingerprint` is what it
    says, where the channel has a better one than its envelope's; None where it has not. `media` are its files that are
    still to be fetched."""

    message: IncomingMessage | Unreadable
    raw: bytes
    fingerprint: bytes | None = None
    files: tuple[File, ...] = ()
    media: tuple[Media, ...] = ()
    #: Where the attachment store has `raw`, if it has.
    stored: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """One step of a source: what arrived, and the cursor from which the next step begins.

    `exists` is how many messages the provider says there are between the cursor before and this one; None where it
    tells no number, so that each arrival counts as one. What exists and did not arrive is `unaccounted` for ever, so
    a message that can't be fetched is handed over as `Unreadable`. `waiting` is how many exist behind `cursor` still,
    where that is known.

    Some hundred arrivals at most: they are committed together with the cursor. A source that waits for news hands
    over an empty step now and then, to show that its provider answers.
    """

    arrivals: Sequence[Incoming]
    cursor: Json
    exists: int | None = None
    waiting: int | None = None


class Health(StrEnum):
    """`idle`: nothing was heard of it yet. `disabled`: it is not served."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    IDLE = "idle"
    DISABLED = "disabled"


class KindView(BaseModel):
    """A kind of channel: what its `settings` may be (JSON Schema) and which secrets it needs or takes. `channel` is
    None where the channel says it itself; `fetched` where the provider is asked."""

    model_config = ConfigDict(frozen=True)

    kind: str
    channel: Channel | None
    fetched: bool
    settings: Json
    secrets: tuple[str, ...]
    optional_secrets: tuple[str, ...]


class SourceCount(BaseModel):
    """What came in by one account. `accepted` are the deliveries that were answered with a receipt or a complaint,
    `repeated` those of them that had one before, `direct` those that made a complaint without a receipt (the door of
    complaints, the web form); `exist` is what the providers of fetched channels say there is, `taken` what of it has a
    receipt. `unaccounted` is what differs: accepted without repeated and direct from `receipts`, or direct and the
    receipts that made one from `complaints` (the greater of both); and `exist` from `taken`.
    `calls_without_record` are unaccounted too: they must have a record by now and have none."""

    model_config = ConfigDict(frozen=True)

    channel: str
    account: str
    channel_ids: tuple[str, ...]
    accepted: int
    repeated: int
    receipts: int
    direct: int
    complaints: int
    exist: int | None
    taken: int | None
    calls_without_record: int
    unaccounted: int


class Reconciliation(BaseModel):
    """`unaccounted` must be 0."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    unaccounted: int
    sources: tuple[SourceCount, ...]


class ChannelView(BaseModel):
    """A channel and how it does. `problems` say what keeps it from being served, each with what to do about it;
    `lag_seconds` is for how long the provider was not heard, `waiting` how many messages it has that were not fetched
    yet, `unaccounted` how many it says there are that have no receipt, or no record of a call: must be 0."""

    model_config = ConfigDict(frozen=True)

    channel_id: str
    kind: str
    channel: Channel
    account: str
    title: Bilingual
    owner_team: str
    co_owner_team: str | None
    enabled: bool
    settings: Json
    secrets: dict[str, str]
    revision: int
    changed_at: datetime
    changed_by: Actor
    health: Health
    problems: tuple[str, ...]
    last_message_at: datetime | None
    last_contact_at: datetime | None
    lag_seconds: float | None
    waiting: int | None
    unaccounted: int
