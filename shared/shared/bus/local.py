"""The embedded bus: outbox rows handed to the subscribed members of the same process.

The same rows, the same processor, the same inbox and dead letters as on Kafka, durable through PostgreSQL. Invariants:
- A row is deleted when every subscriber has committed it. What each subscriber has is kept in memory for a moment and
  written to the row's `delivered` when another one lags; forgetting it is harmless, its inbox knows.
- Subscribers go side by side. One that is stopped, detached or failing stops nobody else; its rows wait.
- No row is deleted before every expected member has been attached once: only then the subscriptions are known.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.codec import Record
from shared.bus.faults import Faults
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import MAX_EVENT_BYTES
from shared.bus.patience import Stopping
from shared.bus.port import BusHealth, Member
from shared.bus.processor import ConsumerStopped, Processor
from shared.bus.relay import COLUMNS, Relay, Waiting
from shared.bus.seat import Seat

log = structlog.get_logger("bus")

_CLAIM = (
    f"select {COLUMNS}, delivered from outbox where topic = any($1::text[]) and not ($2 = any(delivered)) "  # noqa: S608
    "and not (id = any($3::bigint[])) order by id limit $4"
)
_DELETE = "delete from outbox where id = any($1::bigint[])"
_KEEP = (
    "update outbox set delivered = array(select distinct unnest(delivered || string_to_array(r.names, ','))) "
    "from unnest($1::bigint[], $2::text[]) as r (id, names) where outbox.id = r.id"
)
#: Rows that nobody subscribes to (dead letters among them: their table has them), or that all subscribers have.
_SWEEP = (
    "delete from outbox where not (topic = any($1::text[])) or delivered @> (select string_to_array(r.names, ',') "
    "from unnest($1::text[], $2::text[]) as r (topic, names) where r.topic = outbox.topic)"
)
#: How long a delivery is remembered in memory alone while other subscribers lag, in seconds.
REMEMBERED = 0.5
#: Every writer is in this process and wakes the relay; polling is the safety net.
POLL_SECONDS = 2.0
SWEEP_SECONDS = 1.0


class LocalBus:
    """``LocalBus(SERVICES)``: `expected` names the members that will be attached sooner or later."""

    def __init__(self, expected: Iterable[str] = ()) -> None:
        self.faults = Faults()
        self._expected = frozenset(expected)
        self._seats: dict[str, Seat] = {}
        self._relays: dict[str, _LocalRelay] = {}
        #: Topics by member, kept after a member is detached: its rows wait for it.
        self._subscriptions: dict[str, frozenset[str]] = {}
        self._exclusive = asyncio.Lock()
        self.handled = 0

    async def attach(self, member: Member) -> None:
        if member.name in self._seats:
            raise ValueError(f"{member.name} is attached already")
        member.database.session_info[MAX_EVENT_BYTES] = member.settings.max_event_bytes
        metrics = BusMetrics(member.name, member.registry)
        self._subscriptions[member.name] = member.topics
        processor = Processor(member, self.faults, metrics, self._exclusive)
        relay = _LocalRelay(member, self.faults, metrics, self)
        self._relays[member.name] = relay
        self._seats[member.name] = Seat(member, relay, processor)
        self._tell()

    async def detach(self, name: str) -> None:
        seat = self._seats.pop(name)
        relay = self._relays.pop(name)
        seat.processor.stopping.set()
        await asyncio.gather(*(other.drop(name) for other in (relay, *self._relays.values())))
        await seat.close()

    def health(self, name: str) -> BusHealth:
        return self._seats[name].health()

    async def close(self) -> None:
        for name in list(self._seats):
            await self.detach(name)

    async def settle(self, timeout_seconds: float = 30.0) -> None:
        """Return when no attached member has anything to deliver or at work. Raises `TimeoutError`; what a detached
        member has not got stays, so `settle` is for a bus with all its members."""
        async with asyncio.timeout(timeout_seconds):
            while True:
                before = self.handled
                if not any([await self._has_rows(seat) for seat in list(self._seats.values())]) and (
                    before == self.handled
                ):
                    return
                await asyncio.sleep(0.01)

    async def _has_rows(self, seat: Seat) -> bool:
        async with seat.member.database.engine.connect() as connection:
            return bool(await connection.scalar(text("select exists (select from outbox)")))

    @property
    def complete(self) -> bool:
        """Whether every member that is expected has told its subscriptions."""
        return self._expected <= self._subscriptions.keys()

    def subscribers(self) -> list[Seat]:
        return [seat for seat in self._seats.values() if seat.processor.stopped is None]

    def wanted(self) -> dict[str, set[str]]:
        """Topic → the members who must have got a row before it goes."""
        found: dict[str, set[str]] = {}
        for name, topics in self._subscriptions.items():
            for topic in topics:
                found.setdefault(topic, set()).add(name)
        return found

    def _tell(self) -> None:
        for relay in self._relays.values():
            relay.wake.set()


class _Channel:
    """From one publisher to one subscriber."""

    def __init__(self, relay: "_LocalRelay", seat: Seat) -> None:
        self.seat = seat
        self.wake = asyncio.Event()
        self.task = asyncio.create_task(self._run(relay), name=f"{relay.member.name} to {seat.member.name}")
        self.task.add_done_callback(lambda _: relay.wake.set())

    async def _run(self, relay: "_LocalRelay") -> None:
        processor = self.seat.processor
        try:
            while not (processor.stopping.is_set() or relay.stopping.is_set() or processor.stopped):
                rows = await relay.claim(self.seat.member)
                if not rows:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.wake.wait(), POLL_SECONDS)
                    self.wake.clear()
                    continue
                await relay.faults.reach("relay.before_send", relay.member.name)
                await processor.handle([_record(relay.member.name, row) for row in rows])
                await relay.faults.reach("relay.after_send", relay.member.name)
                relay.acknowledge(self.seat.member.name, rows)
        except (ConsumerStopped, Stopping):
            return

    async def stop(self) -> None:
        """Wait for the batch at hand, then end."""
        self.wake.set()
        await asyncio.wait([self.task], timeout=self.seat.member.settings.drain_seconds)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class _LocalRelay(Relay):
    def __init__(self, member: Member, faults: Faults, metrics: BusMetrics, bus: LocalBus) -> None:
        super().__init__(member, faults, metrics)
        self._bus = bus
        self._channels: dict[str, _Channel] = {}
        self._got: dict[int, _Got] = {}
        self._connection: AsyncConnection | None = None
        self._busy = asyncio.Lock()
        self._swept = 0.0

    async def lead(self, connection: AsyncConnection) -> None:
        self._connection = connection
        try:
            while not self.stopping.is_set():
                self._open_channels()
                for channel in self._channels.values():
                    channel.wake.set()
                await self._settle_rows()
                async with self._busy:
                    await self.measure(connection)
                self.progressed()
                await self._next()
            await asyncio.gather(*(channel.stop() for channel in self._channels.values()))
            await self._settle_rows(last=True)
        finally:
            self._connection = None
            for channel in self._channels.values():
                channel.task.cancel()
            await asyncio.gather(*(c.task for c in self._channels.values()), return_exceptions=True)
            self._channels.clear()
            self._got.clear()

    async def _next(self) -> None:
        if self._got:
            await asyncio.sleep(0.005)
        waiting = 0.05 if self._got else POLL_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), waiting)
        self.wake.clear()

    def _open_channels(self) -> None:
        published = {contract.TOPIC for contract in self.member.publishes}
        for name, channel in list(self._channels.items()):
            if channel.task.done():
                del self._channels[name]
                if (error := channel.task.exception()) is not None:
                    raise error
        for seat in self._bus.subscribers():
            name = seat.member.name
            if name not in self._channels and seat.member.topics and (not published or published & seat.member.topics):
                self._channels[name] = _Channel(self, seat)

    async def drop(self, name: str) -> None:
        """A member leaves: as a subscriber everywhere, as a publisher here."""
        if name == self.member.name:
            self.stop()
        elif (channel := self._channels.pop(name, None)) is not None:
            await channel.stop()

    async def claim(self, subscriber: Member) -> list[Waiting]:
        held = [row for row, got in self._got.items() if subscriber.name in got.names]
        async with self._busy:
            if self._connection is None:
                raise ConnectionError("the relay has lost its connection")
            found = await self._connection.exec_driver_sql(
                _CLAIM, (list(subscriber.topics), subscriber.name, held, self.settings.batch)
            )
            rows = found.all()
        for row in rows:
            got = self._got.get(row.id)
            if got is None:
                if row.delivered:
                    self._got[row.id] = _Got(row.topic, set(row.delivered))
            else:
                got.names.update(row.delivered)
        return [Waiting._make(row[:-1]) for row in rows]

    def acknowledge(self, subscriber: str, rows: list[Waiting]) -> None:
        for row in rows:
            got = self._got.get(row.id)
            if got is None:
                got = self._got[row.id] = _Got(row.topic, set())
            got.names.add(subscriber)
        self._bus.handled += len(rows)
        self.wake.set()

    async def _settle_rows(self, *, last: bool = False) -> None:
        """Delete what all have; write down what some have and others still lack."""
        now, wanted, complete = time.monotonic(), self._bus.wanted(), self._bus.complete
        done = [n for n, got in self._got.items() if complete and got.names >= wanted.get(got.topic, set())]
        gone = set(done)
        late = [n for n, got in self._got.items() if n not in gone and (last or now - got.since > REMEMBERED)]
        async with self._busy:
            assert self._connection is not None
            execute = self._connection.exec_driver_sql
            if done:
                await execute(_DELETE, (done,))
                self.metrics.delivered.inc(len(done))
            if late:
                await execute(_KEEP, (late, [",".join(sorted(self._got[n].names)) for n in late]))
            for n in (*done, *late):
                self._got.pop(n, None)
            if complete and now - self._swept > SWEEP_SECONDS:
                self._swept = now
                await execute(_SWEEP, (list(wanted), [",".join(sorted(names)) for names in wanted.values()]))


class _Got:
    """Who has committed a row, since when we remember."""

    __slots__ = ("names", "since", "topic")

    def __init__(self, topic: str, names: set[str]) -> None:
        self.topic = topic
        self.names = names
        self.since = time.monotonic()


def _record(publisher: str, row: Waiting) -> Record:
    return Record(publisher, row.id, row.topic, None, row.key, dict(row.event_headers()), row.payload)
