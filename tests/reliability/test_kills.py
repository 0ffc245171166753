"""Processes are killed at every point where something could be lost or doubled, while complaints come in: nothing is.

`REDRESS_CHAOS_KILLS` (40) says how many die (`make chaos N=200`), `REDRESS_CHAOS_SEED` who, where and at which pass.
"""

import os
import random

import pytest

from shared.bus.crash import POINTS
from tests.support.chaos import Reaper
from tests.support.house import House
from tests.support.poster import complaints_coming_in
from tests.support.reckoning import wrong_with

pytestmark = pytest.mark.kafka

KILLS = int(os.environ.get("REDRESS_CHAOS_KILLS", "40"))
SEED = int(os.environ.get("REDRESS_CHAOS_SEED", "20240510"))


async def test_nothing_is_lost_and_nothing_doubled_however_often_processes_are_killed(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    reaper = Reaper(house, random.Random(SEED))
    try:
        async with complaints_coming_in(house, "chaos-1", "chaos-2") as posters:
            await reaper.reap(KILLS)
    finally:
        with capsys.disabled():
            print(f"\nseed {SEED}\n{reaper.table()}")
    complaints = [each for poster in posters for each in poster.acknowledged.values()]
    repeated, replayed = (sum(getattr(each, of) for each in posters) for of in ("repeated", "replayed"))
    with capsys.disabled():
        print(f"{len(complaints)} complaints; {repeated} posts repeated, {replayed} of them had been received already")
    await house.settled()
    innocent = await house.replay_the_killed()
    with capsys.disabled():
        print(f"{innocent} dead letters of killed processes replayed")
    await house.settled()

    assert await wrong_with(house, complaints) == {}
    assert len(set(complaints)) == len(complaints)
    assert await house.one("select count(*) from intake.complaints where account like 'chaos-%'") == len(complaints)
    assert reaper.deaths.total() >= KILLS
    for point in POINTS:
        assert reaper.at(point) >= KILLS // 8, f"too few died at {point}"
