"""The first leg over a real Kafka: received → classified → assigned → clocks running → dossier visible.

Seven processes, broker, PostgreSQL, load and this watcher share the machine. A complaint is through when resolution's
case has classification, assignment and a running clock: then one `GET /v1/cases/{id}` tells all of it. Watched by SQL
every `WATCH_SECONDS`, which is how fine the latencies are.
"""

import asyncio
import time

from rich.console import Console

from benchmarks import cpu
from benchmarks.figures import SCALE, Figure
from benchmarks.floor import floor
from benchmarks.job import Job
from benchmarks.stage import Loaded, Stage, loaded, percentile, start_load
from benchmarks.system import PARTITIONS, fleet_of, stage_with_broker
from redress.fleet import Fleet
from redress.kafka import Broker
from shared.db import Database

COMPLAINTS = round(6000 * SCALE)
WARM_COMPLAINTS = round(1000 * SCALE)
CONNECTIONS = 64
GOAL = 200.0
CALM_SECONDS = 40 * SCALE
WATCH_SECONDS = 0.03
#: Counting all cases is dearer, and a burst lasts for many seconds.
COUNT_SECONDS = 0.25
PATIENCE = 300.0

_THROUGH = "classification_revision > 0 and assignment_revision > 0 and next_due_at is not null"
_COUNT = f"select count(*) from cases where {_THROUGH}"
_NEW = f"select cast(id as text) from cases where {_THROUGH} and received_at > now() - interval"


def run() -> list[Figure]:
    with stage_with_broker() as (place, broker):
        return asyncio.run(_run(place, broker))


async def _run(place: Stage, broker: Broker) -> list[Figure]:
    before = await floor(place.databases.admin_url)
    watching = Database(place.databases.url("resolution"), "resolution", pool_size=2, application_name="watcher")
    try:
        async with fleet_of(place, broker) as fleet:
            await fleet.start_all()
            await _burst(place, fleet, watching, WARM_COMPLAINTS, 0)
            meter = cpu.Meter(fleet, broker.pid or 0, place.folder / "postgres", watching)
            begun = await meter.read()
            rate, accepted = await _burst(place, fleet, watching, COMPLAINTS, 1)
            profile = cpu.per_complaint(begun, await meter.read(), COMPLAINTS)
            half = await _calm(place, fleet, watching, 2, round(rate / 2))
            calm = await _calm(place, fleet, watching, 3, GOAL / 2)
    finally:
        await watching.close()
    ground = (before + await floor(place.databases.admin_url)) / 2
    cpu.show(profile, Console())
    details: dict[str, float | str] = {"accepted_per_s": accepted, "complaints": COMPLAINTS, "partitions": PARTITIONS}
    details |= {f"cpu_ms {name}": value for name, value in profile.items()}
    return [
        Figure("first_leg", rate, "complaints/s", ground, GOAL, more=details),
        _latency("first_leg_p99_ms", calm, GOAL / 2, goal=1000.0),
        _latency("first_leg_half_p99_ms", half, round(rate / 2)),
    ]


def _latency(name: str, seconds: list[float], rate: float, goal: float | None = None) -> Figure:
    ms = [one * 1000 for one in seconds]
    more: dict[str, float | str] = {"p50_ms": percentile(ms, 50), "max_ms": max(ms), "rate": rate}
    return Figure(name, percentile(ms, 99), "ms", goal=goal, better="lower", more=more)


def _job(place: Stage, fleet: Fleet, number: int, count: int, rate: float | None = None) -> Job:
    out = str(place.folder / f"load-{number}.json")
    port = fleet.ports["intake"]
    return Job(port, place.token, out, CONNECTIONS, number * 10_000_000, count=count, rate=rate)


async def _burst(place: Stage, fleet: Fleet, watching: Database, count: int, number: int) -> tuple[float, float]:
    """Post `count` as fast as intake takes them: complaints through per second, first post to last dossier; and
    complaints accepted per second meanwhile."""
    there = await _through(watching)
    job = _job(place, fleet, number, count)
    process = await start_load(job)
    deadline = time.monotonic() + PATIENCE
    while (found := await _through(watching) - there) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {count} complaints came through in {PATIENCE:.0f} s")
        await asyncio.sleep(COUNT_SECONDS)
    ended = time.time()
    seen = await loaded(job, process)
    if len({answer.told for answer in seen.made}) != count:
        raise RuntimeError("two complaints got the same id")
    posted = max(answer.began + answer.seconds for answer in seen.made) - seen.began
    return count / (ended - seen.began), count / posted


async def _through(watching: Database) -> int:
    async with watching.engine.connect() as connection:
        return int((await connection.exec_driver_sql(_COUNT)).scalar_one())


async def _calm(place: Stage, fleet: Fleet, watching: Database, number: int, rate: float) -> list[float]:
    """Seconds from the post to the dossier at `rate` per second, of every complaint."""
    await _quiet(place)
    count = round(rate * CALM_SECONDS)
    job = _job(place, fleet, number, count, rate)
    process = await start_load(job)
    seen_at: dict[str, float] = {}
    known = await _ids(watching, "1 day")
    waiting = asyncio.create_task(loaded(job, process))
    deadline = time.monotonic() + CALM_SECONDS + PATIENCE
    while len(seen_at) < count and time.monotonic() < deadline:
        if waiting.done():
            waiting.result()  # a load that failed ends this here
        # What is late for more than the window is found by the wide look once the load has ended.
        for complaint in await _ids(watching, "1 day" if waiting.done() else "10 seconds") - known:
            seen_at.setdefault(complaint, time.time())
        await asyncio.sleep(WATCH_SECONDS)
    seen: Loaded = await waiting
    if lost := {answer.told for answer in seen.made} - seen_at.keys():
        raise RuntimeError(f"{len(lost)} of {count} complaints did not come through")
    return [seen_at[answer.told] - answer.began for answer in seen.made]


async def _quiet(place: Stage) -> None:
    """Wait until what follows the first leg (messages, receipts, archive) has been worked off too."""
    archive = Database(place.databases.url("insight"), "insight", pool_size=1)
    try:
        before, now = -1, 0
        deadline = time.monotonic() + PATIENCE
        while before != now and time.monotonic() < deadline:
            await asyncio.sleep(3)
            async with archive.engine.connect() as connection:
                before, now = now, int((await connection.exec_driver_sql("select count(*) from inbox")).scalar_one())
    finally:
        await archive.close()


async def _ids(watching: Database, within: str) -> set[str]:
    async with watching.engine.connect() as connection:
        rows = await connection.exec_driver_sql(f"{_NEW} '{within}'")
        return {row[0] for row in rows}
