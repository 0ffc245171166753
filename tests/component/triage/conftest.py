from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from shared.clock import SimulatedClock
from shared.db import Database
from tests.component.triage.town import Town
from tests.support.builders import at
from tests.support.door import SIGNER, door
from triage_service.main import service
from triage_service.settings import Settings


@pytest.fixture
async def town(schema_of: Callable[[str], Awaitable[Database]]) -> AsyncGenerator[Town]:
    """Triage, seeded, its outbox empty."""
    database = await schema_of("triage")
    built = service(Settings(database_url=database.url, auth_jwks=SIGNER.jwks), SimulatedClock(at(0)), None)
    async with door(built) as http:
        made = Town(built, database, http)
        await made.told()
        yield made
