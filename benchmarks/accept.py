"""How many complaints intake takes per second: `POST /v1/complaints`, durable before the answer.

Two worker processes of intake-service on a PostgreSQL of their own; the load is a third process; all share the machine.
Signed in by JWT as an adapter, rate limits raised. No broker: the outbox rows wait in the outbox and the relay finds
nobody to hand them to (what relay, broker and consumers cost on the same machine is in `first-leg`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import SCALE, Figure
from benchmarks.floor import floor
from benchmarks.job import Job
from benchmarks.stage import LIMITS_AWAY, Answer, Loaded, Stage, loaded, percentile, stage
from redress.demo.kafka import prepare
from redress.fleet import Fleet
from shared.db import Database

WORKERS = 2
CONNECTIONS = (1, 16, 64)
SECONDS = 12 * SCALE
WARM_SECONDS = 3 * SCALE
#: Serials of one round, so that no complaint comes twice.
ROUND = 2_000_000


@dataclass(frozen=True)
class Round:
    connections: int
    per_second: float
    answers: Sequence[Answer]

    def more(self) -> dict[str, float]:
        times = [answer.seconds * 1000 for answer in self.answers]
        return {"p50_ms": percentile(times, 50), "p99_ms": percentile(times, 99)}


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(_run(place))


async def _run(place: Stage) -> list[Figure]:
    await prepare(place.databases)
    alone = (await rounds(place, 1, (64,), 0))[0]
    before = await floor(place.databases.admin_url)
    measured = await rounds(place, WORKERS, CONNECTIONS, 1)
    after = await floor(place.databases.admin_url)
    ground = (before + after) / 2
    figures = []
    for found in measured:
        more: dict[str, float | str] = {**found.more(), "workers": WORKERS}
        goal = None
        if found.connections == 64:
            goal = 0.30
            more |= {"one_worker": alone.per_second, "floor_before": before, "floor_after": after}
        figures.append(
            Figure(f"accept_c{found.connections}", found.per_second, "requests/s", ground, goal, "ratio", more=more)
        )
    return figures


async def rounds(place: Stage, workers: int, connections: Sequence[int], first: int) -> list[Round]:
    """One start of intake-service, a round of load for each number of connections. `first` numbers the rounds."""
    environment = {**LIMITS_AWAY, "WORKERS": str(workers), "INTAKE_TOKEN_SECRET": "the secret of a benchmark"}
    fleet = Fleet(place.folder / "logs", place.databases, "", place.signer.jwks, environment, names=("intake",))
    try:
        await fleet.start_all()
        found = []
        for number, count in enumerate(connections, first):
            out = str(place.folder / f"load-{number}.json")
            port, serial = fleet.ports["intake"], number * ROUND
            job = Job(port, place.token, out, count, serial, warm_seconds=WARM_SECONDS, seconds=SECONDS)
            before = await stored(place)
            seen = await loaded(job)
            _verify(seen, await stored(place) - before)
            per_second = len(seen.measured) / (seen.ended - seen.began)
            found.append(Round(count, per_second, seen.measured))
        return found
    finally:
        await asyncio.to_thread(fleet.stop_all)


def _verify(seen: Loaded, stored_ids: set[str]) -> None:
    answered = {answer.told for answer in seen.made}
    if answered != stored_ids or len(answered) != len(seen.made):
        raise RuntimeError(
            f"{len(seen.made)} answers of 201 for {len(answered)} complaints, {len(stored_ids)} are in the database"
        )


async def stored(place: Stage) -> set[str]:
    """The ids of intake's complaints, read anew."""
    database = Database(place.databases.url("intake"), "intake")
    try:
        async with database.engine.connect() as connection:
            rows = await connection.exec_driver_sql("select cast(id as text) from complaints")
            return {row[0] for row in rows}
    finally:
        await database.close()
