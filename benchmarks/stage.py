"""What benchmarks stand on: a PostgreSQL of their own, services as processes, a load process."""

import asyncio
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.job import Job
from redress.database import Databases
from redress.embedded import postgres
from shared.web.principal import Role
from shared.web.tokens import Signer

#: The load is one caller; the limits are for callers that misbehave.
LIMITS_AWAY = {"INTAKE_RATE_LIMIT_PER_SECOND": "1000000", "INTAKE_RATE_LIMIT_BURST": "1000000"}


@dataclass(frozen=True)
class Stage:
    folder: Path
    databases: Databases
    signer: Signer

    @property
    def token(self) -> str:
        """Of the adapter that posts."""
        return self.signer.token("seat-07", Role.ADAPTER, name="热线坐席 07", seconds=7200)


@contextmanager
def stage() -> Generator[Stage]:
    """An empty PostgreSQL, configured as `redress up` configures it; all of it is removed at the end."""
    with TemporaryDirectory(prefix="redress-bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with postgres(folder / "postgres") as url:
            yield Stage(folder, Databases(url, {}), Signer.generate())


@dataclass(frozen=True)
class Answer:
    """Unix time, seconds, HTTP status, the complaint's id (the body where there is none)."""

    began: float
    seconds: float
    status: int
    told: str


@dataclass(frozen=True)
class Loaded:
    """What the load process saw, and when it measured (Unix time)."""

    began: float
    ended: float
    answers: Sequence[Answer]

    @property
    def made(self) -> list[Answer]:
        """Those answered 201 or 202, the warm-up's too. Raises `RuntimeError` where any other answer came."""
        for answer in self.answers:
            if answer.status not in (201, 202):
                raise RuntimeError(f"The service answered {answer.status}: {answer.told[:400]}")
        return list(self.answers)

    @property
    def measured(self) -> list[Answer]:
        return [a for a in self.made if self.began <= a.began + a.seconds <= self.ended]


async def start_load(job: Job) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.load", json.dumps(asdict(job)))


async def loaded(job: Job, process: asyncio.subprocess.Process | None = None) -> Loaded:
    """Run the job in a process of its own, or wait for the one that was started with it. Raises `RuntimeError`."""
    process = process or await start_load(job)
    if code := await process.wait():
        raise RuntimeError(f"the load process ended with {code}")
    told = json.loads(Path(job.out).read_text())
    return Loaded(told["began"], told["ended"], [Answer(*answer) for answer in told["answers"]])


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")
