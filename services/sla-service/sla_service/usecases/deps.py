"""What the use cases of sla-service are given."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from sla_service.clocks.policy import Book
from sla_service.settings import Settings
from sla_service.store import attainment, books

#: How long what everybody may read is not counted anew.
FRESH = timedelta(minutes=5)


class Shelf:
    """The book of policies and calendars, read anew when its revision in the database has grown."""

    def __init__(self) -> None:
        self._book: Book | None = None

    async def book(self, tx: AsyncSession) -> Book:
        if self._book is None or await books.revision(tx) != self._book.revision:
            self._book = await books.load_book(tx)
        return self._book


class LastMonth:
    """How the promises of the month before were kept, for everybody who asks: counted anew after five minutes."""

    def __init__(self) -> None:
        self._until: datetime | None = None
        self._counted_at: datetime | None = None
        self._kept: dict[tuple[str, str, str], tuple[int, int]] = {}

    async def kept(
        self, tx: AsyncSession, since: datetime, until: datetime, now: datetime
    ) -> dict[tuple[str, str, str], tuple[int, int]]:
        """(policy, metric, urgency) -> how many clocks were decided, how many of them in time."""
        if self._until != until or self._counted_at is None or now - self._counted_at >= FRESH:
            rows = await attainment.attainment(tx, ("policy", "metric", "urgency"), since, until, now, None)
            self._kept = {(row.policy, row.metric, row.urgency): (row.clocks, row.on_time) for row in rows[:-1]}
            self._until, self._counted_at = until, now
        return self._kept


class Wallboard:
    """Who watches the clocks; `changed` wakes all of them after a commit."""

    def __init__(self) -> None:
        self.open = True
        self._watchers: set[asyncio.Event] = set()

    @contextmanager
    def watched(self) -> Generator[asyncio.Event]:
        """A flag of one's own, set by every change."""
        wake = asyncio.Event()
        self._watchers.add(wake)
        try:
            yield wake
        finally:
            self._watchers.discard(wake)

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def changed(self) -> None:
        for wake in self._watchers:
            wake.set()

    def close(self) -> None:
        self.open = False
        self.changed()


class Alarm:
    """When a job of this process wakes next; `sooner` wakes it where an earlier instant is armed."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.ring = asyncio.Event()

    def listen(self) -> None:
        """From here on every armed instant rings, until `set` says which is known."""
        self.at = None
        self.ring.clear()

    def set(self, at: datetime | None) -> None:
        self.at = at

    def sooner(self, at: datetime | None) -> None:
        if at is not None and (self.at is None or at < self.at):
            self.ring.set()


def mismatch_counter(registry: CollectorRegistry | None) -> Counter:
    """`sla_replay_mismatch_total`."""
    return Counter("sla_replay_mismatch", "Clocks found to differ from the fold of their facts", registry=registry)


def shadow_gauge(registry: CollectorRegistry | None) -> Gauge:
    """`sla_shadow_breaches{shadow,rules}`, rules being ``holding`` or ``draft``."""
    told = "Breaches of the complaints that a shadow counts, by the rules that hold and by its draft"
    return Gauge("sla_shadow_breaches", told, ["shadow", "rules"], registry=registry)


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    shelf: Shelf = field(default_factory=Shelf)
    alarm: Alarm = field(default_factory=Alarm)
    turns: Alarm = field(default_factory=Alarm)
    wallboard: Wallboard = field(default_factory=Wallboard)
    last_month: LastMonth = field(default_factory=LastMonth)
    mismatches: Counter = field(default_factory=partial(mismatch_counter, None))
    shadow_breaches: Gauge = field(default_factory=partial(shadow_gauge, None))

    @property
    def late_at(self) -> datetime:
        """When to look at a clock that is already late."""
        return self.clock.now() + timedelta(seconds=self.settings.late_grace_seconds)
