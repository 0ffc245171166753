"""Whole complaints through the running system: the users' case and its unhappy twin, on both buses."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from redress.database import Databases
from redress.demo import case, ending, kafka, local, twin
from redress.demo.cast import SCRIPT, SECONDS, TWIN_SCRIPT, TWIN_SECONDS
from redress.demo.stage import Stage
from redress.demo.telling import Telling
from redress.demo.world import RealTimes, SimulatedTimes, World
from redress.embedded import postgres
from shared.clock import SimulatedClock
from shared.web.tokens import Signer

Play = Callable[[World, Telling], Awaitable[Stage]]


def telling() -> Telling:
    return Telling(Console(width=200, no_color=True))


def unseen(stage: Stage) -> list[tuple[str, str]]:
    return [(what, read) for what, holds, read in stage.checks if not holds]


@pytest.fixture
def folder() -> Generator[Path]:
    """Not pytest's own: that one is shut to others, and under root the database's user is another."""
    with tempfile.TemporaryDirectory(prefix="redress-system-", ignore_cleanup_errors=True) as place:
        yield Path(place)


@pytest.mark.parametrize(("play", "script", "least"), [(case.play, SCRIPT, 24), (twin.play, TWIN_SCRIPT, 23)])
def test_the_case_goes_round_in_one_process_on_the_local_bus(
    folder: Path, play: Play, script: Mapping[str, datetime], least: int
) -> None:
    async def run(url: str) -> Stage:
        clock = SimulatedClock(min(script.values()))
        async with local.served(folder, Databases(url, {}), clock) as (system, http):
            urls = {name: f"{system.base_url}/{name}" for name in system.services}
            stage = await play(World(http, urls, system.signer, SimulatedTimes(clock, script)), telling())
            await ending.show(stage, stage.telling)
            return stage

    with postgres(folder / "postgres") as url:
        stage = asyncio.run(run(url))
    assert unseen(stage) == []
    assert len(stage.checks) >= least


@pytest.mark.kafka
def test_the_case_and_its_twin_go_round_seven_processes_over_kafka(folder: Path, kafka_bootstrap: str) -> None:
    async def run(url: str) -> list[Stage]:
        signer = Signer.generate()
        async with (
            kafka.distributed(folder, Databases(url, {}), kafka_bootstrap, signer) as fleet,
            httpx.AsyncClient(timeout=30) as http,
        ):
            stages = []
            for play, seconds in ((case.play, SECONDS), (twin.play, TWIN_SECONDS)):
                stages.append(await play(World(http, fleet.urls, signer, RealTimes(seconds)), telling()))
            return stages

    with postgres(folder / "postgres") as url:
        first, second = asyncio.run(run(url))
    assert unseen(first) == []
    assert unseen(second) == []
