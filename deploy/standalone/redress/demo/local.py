"""`make demo`: all services in this process on a simulated clock, real PostgreSQL, real SMTP, real HTTP."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from redress.app import Standalone, standalone
from redress.database import Databases
from redress.demo import case, ending, twin
from redress.demo.cast import SCRIPT, TWIN_SCRIPT
from redress.demo.telling import Telling
from redress.demo.world import SimulatedTimes, World
from redress.embedded import postgres
from shared.clock import SimulatedClock
from shared.contracts import SERVICES
from shared.db import provision
from shared.service.run import listen, server_for
from shared.telemetry.logs import configure_logging


def run(*, with_twin: bool = False, telling: Telling | None = None) -> bool:
    """Play on a system of its own that is gone afterwards; whether everything was seen."""
    configure_logging("warning", "console")
    with tempfile.TemporaryDirectory(prefix="redress-demo-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with postgres(folder / "postgres") as url:
            return asyncio.run(_play(folder, Databases(url, {}), telling or Telling(), with_twin=with_twin))


async def _play(folder: Path, databases: Databases, telling: Telling, *, with_twin: bool) -> bool:
    clock = SimulatedClock(SCRIPT["earlier"] - timedelta(hours=1))
    async with served(folder, databases, clock) as (system, http):
        urls = {name: f"{system.base_url}/{name}" for name in system.services}
        world = World(http, urls, system.signer, SimulatedTimes(clock, SCRIPT))
        seen = await ending.show(await case.play(world, telling), telling)
        if with_twin:
            second = World(http, urls, system.signer, SimulatedTimes(clock, TWIN_SCRIPT))
            seen = await ending.show(await twin.play(second, telling), telling) and seen
        return seen


@asynccontextmanager
async def served(
    folder: Path, databases: Databases, clock: SimulatedClock
) -> AsyncGenerator[tuple[Standalone, httpx.AsyncClient]]:
    """The standalone system behind a real socket, and a client of it."""
    await provision(databases.admin_url, SERVICES)
    socket = listen("127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    async with standalone(folder, clock, databases=databases, base_url=base_url) as system:
        server = server_for(system.app)
        serving = asyncio.create_task(server.serve([socket]))
        try:
            async with httpx.AsyncClient(timeout=30) as http:
                yield system, http
        finally:
            server.should_exit = True
            await serving
