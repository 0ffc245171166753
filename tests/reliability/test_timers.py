"""Timer processes are killed while thousands of clocks are due: every clock is fired, none twice, by whoever lives.

`REDRESS_CHAOS_CLOCKS` (2,400) says how many clocks are due, `REDRESS_CHAOS_SEED` when the processes die.
"""

import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from shared.clock import SimulatedClock
from shared.contracts.sla import ClockBreachedV1, ClockEvent, EscalationRaisedV1
from shared.contracts.vocabulary import Urgency
from shared.db import Database
from sla_service.usecases import replay
from tests.component.sla.world import World
from tests.support.timers_process import TimerProcesses
from tests.unit.sla.history import SHANGHAI, Story

CLOCKS = int(os.environ.get("REDRESS_CHAOS_CLOCKS", "2400"))
SEED = int(os.environ.get("REDRESS_CHAOS_SEED", "20240510"))
#: Clocks of one complaint: first response, resolution, progress; what is told of each when it is long overdue.
OF_ONE = 3
STEPS = {"first_response": 4, "resolution": 4, "periodic_update": 2}
#: How often one of the two processes is killed before they may finish.
DEATHS = 5
BATCH = 50


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    """Complaints of the day before yesterday of which nobody has heard since: every clock is due at once."""
    database = await schema_of("sla")
    await database.engine.dispose()
    world = World(database)
    received = datetime.now(UTC) - timedelta(days=2)
    world.clock = SimulatedClock(received)
    world.deps = world.replica()
    await world.seeded()
    await world.roster()
    when = received.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    stories = [Story(f"story {number}", when, Urgency.HIGH) for number in range(CLOCKS // OF_ONE)]
    for start in range(0, len(stories), 200):
        await world.hear_together([story.received() for story in stories[start : start + 200]])
    async with database.session() as tx:
        await tx.execute(text("truncate outbox"))
    return world


@pytest.fixture
def processes(world: World) -> Generator[TimerProcesses]:
    made = TimerProcesses(world.database.url, BATCH)
    yield made
    made.close()


async def fired(world: World) -> int:
    """Clocks whose breach has been told."""
    async with world.database.reading() as tx:
        return int(await tx.scalar(text("select count(*) from clocks where breached_at is not null")) or 0)


async def until(found: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Ask every few milliseconds. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not await found():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.01)


async def wrong_with(world: World) -> list[str]:
    """What was lost or doubled."""
    wrong: list[str] = []
    told: dict[object, list[ClockEvent]] = defaultdict(list)
    events = [event for event in await world.told() if isinstance(event, ClockEvent)]
    for event in events:
        told[event.clock.clock_id].append(event)
    if len({event.event_id for event in events}) != len(events):
        wrong.append("an event was told twice")
    if len(told) != CLOCKS:
        wrong.append(f"{len(told)} of {CLOCKS} clocks were told of")
    for clock_id, of_one in told.items():
        kinds = [type(event) for event in of_one]
        steps = [event.step for event in of_one if isinstance(event, EscalationRaisedV1)]
        view = of_one[0].clock
        if kinds.count(ClockBreachedV1) != 1 or steps != list(range(1, STEPS[view.metric.value] + 1)):
            wrong.append(f"{clock_id}: {[kind.__name__ for kind in kinds]}, steps {steps}")
        if [event.clock.revision for event in of_one] != [*range(2, 2 + len(of_one))]:
            wrong.append(f"{clock_id}: revisions {[event.clock.revision for event in of_one]}")
        if any(event.occurred_at > event.recorded_at for event in of_one) or any(
            event.occurred_at != view.due_at for event in of_one if isinstance(event, ClockBreachedV1)
        ):
            wrong.append(f"{clock_id}: not dated at its own instants")
    raised = (await world.rows("escalations"))["escalations"]
    if len(raised) != sum(isinstance(event, EscalationRaisedV1) for event in events):
        wrong.append(f"{len(raised)} escalations are kept")
    return wrong


async def test_timer_processes_that_are_killed_over_and_over_lose_nothing_and_double_nothing(
    world: World, processes: TimerProcesses
) -> None:
    chance = random.Random(SEED)
    processes.start()
    processes.start()
    for _ in range(DEATHS):
        before = await fired(world)
        await until(lambda before=before: _more_than(world, before))  # type: ignore[misc]
        await asyncio.sleep(chance.uniform(0, 0.02))
        processes.kill_one(chance)
        processes.start()
    assert await fired(world) < CLOCKS
    await until(lambda: _all_fired(world))
    assert await wrong_with(world) == []
    assert (await replay.verify(None, world.replica())).differing == 0


async def _more_than(world: World, before: int) -> bool:
    return await fired(world) > before


async def test_a_replica_takes_over_the_clocks_of_one_that_is_killed_in_the_middle_of_a_batch(
    world: World, processes: TimerProcesses
) -> None:
    """Its batch is claimed and half written when it dies; all of it goes to the one that lives."""
    async with world.database.engine.connect() as blocker:
        await blocker.exec_driver_sql("lock table escalations in share mode")
        first = processes.start()
        await until(lambda: _stuck(world, 1))
        processes.start()
        await until(lambda: _stuck(world, 2))
        processes.kill(first)
        assert await fired(world) == 0
        await blocker.rollback()
    await until(lambda: _all_fired(world))
    assert await wrong_with(world) == []


async def _stuck(world: World, processes: int) -> bool:
    """Whether so many processes have claimed clocks and cannot go on."""
    query = (
        "select count(distinct pid) from pg_stat_activity "
        "where application_name = 'timers' and wait_event_type = 'Lock'"
    )
    async with world.database.reading() as tx:
        return bool(await tx.scalar(text(query)) == processes)


async def _all_fired(world: World) -> bool:
    return await fired(world) == CLOCKS
