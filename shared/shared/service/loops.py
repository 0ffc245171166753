"""Background loops under supervision: one that crashes is logged, shown in `/readyz`, and started again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from shared.telemetry.logs import describe, said, service_named
from shared.telemetry.metrics import Metrics
from shared.web.health import Finding

log = structlog.get_logger()

Loop = Callable[[], Awaitable[None]]
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
#: A loop that ran this long (seconds) was well: the next crash starts with the first pause again.
WELL_AFTER = 60.0


@dataclass
class _State:
    name: str
    crashes: int = 0
    #: Why it does not run just now.
    down: str = ""
    task: asyncio.Task[None] | None = None


class Loops:
    def __init__(self, service: str, metrics: Metrics, *, first_pause: float = FIRST_PAUSE) -> None:
        self._service = service
        self._metrics = metrics
        self._first_pause = first_pause
        self._states: list[_State] = []

    def start(self, loop: Loop) -> None:
        state = _State(name_of(loop))
        self._states.append(state)
        state.task = asyncio.create_task(self._supervise(loop, state), name=f"{self._service} {state.name}")

    async def stop(self) -> None:
        """Cancel all and wait for them: a unit of work that is open rolls back."""
        tasks = [state.task for state in self._states if state.task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._states.clear()

    async def running(self) -> Finding:
        """For `/readyz`: whether all of them run."""
        down = [f"{state.name}: {state.down}" for state in self._states if state.down]
        crashes = {state.name: state.crashes for state in self._states}
        return Finding(ok=not down, detail="; ".join(down), facts={"crashes": crashes})

    async def supervised(self) -> Finding:
        """For `/livez`: whether somebody still looks after each of them."""
        lost = [state.name for state in self._states if state.task is None or state.task.done()]
        return Finding(ok=not lost, detail=", ".join(lost))

    async def _supervise(self, loop: Loop, state: _State) -> None:
        clock = asyncio.get_running_loop()
        pause = self._first_pause
        with service_named(self._service):
            while True:
                state.down = ""
                began = clock.time()
                try:
                    await loop()
                    reason = "it ended by itself"
                    log.error("background loop ended", loop=state.name)
                except Exception as error:
                    reason = said(error)
                    log.error("background loop crashed", loop=state.name, exception=describe(error))
                if clock.time() - began > WELL_AFTER:
                    pause = self._first_pause
                state.crashes += 1
                state.down = reason
                self._metrics.loop_crashes.labels(state.name).inc()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)


def name_of(loop: Loop) -> str:
    """A partial has the name of its function."""
    inner = getattr(loop, "func", loop)
    return str(getattr(inner, "__name__", type(inner).__name__))
