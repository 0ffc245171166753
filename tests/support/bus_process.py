"""Real processes that publish and consume, to be killed: ``python -m tests.support.bus_process`` is a nursery.

It has imported everything and forks a process for every line of JSON on its standard input, so that forty deaths cost
forty forks. It answers each line, when that process has ended, with the process's exit status (-9 for SIGKILL).
"""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import Bus, BusSettings, outbox
from shared.bus.crash import arm
from shared.bus.kafka import KafkaBus, KafkaSettings
from shared.bus.local import LocalBus
from shared.db import Database
from tests.support.bus import Contracts, Thing, Town, happened, heard, write_down
from tests.support.postgres import url_as


@dataclass(frozen=True)
class Life:
    """What one process is to do before it ends in order."""

    admin_url: str
    prefix: str
    #: `None` is the local bus.
    bootstrap: str | None
    #: Commits that `alpha` makes, each with one event of each of `things`; `None`: until the process is killed.
    commits: int | None
    things: int
    #: The process ends when `beta` has heard all that was ever published, but for so many events.
    unheard: int = 0
    crash_at: str | None = None
    #: The thing whose events kill the process that handles them.
    killer: str | None = None
    #: Deaths after which an event is taken for what kills: above the deaths to come where the events are innocent.
    lives: int = 3
    seconds: float = 180.0


class Nursery:
    """The parent's handle: ``status = await nursery.live(life)``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.bus_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def live(self, life: Life) -> int:
        """The exit status of the process: -9 where it was killed, 0 where it ended in order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(life)) + "\n")
        self._process.stdin.flush()
        return int(await asyncio.to_thread(self._process.stdout.readline))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


async def live(life: Life) -> None:
    databases = {name: Database(url_as(life.admin_url, name), name) for name in ("alpha", "beta")}
    settings = BusSettings(
        poll_seconds=0.05, lock_poll_seconds=0.1, backoff_seconds=0.02, away_seconds=0.2, lives=life.lives
    )

    async def new_bus() -> Bus:
        if life.bootstrap is None:
            return LocalBus(databases)
        kafka = KafkaSettings(
            life.bootstrap, group_prefix=life.prefix, session_seconds=1.5, heartbeat_seconds=0.3, commit_seconds=0.1
        )
        return KafkaBus(kafka)

    async def handle(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
        await write_down(events, tx, deps)
        if any(event.thing == life.killer for event in events):
            os.kill(os.getpid(), signal.SIGKILL)

    town = Town(Contracts.on(life.prefix), databases, new_bus, settings)
    async with asyncio.timeout(life.seconds):
        await town.bus(town.member("alpha", None), town.member("beta", handle))
        await publish(town, life)
        published = life.things * await town.count("alpha", "heard")
        await town.hears("beta", published - life.unheard, life.seconds)
        await town.delivered(seconds=life.seconds)
    await town.close()
    for database in databases.values():
        await database.close()


async def publish(town: Town, life: Life) -> None:
    """Go on where the last life was killed: what is committed stands in alpha's own `heard`."""
    done = await town.count("alpha", "heard")
    for n in count(done + 1) if life.commits is None else range(done + 1, done + life.commits + 1):
        events = [happened(town.contracts.noted, f"thing {number}", n) for number in range(life.things)]
        async with town.databases["alpha"].session() as tx:
            await tx.execute(heard.insert(), {"event_id": events[0].event_id, "type": "", "thing": "", "n": n})
            outbox.add(tx, *events)
        await asyncio.sleep(0.01)


def main() -> None:
    logging.disable()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                life = Life(**json.loads(line))
                arm(life.crash_at)
                # The answers are the nursery's to write.
                os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
                asyncio.run(live(life))
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
