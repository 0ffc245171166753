"""What a kind of channel is: its settings, its secrets, and how its messages are fetched where they must be."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from intake_service.domain.channels import ChannelSpec, Incoming, Json, Media, Pulled
from intake_service.domain.record import Part
from shared.clock import Clock
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel


class ChannelFault(Exception):
    """A channel can't be served just now. Its text is shown to people: what is wrong and what to do, without a secret
    and without a word of a message."""


class NotFetched(Exception):
    """The provider does not give this file, now or later. `why` is shown to people, within the message."""

    def __init__(self, why: Bilingual) -> None:
        super().__init__(why.en)
        self.why = why


class FetchLater(Exception):
    """The provider is away, busy, or was asked too often; wait `seconds` at least."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


#: Of a file that the provider does not know any more.
EXPIRED = Bilingual(zh="已过期或不存在", en="it has expired, or never was")


class NoSettings(Part):
    """A kind that wants to know nothing."""


class PullSettings(Part):
    """What the settings of every kind that fetches have."""

    poll_seconds: Annotated[
        float, Field(ge=1, le=3600, description="How long to wait before asking the provider again.")
    ] = 30.0


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A channel that is being served: its settings checked, its secrets read."""

    spec: ChannelSpec
    settings: Any
    secrets: Mapping[str, str]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it comes in; its bytes are read once."""

    name: str
    media_type: str
    chunks: AsyncIterator[bytes]


#: Opens a file; it is read within the block. Raises `NotFetched`, `FetchLater`, also while it is read.
Fetch = Callable[[Media], AbstractAsyncContextManager[Fetched]]
#: One client for the files of many messages.
Files = Callable[[OpenChannel], AbstractAsyncContextManager[Fetch]]
#: An async generator that fetches what there is from `cursor` on (None: from the beginning), step by step. It may end,
#: and is called again after `poll_seconds`, or wait for news and go on for ever. It raises `ChannelFault` or any other
#: error, and is called again after a while with the cursor of the last step that was committed.
Pull = Callable[[OpenChannel, Json | None], AsyncIterator[Pulled]]
#: Reads an arrival anew from its raw bytes, for a message that is taken out of quarantine after its parser was mended.
Read = Callable[[ChannelSpec, bytes], Incoming]


@dataclass(frozen=True, slots=True)
class Kind:
    """`channel` is None where the channel says it itself. A kind without `pull` is pushed to. The settings of a kind
    with `pull` are a `PullSettings`."""

    name: str
    channel: Channel | None
    settings_model: type[Part] = NoSettings
    secret_names: frozenset[str] = frozenset()
    optional_secrets: frozenset[str] = frozenset()
    pull: Pull | None = None
    read: Read | None = None
    files: Files | None = None
