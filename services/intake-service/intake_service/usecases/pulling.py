"""Fetching what arrived by channels that must be asked (A8).

Invariants: one process at a time fetches a channel; the cursor moves in the transaction of the receipts of what was
fetched, so whatever kills the process, nothing is lost and nothing doubled; one arrival that can't be kept as it is
goes to quarantine and stops nobody; a channel that was added, changed or disabled is known within seconds.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace

import stamina
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from intake_service.channels import ChannelFault, Fetch
from intake_service.domain.channels import ChannelSpec, KeptChannel, Pulled
from intake_service.groupcommit import RaceLost
from intake_service.store import channels as store
from intake_service.store.reception import is_of_the_data
from intake_service.usecases.arrival import Arrival
from intake_service.usecases.arrivals import Along
from intake_service.usecases.channels import current, open_channel
from intake_service.usecases.deps import Deps
from intake_service.usecases.handing import arrival_of, refused, with_files
from intake_service.usecases.media import FETCHING, with_media
from intake_service.usecases.reception import Outcome
from shared.bus import crash
from shared.telemetry.logs import describe
from shared.web.errors import Problem
from shared.web.idempotency import Answered

log = structlog.get_logger()

#: How long an end in order waits for a channel that does not let go of its provider.
_DRAIN_SECONDS = 10.0
_RACES = 8


class MovedOn(Exception):
    """Somebody else has moved the cursor: what was fetched is theirs."""


class _Again(Exception):
    """The channel failed; its state tells why."""


class _SomeRefused(Exception):
    """An arrival has the id of another message."""


class Puller:
    """Fetches every enabled channel of a kind that is pulled. Any number of processes may run one."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self._tasks: dict[str, tuple[int, asyncio.Task[None]]] = {}

    async def pull_channels(self) -> None:
        """Until it is cancelled; an arrival that is being written then is rolled back and comes again."""
        while True:
            try:
                if any(self._wanted(kept) for kept in (await current(self.deps)).values()):
                    await self._lead()
            finally:
                await self._end(list(self._tasks))
            await self._rest()

    def _wanted(self, kept: KeptChannel) -> bool:
        kind = self.deps.kinds.get(kept.spec.kind)
        return kept.spec.enabled and kind is not None and kind.pull is not None

    async def _rest(self) -> None:
        wake = self.deps.channels.wake
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.deps.settings.channels_refresh_seconds):
                await wake.wait()
        wake.clear()

    async def _lead(self) -> None:
        """While there are channels to be fetched. The seats are held by one connection; they go with it."""
        engine = self.deps.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            try:
                while True:
                    wanted = {id: kept for id, kept in (await current(self.deps)).items() if self._wanted(kept)}
                    if not wanted:
                        return
                    await self._seat(connection, wanted)
                    await self._rest()
            finally:
                await self._end(list(self._tasks))
                await connection.invalidate()

    async def _seat(self, connection: AsyncConnection, wanted: dict[str, KeptChannel]) -> None:
        """Let go of what is not wanted so any more, and take what is free. A seat that was taken stays taken."""
        for channel_id, (revision, task) in list(self._tasks.items()):
            kept = wanted.get(channel_id)
            if kept is None or kept.revision != revision or task.done():
                await self._end([channel_id])
                await store.leave_seat(connection, channel_id)
        await store.alive(connection)
        for channel_id, kept in wanted.items():
            if channel_id not in self._tasks and await store.try_seat(connection, channel_id):
                task = asyncio.create_task(self._serve(kept.spec), name=f"pull {channel_id}")
                self._tasks[channel_id] = (kept.revision, task)

    async def _end(self, channel_ids: Sequence[str]) -> None:
        ended = [self._tasks.pop(channel_id)[1] for channel_id in channel_ids]
        for task in ended:
            task.cancel()
        if ended:
            await asyncio.wait(ended, timeout=_DRAIN_SECONDS)
        for task in ended:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                log.error("channel ended", task=task.get_name(), exception=describe(error))

    async def _serve(self, spec: ChannelSpec) -> None:
        settings = self.deps.settings
        while True:
            async for attempt in stamina.retry_context(
                on=_Again,
                attempts=None,
                timeout=None,
                wait_initial=settings.pull_retry_first_seconds,
                wait_max=settings.pull_retry_most_seconds,
            ):
                with attempt:
                    pause = await self._round(spec)
            await asyncio.sleep(pause)

    async def _round(self, spec: ChannelSpec) -> float:
        """Ask the provider once, or for as long as it tells. How long to wait after that; raises `_Again` where nothing
        was fetched."""
        deps, fetched = self.deps, False
        try:
            opened = open_channel(spec, deps)
            kind = deps.kinds[spec.kind]
            if kind.pull is None:
                raise ChannelFault(f"The kind {spec.kind} is not fetched.")
            async with deps.reading() as tx:
                state = await store.state(tx, spec.channel_id)
            step = state["step"]
            async with AsyncExitStack() as stack:
                fetch = await stack.enter_async_context(kind.files(opened)) if kind.files else None
                steps = await stack.enter_async_context(aclosing(kind.pull(opened, state["cursor"])))  # type: ignore[type-var]
                async for pulled in steps:
                    crash.reached("pull.after_fetch")
                    await take(spec, pulled, step, deps, fetch)
                    crash.reached("pull.after_commit")
                    step, fetched = step + 1, True
            async with deps.session() as tx:
                await store.heard(tx, spec.channel_id, deps.clock.now())
            return float(opened.settings.poll_seconds)
        except Exception as error:
            await self._tell(spec, error)
            if not fetched:
                raise _Again from None
            return deps.settings.pull_retry_first_seconds

    async def _tell(self, spec: ChannelSpec, error: Exception) -> None:
        log.warning("channel failed", channel=spec.channel_id, exception=describe(error))
        with contextlib.suppress(DBAPIError, OSError):
            async with self.deps.session() as tx:
                await store.failed(tx, spec.channel_id, _why(error), self.deps.clock.now())


def _why(error: Exception) -> str:
    """For people. The text of an error that nobody foresaw may hold a secret or a word of a message."""
    if isinstance(error, ChannelFault):
        return str(error)
    if isinstance(error, (OSError, TimeoutError)):
        return f"The provider can't be reached: {type(error).__name__} {error}".strip()
    return f"Unexpected: {type(error).__name__}; the log of intake-service tells more."


async def take(spec: ChannelSpec, pulled: Pulled, step: int, deps: Deps, fetch: Fetch | None = None) -> None:
    """Receipts of what was fetched and the cursor behind it, in one transaction.

    Files are fetched and kept before. Raises `MovedOn`, and what the database raises when it is away: nothing is kept
    then, and files that were are swept as uploads that nobody names.
    """
    complete = await with_media(spec, pulled.arrivals, fetch, FETCHING, deps)
    arrived = [await with_files(spec, incoming, deps) for incoming in complete]
    pulled = replace(pulled, arrivals=arrived)
    arrivals = [arrival_of(spec, incoming, deps) for incoming in arrived]

    async def along(tx: AsyncSession, answers: Sequence[Answered | Problem]) -> None:
        if any(isinstance(answer, Problem) for answer in answers):
            raise _SomeRefused
        moved = await store.advance(
            tx,
            spec.channel_id,
            step,
            cursor=pulled.cursor,
            exist=len(pulled.arrivals) if pulled.exists is None else pulled.exists,
            taken=len(pulled.arrivals),
            waiting=pulled.waiting,
            at=deps.clock.now(),
        )
        if not moved:
            raise MovedOn(spec.channel_id)
        crash.reached("pull.before_commit")

    try:
        await write(arrivals, along, deps)
    except Exception as error:
        if not isinstance(error, _SomeRefused) and not is_of_the_data(error):
            raise
        await write(await _without_the_bad(spec, pulled, arrivals, deps), along, deps)


async def write(arrivals: Sequence[Arrival], along: Along | None, deps: Deps) -> list[Outcome]:
    """Commits the arrivals with what goes `along`, and tries again where another door was first. Raises `RaceLost`."""
    for _ in range(_RACES - 1):
        try:
            return await deps.arrivals.write(arrivals, along)
        except RaceLost:
            continue
    return await deps.arrivals.write(arrivals, along)


async def _without_the_bad(spec: ChannelSpec, pulled: Pulled, arrivals: Sequence[Arrival], deps: Deps) -> list[Arrival]:
    """Each is written alone, and the bad ones are refused. Those that were kept are known when the cursor follows."""
    kept: list[Arrival] = []
    for incoming, arrival in zip(pulled.arrivals, arrivals, strict=True):
        bad: Exception | None = None
        try:
            (outcome,) = await write([arrival], None, deps)
            bad = outcome if isinstance(outcome, Problem) else None
        except Exception as error:
            if not is_of_the_data(error):
                raise
            bad = error
        kept.append(arrival if bad is None else refused(spec, incoming, bad, deps))
    return kept
