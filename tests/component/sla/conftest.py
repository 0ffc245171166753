"""sla-service as most tests want it: the default pack at 10:20, and people at its doors."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx
import pytest

from shared.db import Database
from shared.web.auth import Role
from tests.component.sla.world import World


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    return await World(await schema_of("sla")).seeded()


@pytest.fixture
async def agent(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client(Role.AGENT) as client:
        yield client


@pytest.fixture
async def admin(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client(Role.ADMIN, subject="admin-wu") as client:
        yield client
