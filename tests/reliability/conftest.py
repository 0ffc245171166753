from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shared.bus.kafka import TopicPlan, ensure_topics
from shared.db import Database, provision
from shared.ids import new_id
from tests.support.bus import NAMES, Contracts, open_databases
from tests.support.bus_process import Nursery
from tests.support.house import House, open_house
from tests.support.kafka import own_broker


@pytest.fixture(scope="session")
async def town_url(admin_url: str) -> str:
    await provision(admin_url, NAMES)
    return admin_url


@pytest.fixture
async def databases(town_url: str) -> AsyncGenerator[dict[str, Database]]:
    async with aclosing(open_databases(town_url)) as opened:
        async for found in opened:
            yield found


@pytest.fixture
def nursery() -> Generator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def prefix() -> str:
    return f"test-{new_id().hex[-10:]}"


@pytest.fixture
async def topics(kafka_bootstrap: str, prefix: str) -> str:
    """The broker's address, with the topics of `prefix`."""
    contracts = Contracts.on(prefix)
    plans = [
        TopicPlan(contracts.noted.TOPIC, 3),
        TopicPlan(contracts.forgotten.TOPIC, 1, compacted=True),
        *(TopicPlan(f"redress.{name}.dlq", 1) for name in NAMES),
    ]
    await ensure_topics(kafka_bootstrap, plans)
    return kafka_bootstrap


@pytest.fixture(params=["local", pytest.param("kafka", marks=pytest.mark.kafka)])
def bootstrap(request: pytest.FixtureRequest) -> str | None:
    """Either bus: `None` is the local one."""
    return None if request.param == "local" else str(request.getfixturevalue("topics"))


@pytest.fixture(scope="package")
async def house() -> AsyncGenerator[House]:
    """One for all tests: whoever takes it finds all seven services running, and leaves it so."""
    # Not pytest's own folder: under root, another run of pytest would close it to the server's user.
    with TemporaryDirectory(prefix="redress-house-", ignore_cleanup_errors=True) as folder, own_broker() as broker:
        async with open_house(Path(folder), broker) as opened:
            yield opened
