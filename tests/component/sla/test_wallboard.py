"""The live wallboard over a real server: a snapshot at once, then what changes."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from sse_starlette.sse import AppStatus

from shared.contracts.vocabulary import Metric
from shared.db import Database
from shared.service import Service
from shared.service.run import listen, server_for
from shared.web.auth import Role
from sla_service.api import wallboard as door
from sla_service.main import service
from sla_service.settings import Settings
from sla_service.usecases import Deps, wallboard
from tests.component.sla.world import World
from tests.support.web import AUTH, client_of, signed_in
from tests.unit.sla.history import Story, at, clock

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def _exit_is_forgotten() -> Iterator[None]:
    """The library keeps for the process that its server was told to exit."""
    yield
    AppStatus.should_exit = False


class House:
    """A started service on a port of 127.0.0.1, whose handlers the world's events go to."""

    def __init__(self, world: World, made: Service, server: Any, task: "asyncio.Task[None]", url: str) -> None:
        self.world, self.made, self.server, self.task, self.url = world, made, server, task, url
        self.deps: Deps = world.deps

    @asynccontextmanager
    async def stream(self) -> AsyncGenerator["Reader"]:
        async with (
            httpx.AsyncClient(base_url=self.url, headers=signed_in(Role.AGENT) | STREAM, timeout=20) as client,
            client.stream("GET", "/v1/clocks/near-breach") as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            yield Reader(answer.aiter_lines())

    async def left(self) -> None:
        """Wait until nobody watches."""
        async with asyncio.timeout(10):
            while self.deps.wallboard.watchers:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


class Reader:
    def __init__(self, lines: AsyncIterator[str]) -> None:
        self.lines = lines
        self.comments = 0

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and data; comments are counted."""
        name = ""
        async with asyncio.timeout(10):
            async for line in self.lines:
                self.comments += line.startswith(":")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                if line.startswith("data: "):
                    return name, json.loads(line.removeprefix("data: "))
        raise EOFError

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            async for line in self.lines:
                if line.startswith("data: "):
                    return False
        return True


@pytest.fixture
async def house(schema_of: Callable[[str], Awaitable[Database]]) -> AsyncGenerator[House]:
    world = await World(await schema_of("sla")).seeded()
    made = service(Settings(database_url=world.database.url, migrate_on_start=False, **AUTH), world.clock, None)
    await made.start()
    world.deps = cast(Deps, made.app.state.deps)
    listening = listen("127.0.0.1", 0)
    server = server_for(made.app)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield House(world, made, server, task, f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        await made.stop()
        server.should_exit = True
        await task


async def test_a_watcher_sees_a_snapshot_at_once_and_then_a_clock_that_warns_and_breaches(house: House) -> None:
    story = Story()
    await house.world.hear(story.received())
    first = str(clock(story, Metric.FIRST_RESPONSE).clock_id)
    async with house.stream() as reader:
        name, told = await reader.next()
        assert (name, [one["metric"] for one in told["data"]]) == (
            "snapshot",
            ["first_response", "periodic_update", "resolution"],
        )
        assert (told["data"][0]["remaining"], told["data"][0]["warned_at"]) == ("PT30M", None)
        await house.world.clock.advance_to(at("10:44"))
        name, told = await reader.next()
        assert (name, told["gone"]) == ("changes", [])
        assert [(one["clock_id"], one["warned_at"], one["remaining"]) for one in told["changed"]] == [
            (first, "2024-05-10T02:44:00Z", "PT6M")
        ]
        await house.world.clock.advance_to(at("10:51"))
        assert (await reader.next())[1]["gone"] == [first]
    await house.left()


async def test_a_new_complaint_and_its_answer_come_as_changes(house: House) -> None:
    story = Story()
    async with house.stream() as reader:
        assert (await reader.next())[1]["data"] == []
        await house.world.hear(story.received())
        assert len((await reader.next())[1]["changed"]) == 3
        await house.world.hear(story.wrote("10:20", inbound=False))
        name, told = await reader.next()
        assert (name, told["gone"]) == ("changes", [str(clock(story, Metric.FIRST_RESPONSE).clock_id)])


async def test_a_slow_reader_gets_what_is_so_and_no_backlog(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallboard, "PACE", 0.5)
    stories = [Story(f"story {number}") for number in range(12)]
    async with house.stream() as reader:
        await reader.next()
        for story in stories:
            await house.world.hear(story.received())
        seen: list[int] = []
        while sum(seen) < 36:
            seen.append(len((await reader.next())[1]["changed"]))
    assert sum(seen) == 36
    assert len(seen) <= 4


async def test_a_heartbeat_keeps_a_quiet_stream(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert door.HEARTBEAT == 15
    monkeypatch.setattr(door, "HEARTBEAT", 0.1)
    async with house.stream() as reader:
        await reader.next()
        await asyncio.sleep(0.5)
        await house.world.hear(Story().received())
        await reader.next()
    assert reader.comments >= 2


async def test_streams_end_when_the_service_stops(house: House) -> None:
    async with house.stream() as reader:
        await reader.next()
        await house.made.stop()
        assert await reader.ended()
    await house.left()


@pytest.mark.usefixtures("_exit_is_forgotten")
async def test_a_server_that_is_told_to_exit_does_not_wait_for_its_watchers(house: House) -> None:
    async with house.stream() as reader:
        await reader.next()
        house.server.handle_exit(signal.SIGTERM, None)
        async with asyncio.timeout(5):
            await house.task
    assert house.deps.wallboard.watchers == 0


async def test_the_list_is_told_as_json_to_who_asks_for_no_stream(house: House) -> None:
    await house.world.hear(Story().received())
    async with client_of(house.made.app, Role.AGENT) as client:
        told = (await client.get("/v1/clocks/near-breach", params={"limit": 1})).json()
        assert (await client.get("/v1/clocks/near-breach", params={"limit": 0})).status_code == 422
    assert [one["metric"] for one in told["data"]] == ["first_response"]
    async with client_of(house.made.app) as nobody:
        assert (await nobody.get("/v1/clocks/near-breach", headers=STREAM)).status_code == 401
