"""The port of all carriers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from shared.contracts.vocabulary import Language, Means


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way. `message_id` is the same at every attempt, so that a receiver can drop doubles."""

    message_id: UUID
    means: Means
    address: str = field(repr=False)
    #: Of ours that it goes out by, where its means has several; None for the one that is set.
    account: str | None
    audience: Literal["complainant", "staff"]
    language: Language
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    written_at: datetime
    #: Of a letter to whoever complained.
    complaint_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The next hop took it and said `receipt`."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; worth another attempt."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Never; another attempt would hear the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The conversation that the address stands for takes no answer any more; another means may."""

    reason: str


Result = Sent | Later | Refused | Closed
#: Called once for a letter, at the instant its result is known.
Tell = Callable[[UUID, Result], None]


class Carrier(Protocol):
    async def send(self, letters: Sequence[Letter], tell: Tell) -> None:
        """Send all; `tell` each result as soon as it is known, so that a batch cut short loses none. What was not
        told is tried again."""
        ...
