"""Processes that run the timers of sla-service and nothing else, to be killed."""

import asyncio
import logging
import random
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from shared.clock import SystemClock
from shared.db import Database
from shared.ids import new_id
from sla_service.settings import Settings
from sla_service.usecases import Deps, timers


class TimerProcesses:
    """Forked from a server that has imported everything, so that a death costs a fork."""

    def __init__(self, url: str, batch: int) -> None:
        self._given = (url, batch)
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self.running: list[ForkServerProcess] = []

    def start(self) -> ForkServerProcess:
        process = self._context.Process(target=_live, args=self._given)
        process.start()
        self.running.append(process)
        return process

    def kill(self, process: ForkServerProcess) -> None:
        """SIGKILL. Raises `RuntimeError` where it had ended by itself."""
        self.running.remove(process)
        process.kill()
        process.join(10)
        if process.exitcode != -9:
            raise RuntimeError(f"the timers ended with {process.exitcode}")

    def kill_one(self, chance: random.Random) -> None:
        self.kill(chance.choice(self.running))

    def close(self) -> None:
        for process in list(self.running):
            self.kill(process)


def _live(url: str, batch: int) -> None:
    logging.disable()
    asyncio.run(_run(url, batch))


async def _run(url: str, batch: int) -> None:
    database = Database(url, "sla", application_name="timers")
    settings = Settings(database_url=url, timer_batch=batch)
    await timers.run_timers(Deps(database.session, database.reading, SystemClock(), new_id, settings))
