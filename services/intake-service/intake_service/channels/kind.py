"""What a kind of channel is: its settings, its secrets, and how its messages are fetched where they must be."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from intake_service.domain.channels import ChannelSpec, Incoming, Json, Pulled
from intake_service.domain.record import Part
from shared.clock import Clock
from shared.contracts.vocabulary import Channel


class ChannelFault(Exception):
    """A channel can't be served just now. Its text is shown to people: what is wrong and what to do, without a secret
    and without a word of a message."""


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
