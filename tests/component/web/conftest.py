"""The sample service on a real PostgreSQL."""

from collections.abc import AsyncGenerator

import pytest
from httpx import AsyncClient

from shared.clock import SystemClock
from shared.db import Database, Migrations, provision
from shared.service import Service
from shared.web.auth import Role
from tests.support.postgres import empty, url_as
from tests.support.sample_service.main import service
from tests.support.sample_service.settings import Settings
from tests.support.sample_service.store import metadata
from tests.support.web import AUTH, client_of


@pytest.fixture(scope="session")
async def sample_url(provisioned: str) -> AsyncGenerator[str]:
    await provision(provisioned, ("sample",))
    url = url_as(provisioned, "sample")
    database = Database(url, "sample")
    await Migrations("tests.support.sample_service", database).upgrade()
    yield url
    await database.close()


@pytest.fixture
async def sample(sample_url: str) -> AsyncGenerator[Service]:
    made = service(Settings(database_url=sample_url, **AUTH), SystemClock(), None)
    await empty(made.database, metadata)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def agent(sample: Service) -> AsyncGenerator[AsyncClient]:
    async with client_of(sample.app, Role.AGENT) as client:
        yield client
