"""SIGKILL at every named point, in real processes: nothing lost, nothing doubled, each key in order.

`REDRESS_CHAOS_KILLS` (12; the seven services die forty times of their own) says how many deaths the broker's round
has, `REDRESS_CHAOS_SEED` at which passes.
"""

import os
import random
from collections import defaultdict
from dataclasses import replace

import pytest
from sqlalchemy import text

from shared.bus.crash import POINTS, parse
from shared.db import Database
from tests.support.bus_process import Life, Nursery

KILLS = int(os.environ.get("REDRESS_CHAOS_KILLS", "12"))
SEED = int(os.environ.get("REDRESS_CHAOS_SEED", "20240510"))
THINGS = 4


async def heard_by(database: Database) -> list[tuple[str, int]]:
    async with database.reading() as session:
        return [(row.thing, row.n) for row in await session.execute(text("select thing, n from heard order by serial"))]


async def left_behind(database: Database) -> dict[str, int]:
    counted = {}
    async with database.reading() as session:
        for table in ("outbox", "inbox_started", "inbox_attempts", "dead_letters"):
            counted[table] = int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608
    return counted


async def die_and_live(
    nursery: Nursery, databases: dict[str, Database], url: str, prefix: str, bootstrap: str | None, kills: int
) -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    for death in range(kills):
        crash_at = f"{POINTS[death % len(POINTS)]}:{chance.randint(1, 4)}"
        life = Life(url, prefix, bootstrap, None, THINGS, crash_at=crash_at, lives=kills)
        assert await nursery.live(life) == -9, f"death {death + 1} at {crash_at} (seed {SEED})"
    assert await nursery.live(Life(url, prefix, bootstrap, 5, THINGS, lives=kills)) == 0

    commits = max(n for _, n in await heard_by(databases["alpha"]))
    assert commits > kills
    found = defaultdict(list)
    for thing, n in await heard_by(databases["beta"]):
        found[thing].append(n)
    whole = list(range(1, commits + 1))
    assert dict(found) == {f"thing {number}": whole for number in range(THINGS)}
    assert await left_behind(databases["beta"]) == {
        "outbox": 0,
        "inbox_started": 0,
        "inbox_attempts": 0,
        "dead_letters": 0,
    }


async def test_processes_killed_on_the_local_bus_lose_and_double_nothing(
    nursery: Nursery, databases: dict[str, Database], town_url: str, prefix: str
) -> None:
    await die_and_live(nursery, databases, town_url, prefix, None, 8)


@pytest.mark.kafka
async def test_processes_killed_on_kafka_lose_and_double_nothing(
    nursery: Nursery, databases: dict[str, Database], town_url: str, prefix: str, topics: str
) -> None:
    await die_and_live(nursery, databases, town_url, prefix, topics, KILLS)


async def test_a_message_that_kills_the_process_is_buried_after_three_lives_and_its_neighbours_live(
    nursery: Nursery, databases: dict[str, Database], town_url: str, prefix: str, bootstrap: str | None
) -> None:
    things, commits = 6, 2
    # Of the two events of "thing 3" the first is buried after three deaths, then the second.
    life = Life(town_url, prefix, bootstrap, commits, things, unheard=commits, killer="thing 3")
    statuses = [await nursery.live(life)]
    while statuses[-1] == -9 and len(statuses) < 10:
        statuses.append(await nursery.live(replace(life, commits=0)))
    assert statuses[-1] == 0
    assert 3 <= statuses.count(-9) <= 6
    heard = await heard_by(databases["beta"])
    neighbours = [f"thing {number}" for number in range(things) if number != 3]
    assert sorted(heard) == sorted((thing, n) for thing in neighbours for n in (1, 2))
    async with databases["beta"].reading() as session:
        dead = (await session.execute(text("select key, reason, error, attempts from dead_letters"))).all()
    assert [(row.key, row.reason, row.attempts) for row in dead] == [("thing 3", "killed-the-process", 3)] * 2
    assert dead[0].error == "begun in 3 lives of the process and never finished"


def test_a_crash_point_that_does_not_exist_is_an_error() -> None:
    assert parse("relay.after_send:3") == ("relay.after_send", 3)
    assert parse("relay.after_send") == ("relay.after_send", 1)
    with pytest.raises(ValueError, match="expected one of commit"):
        parse("relay.somewhere:1")
