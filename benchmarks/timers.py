"""A million armed clocks on a real PostgreSQL, and the real sla-service as a process beside it.

- How long after its due instant a breach stands in the outbox, at 200 due a second.
- How long it takes until 100,000 clocks that are due within one second are all fired: by one process, and by two.
- A SIGKILL in the middle of such a second: every clock is fired once all the same, or the benchmark fails.
- How long a restart takes, and what the process holds in memory.

No broker: the outbox rows wait in the outbox, as in `accept`. Each of these clocks is a first response that nobody
gave, by the default policies: the breach and the first step of its escalation, two events and a kept step.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.armed import ALLOWED, CLOCKS, WARNED, Writer
from benchmarks.figures import SCALE, Figure
from benchmarks.floor import floor
from benchmarks.stage import Stage, percentile, stage
from redress.demo.kafka import prepare
from redress.fleet import Fleet
from shared.contracts.sla import ClockBreachedV1
from shared.contracts.vocabulary import Urgency
from shared.db import Database
from sla_service.usecases import replay

ARMED = round(1_000_000 * SCALE)
BURST = round(100_000 * SCALE)
KILLED = BURST // 4
RATE = 200
SECONDS = max(5, round(30 * SCALE))
#: Distinct complaints from which those of a burst are copied, evenly over its second.
TEMPLATES = 100
WATCH_SECONDS = 0.01
PATIENCE = 300.0
MIB = 1024 * 1024
#: Whether every clock that wakes up to an instant is fired: one look at the index of the timers.
_ALL = "select not exists (select from clocks where wake_at <= $1)"
#: Whether so many of the clocks that were due between two instants are fired.
_SO_MANY = "select count(*) >= $3 from escalations where raised_at between $1 and $2"


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(_run(place))


async def _run(place: Stage) -> list[Figure]:
    await prepare(place.databases)
    before = await floor(place.databases.admin_url)
    bench = _Bench(place)
    try:
        await bench.arm()
        ready = [await bench.restarted() for _ in range(3)]
        resident = bench.resident()
        alone = await bench.burst(BURST)
        two = await bench.burst(BURST, workers=2)
        killed = await bench.burst(KILLED, kill_at=0.3)
        late = await bench.steady()
        await bench.verify()
        peak = bench.resident()
    finally:
        await bench.close()
    ground = (before + await floor(place.databases.admin_url)) / 2
    return [
        Figure(
            "breach_latency_p99_ms",
            percentile(late, 99),
            "ms",
            goal=250.0,
            better="lower",
            more={"p50_ms": percentile(late, 50), "worst_ms": max(late), "due_per_second": RATE, "due": len(late)},
        ),
        Figure(
            "burst_100k_seconds",
            two,
            "s",
            floor=BURST / ground,
            goal=10.0,
            better="lower",
            more={"workers": 2, "one_worker": alone, "clocks": BURST, "killed": killed, "killed_clocks": KILLED},
        ),
        Figure(
            "restart_1m_seconds",
            sorted(ready)[1],
            "s",
            goal=10.0,
            better="lower",
            more={"armed": ARMED, "worst": max(ready), "rss_mib": resident, "rss_mib_after_all": peak},
        ),
    ]


@dataclass
class _Bench:
    place: Stage

    def __post_init__(self) -> None:
        databases, signer = self.place.databases, self.place.signer
        self.database = Database(databases.url("sla"), "sla", pool_size=2)
        self.writer = Writer(self.database)
        self.fleet = Fleet(self.place.folder / "logs", databases, "", signer.jwks, names=("sla",))
        #: Seconds that the rows of one complaint cost to write.
        self.cost = 0.001
        #: Seconds of the slowest start so far.
        self.slowest = 1.0

    async def close(self) -> None:
        await asyncio.to_thread(self.fleet.stop_all)
        await self.database.close()

    async def arm(self) -> None:
        """Clocks that are not due while this lasts; those that will be are added before each burst."""
        await self.writer.prepare()
        began, now = time.monotonic(), datetime.now(UTC)
        complaints = (ARMED - CLOCKS * BURST) // CLOCKS
        templates = await self.writer.hear([now - timedelta(seconds=n) for n in range(200)], Urgency.LOW, now)
        await self.writer.copy(templates, complaints // len(templates))
        self.cost = (time.monotonic() - began) / complaints
        await self._settled()

    async def _settled(self) -> None:
        async with self.database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.exec_driver_sql("truncate outbox")
            await plain.exec_driver_sql("analyze clocks, histories, facts")

    async def _started(self, workers: int = 1) -> float:
        """Seconds until the service is ready."""
        began = time.monotonic()
        self.fleet.start("sla", SLA_WORKERS=str(workers))
        await self.fleet.ready("sla")
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        return took

    def _lead(self, seeding: float) -> float:
        """Seconds from now to the first due instant, for the seeding and a start."""
        return 10 + seeding + 4 * self.slowest

    async def restarted(self) -> float:
        await asyncio.to_thread(self.fleet.stop, "sla")
        return await self._started()

    def resident(self) -> float:
        """MiB of the one process."""
        return float(psutil.Process(self.fleet.process("sla").pid).memory_info().rss / MIB)

    async def burst(self, count: int, *, workers: int = 1, kill_at: float | None = None) -> float:
        """Seconds from the begin of the second in which so many clocks are due to the last breach that is committed.
        `kill_at`: the share of the clocks that are fired when the process is killed. Raises `RuntimeError` where a
        breach is lost or doubled."""
        await asyncio.to_thread(self.fleet.stop, "sla")
        due = datetime.now(UTC) + timedelta(seconds=self._lead(2 * self.cost * count))
        instants = [due + timedelta(seconds=n / TEMPLATES) for n in range(TEMPLATES)]
        await self._arm(instants, count // TEMPLATES)
        await self._started(workers)
        if datetime.now(UTC) >= due:
            raise RuntimeError("the clocks were due before all was ready: this machine is too busy")
        await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
        last = instants[-1] + timedelta(microseconds=1)
        if kill_at is not None:
            await self._until(_SO_MANY, due, last, round(kill_at * count))
            await asyncio.to_thread(self.fleet.kill, "sla")
            await self._started()
        await self._until(_ALL, last)
        took = (datetime.now(UTC) - due).total_seconds()
        await self._reckon(instants, count)
        return took

    async def steady(self) -> list[float]:
        """Milliseconds from each due instant until the breach was seen in the outbox."""
        await asyncio.to_thread(self.fleet.stop, "sla")
        count = RATE * SECONDS
        due = datetime.now(UTC) + timedelta(seconds=self._lead(0.01 * count))
        instants = [due + timedelta(seconds=n / RATE) for n in range(count)]
        await self._arm(instants, 1)
        await self._started()
        found: list[float] = []
        seen, deadline = 0, time.monotonic() + PATIENCE
        query = "select id, type, time from outbox where id > $1 order by id"
        async with self.database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            while len(found) < count and time.monotonic() < deadline:
                rows: Sequence[Any] = (await plain.exec_driver_sql(query, (seen,))).all()
                now = datetime.now(UTC)
                seen = rows[-1].id if rows else seen
                found += [(now - row.time).total_seconds() * 1000 for row in rows if row.type == ClockBreachedV1.TYPE]
                await asyncio.sleep(WATCH_SECONDS / 2)
        await self._reckon(instants, count)
        return found

    async def _arm(self, instants: Sequence[datetime], times: int) -> None:
        """First responses that are due at these instants, so many for each."""
        warned = instants[-1] - WARNED + timedelta(seconds=1)
        templates = await self.writer.hear([at - ALLOWED for at in instants], Urgency.HIGH, warned)
        if times > 1:
            await self.writer.copy(templates, times - 1)
        await self._settled()

    async def _until(self, query: str, *given: object) -> None:
        async with self.database.engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            deadline = time.monotonic() + PATIENCE
            while not (await plain.exec_driver_sql(query, given)).scalar_one():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"not fired after {PATIENCE:.0f} s:\n{self.fleet.last_words('sla')}")
                await asyncio.sleep(WATCH_SECONDS)

    async def _reckon(self, instants: Sequence[datetime], count: int) -> None:
        query = (
            "select count(*) as told, count(distinct event_id) as events, count(distinct key) as complaints, "
            "min(time) as first, max(time) as last from outbox where type = $1"
        )
        async with self.database.engine.connect() as connection:
            row = (await connection.exec_driver_sql(query, (ClockBreachedV1.TYPE,))).one()
        told = (row.told, row.events, row.complaints, row.first, row.last)
        if told != (count, count, count, instants[0], instants[-1]):
            raise RuntimeError(f"{count} clocks were due at {instants[0]} to {instants[-1]}; told was {told}")

    async def verify(self) -> None:
        """A sample of the copies is what the fold of their facts says. Raises `RuntimeError`."""
        async with self.database.reading() as tx:
            query = text("select history_id from histories tablesample system (1) limit 200")
            sample = list((await tx.execute(query)).scalars())
        for complaint in sample:
            verdict = await replay.verify(complaint, self.writer.deps)
            if verdict.differing or verdict.clocks != CLOCKS:
                raise RuntimeError(f"{complaint} is not what its facts say: {verdict}")
