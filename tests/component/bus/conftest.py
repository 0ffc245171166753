from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from shared.bus import Bus
from shared.bus.local import LocalBus
from shared.db import Database, provision
from shared.ids import new_id
from tests.support.bus import NAMES, Contracts, Town, open_databases


@pytest.fixture(scope="session")
async def town_url(admin_url: str) -> str:
    await provision(admin_url, NAMES)
    return admin_url


@pytest.fixture
async def databases(town_url: str) -> AsyncGenerator[dict[str, Database]]:
    async with aclosing(open_databases(town_url)) as opened:
        async for found in opened:
            yield found


@pytest.fixture(params=["local"])
async def town(request: pytest.FixtureRequest, databases: dict[str, Database]) -> AsyncGenerator[Town]:
    contracts = Contracts.on(f"test-{new_id().hex[-10:]}")

    async def new_bus() -> Bus:
        return LocalBus(NAMES[:2])

    made = Town(contracts, databases, new_bus)
    yield made
    for bus in made.buses:
        await bus.close()
