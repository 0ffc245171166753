"""The service with its HTTP door open, on an empty schema and a clock that stands still."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from resolution_service import events as doors
from resolution_service.main import service
from resolution_service.settings import Settings
from resolution_service.usecases import Deps
from shared.clock import SimulatedClock
from shared.contracts.envelope import ComplaintFacts, Event
from shared.db import Database
from shared.service import Service
from shared.web.auth import Role
from tests.component.resolution import builders as b
from tests.support.builders import at, facts
from tests.support.web import AUTH, client_of, signed_in


@dataclass
class Desk:
    """An agent's desk: what is heard, and what is ordered."""

    made: Service
    client: httpx.AsyncClient
    clock: SimulatedClock

    @property
    def deps(self) -> Deps:
        deps: Deps = self.made.deps
        return deps

    async def hear(self, *events: Event) -> None:
        for event in events:
            async with self.deps.session() as tx:
                await doors.CONSUMES[type(event)]([event], tx, self.deps)

    async def until(self, hours: float) -> None:
        await self.clock.advance_to(at(hours), settle_seconds=0)

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.AGENT,
        by: str = "agent-li",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        signed = signed_in(role, subject=by, name=by)
        return await self.client.post(path, json=body, headers={**signed, **(headers or {})})

    async def done(self, path: str, body: Any = None, **rest: Any) -> Any:
        """The answer of a command that must succeed."""
        answer = await self.post(path, body, **rest)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def dossier(self, complaint_id: UUID, include: str | None = None) -> Any:
        return await self.get(f"/v1/cases/{complaint_id}", **({"include": include} if include else {}))

    async def state(self, complaint_id: UUID) -> str:
        return str((await self.dossier(complaint_id, "links"))["state"])

    async def move(self, complaint_id: UUID, to: str, **rest: Any) -> Any:
        return await self.done(f"/v1/cases/{complaint_id}/moves", {"to": to, **rest})

    async def in_progress(self) -> ComplaintFacts:
        """A complaint that has come through its first leg and is worked on."""
        of = facts()
        await self.hear(*b.first_leg(of))
        await self.move(of.complaint_id, "in_progress")
        return of

    async def resolve(self, complaint_id: UUID, **changes: Any) -> Any:
        return await self.done(f"/v1/cases/{complaint_id}/resolution", {**RESULT, **changes})


RESULT = {
    "cause": "数据库索引在升级中失效,查询超时",
    "measures": "已重建索引,查询恢复正常",
    "improvement": "升级检查单加入索引校验",
    "compensation": "赠送一个月高级功能",
}


@pytest.fixture
async def desk(schema_of: Callable[[str], Awaitable[Database]]) -> AsyncGenerator[Desk]:
    """The clock stands an hour after the receipt."""
    database = await schema_of("resolution")
    clock = SimulatedClock(at(1))
    made = service(Settings(database_url=database.url, **AUTH), clock, None)
    await made.start()
    async with client_of(made.app, Role.AGENT) as client:
        yield Desk(made, client, clock)
    await made.stop()
