from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from shared.bus import Bus
from shared.bus.kafka import KafkaBus, KafkaSettings, TopicPlan, ensure_topics
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


@pytest.fixture
async def local_town(databases: dict[str, Database]) -> AsyncGenerator[Town]:
    async def new_bus() -> Bus:
        return LocalBus(NAMES[:2])

    town = Town(Contracts.on(f"test-{new_id().hex[-10:]}"), databases, new_bus)
    yield town
    await town.close()


@pytest.fixture
async def kafka_town(kafka_bootstrap: str, databases: dict[str, Database]) -> AsyncGenerator[Town]:
    prefix = f"test-{new_id().hex[-10:]}"
    settings = KafkaSettings(
        kafka_bootstrap,
        group_prefix=prefix,
        session_seconds=6.0,
        heartbeat_seconds=0.5,
        max_request_bytes=8_000_000,
        broker_check_seconds=0.5,
    )
    contracts = Contracts.on(prefix)
    await ensure_topics(
        kafka_bootstrap,
        [
            TopicPlan(contracts.noted.TOPIC, 4, max_message_bytes=8_000_000),
            TopicPlan(contracts.forgotten.TOPIC, 2, compacted=True),
            *(TopicPlan(f"redress.{name}.dlq", 1) for name in NAMES),
        ],
    )

    async def new_bus() -> Bus:
        return KafkaBus(settings)

    town = Town(contracts, databases, new_bus)
    yield town
    await town.close()


@pytest.fixture(params=["local", pytest.param("kafka", marks=pytest.mark.kafka)])
def town(request: pytest.FixtureRequest) -> Town:
    """The same town on either bus."""
    found: Town = request.getfixturevalue(f"{request.param}_town")
    return found
