"""Fixtures that all suites share. One PostgreSQL for the run; each test starts with the empty schemas it asks for."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from importlib import import_module
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from shared.contracts import SERVICES
from shared.db import Database, Migrations, provision
from tests.support.kafka import kafka_broker
from tests.support.postgres import empty, postgres_server, url_as

#: How fast a machine makes examples says nothing of the code.
settings.register_profile("redress", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("redress")


@pytest.fixture(scope="session", autouse=True)
def _loggers_that_can_be_captured() -> Generator[None]:
    """structlog's cache would keep what one test configured for every test after it."""
    configure = structlog.configure

    def uncached(**given: Any) -> None:
        configure(**{**given, "cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", uncached)
        yield


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Generator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def admin_url() -> Generator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
async def provisioned(admin_url: str) -> str:
    await provision(admin_url, SERVICES)
    return admin_url


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Generator[str]:
    """The address of a real broker, one for the run: use names of topics and groups that are the test's own."""
    with kafka_broker() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def migrated() -> set[str]:
    """The services whose schemas are at head."""
    return set()


@pytest.fixture
async def schema_of(provisioned: str, migrated: set[str]) -> AsyncGenerator[Callable[[str], Awaitable[Database]]]:
    """``await schema_of("triage")``: triage's database, migrated and empty."""
    opened: list[Database] = []

    async def open_schema(service: str) -> Database:
        database = Database(url_as(provisioned, service), service)
        opened.append(database)
        if service not in migrated:
            await Migrations(f"{service}_service", database).upgrade()
            migrated.add(service)
        await empty(database, import_module(f"{service}_service.store").metadata)
        return database

    yield open_schema
    for database in opened:
        await database.close()
