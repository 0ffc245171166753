"""Real histories through the Kafka door into PostgreSQL, disordered and doubled: clocks follow from their facts."""

import random
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from shared.db import Database
from sla_service.usecases import replay, timers
from tests.component.sla.world import World
from tests.support.public_data import sample
from tests.unit.sla.incidents import incidents, story_of

BATCH = 100


async def test_real_histories_leave_the_clocks_that_a_replay_gives_bit_for_bit(
    schema_of: Callable[[str], Awaitable[Database]],
) -> None:
    world = await World(await schema_of("sla"), now="2017-06-01 00:00:00").seeded()
    dice = random.Random(11)
    chosen = sample(incidents(), 60)
    told = 0
    for place in range(0, len(chosen), BATCH):
        events = [event for updates in chosen[place : place + BATCH] for event in story_of(updates).events]
        told += len(events)
        dice.shuffle(events)
        half = len(events) // 2
        for part in (events[:half], events[half:], dice.sample(events, half)):
            await world.hear_together(part)
    while await timers.fire_due(world.deps):
        pass
    verdict = await replay.verify(None, world.deps)
    async with world.database.reading() as tx:
        kept = (
            await tx.execute(text("select count(*), count(*) filter (where breached_at is not null) from clocks"))
        ).one()
    print(
        f"\nincidents on PostgreSQL: {verdict.histories} histories of {told} events, {verdict.clocks} clocks, "
        f"{kept[1]} of them breached; {verdict.differing} differ from their replay"
    )
    assert (verdict.histories, verdict.clocks) == (len(chosen), kept[0])
    assert (verdict.differing, verdict.found) == (0, [])
