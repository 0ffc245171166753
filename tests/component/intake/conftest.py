"""Intake as callers meet it: its application on a real PostgreSQL, without a bus, so that the outbox can be read."""

import copy
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from intake_service.domain.record import COMPLAINT_EXAMPLE
from intake_service.main import service
from intake_service.settings import Settings
from shared.clock import SimulatedClock
from shared.db import Database
from shared.service import Service
from shared.telemetry.logs import configure_logging
from shared.web.auth import Role
from tests.component.intake.chatting import SITE, Chat, chatting
from tests.support.web import AUTH, client_of

#: 2024-05-10 10:21 in Shanghai, a minute after the example complaint was received.
NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
SECRET = "a secret of the tests"
REPLY_SECRET = "a secret of reply addresses"


@dataclass
class Intake:
    """`services` are processes of one installation; the first is meant where nothing else is said."""

    database: Database
    services: list[Service]
    clock: SimulatedClock
    clients: AsyncExitStack
    _known: dict[Any, httpx.AsyncClient] = field(default_factory=dict)

    async def client(self, *roles: Role, process: int = 0, subject: str = "agent-li") -> httpx.AsyncClient:
        known = (roles, process, subject)
        if known not in self._known:
            opened = client_of(self.services[process].app, *roles, subject=subject)
            self._known[known] = await self.clients.enter_async_context(opened)
        return self._known[known]

    async def post(
        self, path: str, body: Any, role: Role = Role.AGENT, process: int = 0, **rest: Any
    ) -> httpx.Response:
        return await (await self.client(role, process=process)).post(path, json=body, **rest)

    async def get(self, path: str, role: Role = Role.AGENT) -> httpx.Response:
        return await (await self.client(role)).get(path)

    async def receive(self, **changes: Any) -> dict[str, Any]:
        answer = await self.post("/v1/complaints", complaint(**changes))
        assert answer.status_code == 201, answer.text
        received: dict[str, Any] = answer.json()
        return received

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.reading() as session:
            return list((await session.execute(text(query), values)).all())

    async def one(self, query: str, **values: Any) -> Any:
        (row,) = await self.rows(query, **values)
        return row[0]

    async def run(self, *statements: str) -> None:
        async with self.database.session() as session:
            for statement in statements:
                await session.execute(text(statement))

    async def outbox(self, topic: str = "redress.intake") -> list[tuple[str, dict[str, Any] | None]]:
        """(type, payload) of the events on `topic`, in order."""
        found = await self.rows("select type, payload from outbox where topic = :topic order by id", topic=topic)
        return [(kind, None if payload is None else json.loads(payload)) for kind, payload in found]


def complaint(**changes: Any) -> dict[str, Any]:
    """The example complaint with parts replaced; a name with `__` reaches into a part, None takes it out."""
    body = copy.deepcopy(COMPLAINT_EXAMPLE)
    for name, value in changes.items():
        part, last = body, name
        if "__" in name:
            first, last = name.split("__", 1)
            part = body[first]
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return body


@pytest.fixture(scope="package", autouse=True)
def plain_logs() -> None:
    """As in production; structlog's own renderer of errors takes seconds."""
    configure_logging("error", "json")


@pytest.fixture
async def intake(schema_of, tmp_path) -> AsyncGenerator[Intake]:
    database = await schema_of("intake")
    clock = SimulatedClock(NOW)
    settings = Settings(
        database_url=database.url,
        token_secret=SECRET,
        reply_secret=REPLY_SECRET,
        number_block=3,
        blobs=tmp_path.as_uri(),
        **AUTH,
    )
    services = [service(settings, clock, None) for _ in range(2)]
    async with AsyncExitStack() as clients:
        yield Intake(database, services, clock, clients)
    for each in services:
        await each.database.close()


@pytest.fixture
async def chat(intake, monkeypatch, request) -> AsyncGenerator[Chat]:
    """With the settings that the test names indirectly."""
    monkeypatch.setenv("INTAKE_SECRET_SITE", SITE)
    async with chatting(intake, **getattr(request, "param", {})) as made:
        yield made
