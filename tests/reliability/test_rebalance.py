"""Consumers that join and leave under load: every event once, the events of a key in order."""

import asyncio
from collections import defaultdict

import pytest

from shared.bus import Bus
from shared.bus.kafka import KafkaBus, KafkaSettings
from shared.db import Database
from tests.support.bus import Contracts, Town, happened

COMMITS, THINGS = 150, 12


@pytest.mark.kafka
async def test_members_that_join_and_leave_under_load_lose_double_and_disorder_nothing(
    databases: dict[str, Database], prefix: str, topics: str
) -> None:
    settings = KafkaSettings(topics, group_prefix=prefix, session_seconds=2.0, commit_seconds=0.05)

    async def new_bus() -> Bus:
        return KafkaBus(settings)

    town = Town(Contracts.on(prefix), databases, new_bus)

    async def publish() -> None:
        for n in range(1, COMMITS + 1):
            await town.publish(*[happened(town.contracts.noted, f"thing {number}", n) for number in range(THINGS)])
            await asyncio.sleep(0.02)

    try:
        first = await town.bus(town.member("alpha", None), town.member("beta"))
        publishing = asyncio.create_task(publish())
        await town.hears("beta", THINGS)
        second = await town.bus(town.member("beta"))
        await asyncio.sleep(0.8)
        third = await town.bus(town.member("beta"))
        await asyncio.sleep(0.8)
        await second.detach("beta")
        await asyncio.sleep(0.4)
        await first.detach("beta")
        await publishing
        heard = await town.hears("beta", COMMITS * THINGS, seconds=60)
        await third.detach("beta")
    finally:
        await town.close()
    found = defaultdict(list)
    for thing, n in heard:
        found[thing].append(n)
    assert dict(found) == {f"thing {number}": list(range(1, COMMITS + 1)) for number in range(THINGS)}
    assert await town.count("beta", "dead_letters") == 0
