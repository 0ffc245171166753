"""Load on intake's doors: HTTP and SMTP, durable before the answer.

Worker processes of intake-service on a PostgreSQL of their own; the load is a process too; all share the machine.
Signed in by JWT as an adapter, rate limits raised. No broker: the outbox rows wait in the outbox and the relay finds
nobody to hand them to (what relay, broker and consumers cost on the same machine is in `first-leg`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import SCALE, Figure
from benchmarks.floor import floor
from benchmarks.job import MAILBOX, Job, What
from benchmarks.stage import LIMITS_AWAY, Answer, Loaded, Stage, loaded, percentile
from redress.demo.kafka import prepare
from redress.fleet import Fleet, free_port
from shared.db import Database

WORKERS = 2
SECONDS = 12 * SCALE
WARM_SECONDS = 3 * SCALE
#: Serials of one round, so that nothing comes twice.
ROUND = 2_000_000

_CHANNELS = f"""\
- channel_id: help
  kind: smtp
  account: {MAILBOX}
  title: {{zh: 客服邮箱, en: Help mail}}
  owner_team: support
  settings: {{addresses: [{MAILBOX}]}}
"""


@dataclass(frozen=True)
class Round:
    connections: int
    per_second: float
    answers: Sequence[Answer]

    def more(self) -> dict[str, float]:
        times = [answer.seconds * 1000 for answer in self.answers]
        return {"p50_ms": percentile(times, 50), "p99_ms": percentile(times, 99)}


def intake(place: Stage, workers: int, **extra: str) -> Fleet:
    """intake-service, not started yet; `extra` is added to its environment."""
    channels = place.folder / "channels.yaml"
    channels.write_text(_CHANNELS)
    environment = {
        **LIMITS_AWAY,
        "WORKERS": str(workers),
        "INTAKE_TOKEN_SECRET": "the secret of a benchmark",
        "INTAKE_BLOBS": (place.folder / "blobs").as_uri(),
        "INTAKE_CHANNELS": str(channels),
        **extra,
    }
    return Fleet(place.folder / "logs", place.databases, "", place.signer.jwks, environment, names=("intake",))


async def compared(
    place: Stage, name: str, connections: Sequence[int], goal: float, what: What, *, of_floor: bool = True
) -> list[Figure]:
    """A figure for each number of connections, with the floor before and after; the goal is of the last one, which is
    measured with one worker as well."""
    await prepare(place.databases)
    alone = (await rounds(place, 1, connections[-1:], 0, what))[0]
    before = await floor(place.databases.admin_url)
    measured = await rounds(place, WORKERS, connections, 1, what)
    after = await floor(place.databases.admin_url)
    figures = []
    for found in measured:
        is_last = found.connections == connections[-1]
        more: dict[str, float | str] = {**found.more(), "workers": WORKERS}
        if is_last:
            more |= {"one_worker": alone.per_second, "floor_before": before, "floor_after": after}
        figures.append(
            Figure(
                name.format(found.connections),
                found.per_second,
                "mails/s" if what == "mails" else "requests/s",
                (before + after) / 2,
                goal if is_last else None,
                "ratio" if of_floor else "value",
                more=more,
            )
        )
    return figures


async def rounds(
    place: Stage, workers: int, connections: Sequence[int], first: int, what: What = "complaints"
) -> list[Round]:
    """One start of intake-service, a round of load for each number of connections. `first` numbers the rounds."""
    smtp_port = free_port()
    fleet = intake(place, workers, INTAKE_SMTP_PORT=str(smtp_port))
    try:
        await fleet.start_all()
        found = []
        for number, count in enumerate(connections, first):
            out = str(place.folder / f"load-{number}.json")
            port = smtp_port if what == "mails" else fleet.ports["intake"]
            serial = number * ROUND
            job = Job(port, place.token, out, count, serial, warm_seconds=WARM_SECONDS, seconds=SECONDS, what=what)
            before = await _stored(place, what)
            seen = await loaded(job)
            _verify(seen, await _stored(place, what) - before)
            per_second = len(seen.measured) / (seen.ended - seen.began)
            found.append(Round(count, per_second, seen.measured))
        return found
    finally:
        await asyncio.to_thread(fleet.stop_all)


def _verify(seen: Loaded, stored_ids: set[str]) -> None:
    answered = {answer.told for answer in seen.made}
    if answered != stored_ids or len(answered) != len(seen.made):
        raise RuntimeError(
            f"{len(seen.made)} answers that say it is kept, of {len(answered)} ids, {len(stored_ids)} are in the "
            "database"
        )


async def _stored(place: Stage, what: What) -> set[str]:
    """The ids of intake's complaints, or of its receipts and only those that made a complaint, read anew."""
    query = "select cast(id as text) from complaints"
    if what != "complaints":
        query = "select cast(id as text) from receipts where status = 'created'"
    database = Database(place.databases.url("intake"), "intake")
    try:
        async with database.engine.connect() as connection:
            rows = await connection.exec_driver_sql(query)
            return {row[0] for row in rows}
    finally:
        await database.close()
