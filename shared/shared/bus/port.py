"""The port: what a service gives to a bus, and what it can ask of one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus.faults import Faults
from shared.contracts import BY_TYPE, Event
from shared.db import Database

#: ``async (events, tx, deps) -> None``: one or a hundred events of one contract, never two of one key
#: (unless it `gathers`).
Handler = Callable[[Sequence[Any], AsyncSession, Any], Awaitable[None]]
_GATHERS = "redress_gathers"


_Use = TypeVar("_Use", bound=Callable[..., Awaitable[None]])


def gathers(handler: _Use) -> _Use:
    """For a use case that takes facts as a set: all its events of a batch come in one list, of several contracts and
    several of one key, in the order of each partition and before the events of other use cases."""
    setattr(handler, _GATHERS, True)
    return handler


def is_gathering(handler: Handler) -> bool:
    return getattr(handler, _GATHERS, False)


class Refused(Exception):
    """A rule refuses this event. It becomes a dead letter at once; trying again would not help."""


@dataclass(frozen=True)
class BusSettings:
    """How a member publishes and consumes. Durations in seconds, sizes in bytes."""

    max_event_bytes: int = 1_000_000
    batch: int = 500
    poll_seconds: float = 0.25
    lock_poll_seconds: float = 1.0
    #: Attempts at one event before it becomes a dead letter, and the first pause between them; it doubles.
    attempts: int = 5
    backoff_seconds: float = 0.1
    #: While the database or the broker is away: the pause between tries grows up to this.
    away_seconds: float = 2.0
    #: Dead letters in a row that stop the consumer.
    breaker: int = 20
    #: Lives of a process that an event may cost before it becomes a dead letter.
    lives: int = 3
    inbox_retention: timedelta = timedelta(days=14)
    replay_poll_seconds: float = 1.0
    drain_seconds: float = 20.0


@dataclass(frozen=True)
class Member:
    """One service on the bus."""

    name: str
    database: Database
    consumes: Mapping[type[Event], Handler] = field(default_factory=dict)
    publishes: tuple[type[Event], ...] = ()
    deps: Any = None
    settings: BusSettings = field(default_factory=BusSettings)
    registry: CollectorRegistry | None = None
    #: Every contract there is, by type: what stands on a topic, is known, and is not consumed, is skipped.
    catalogue: Mapping[str, type[Event]] = field(default_factory=lambda: BY_TYPE)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(contract.TOPIC for contract in self.consumes)

    @property
    def dead_letter_topic(self) -> str:
        return f"redress.{self.name}.dlq"


@dataclass(frozen=True)
class BusHealth:
    """Readiness and liveness of one member.

    `relay_seconds` and `consumer_seconds` are the seconds since the last progress: something was delivered or
    handled, or there was nothing to do. `stopped` says why the consumer gave up (the circuit breaker), `problem` what
    it waits for.
    """

    leader: bool
    backlog: int
    relay_seconds: float
    consumer_seconds: float
    stopped: str | None = None
    problem: str | None = None

    @property
    def ready(self) -> bool:
        return self.stopped is None and self.problem is None

    def alive(self, within_seconds: float = 60.0) -> bool:
        """A member that waits for something that is away is alive: to restart it would not help."""
        return self.problem is not None or max(self.relay_seconds, self.consumer_seconds) < within_seconds


class Bus(Protocol):
    """`attach` starts a member's relay and consumer, `detach` drains and stops them; the other members go on."""

    faults: Faults

    async def attach(self, member: Member) -> None: ...

    async def detach(self, name: str) -> None: ...

    def health(self, name: str) -> BusHealth: ...

    async def close(self) -> None:
        """Detach every member."""
        ...


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait; returns at once, with `True`, when `stopping` is set."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True
