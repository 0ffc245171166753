"""sla-service on a real database, without bus: events go in at the Kafka door, its outbox tells what comes out."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, text

from shared.clock import SimulatedClock
from shared.contracts import BY_TYPE, Event
from shared.contracts.sla import ClockEvent
from shared.contracts.triage import TeamChangedV1
from shared.db import Database
from shared.ids import derived_id, new_id
from shared.web.auth import Role
from sla_service.clocks.policy import PolicySpec
from sla_service.events import CONSUMES
from sla_service.main import service
from sla_service.settings import Settings
from sla_service.store import tables
from sla_service.usecases import Deps, policies, timers, turns
from tests.support.web import AUTH, client_of
from tests.unit.sla.history import ACTOR, RND, at, person


class World:
    """`now` is Shanghai time of 2024-05-10."""

    def __init__(self, database: Database, now: str = "10:20", **settings: Any) -> None:
        self.database = database
        self.clock = SimulatedClock(at(now))
        self.settings = Settings(database_url=database.url, **settings)
        self.deps = self.replica()

    def replica(self) -> Deps:
        """Another process on the same database."""
        return Deps(self.database.session, self.database.reading, self.clock, new_id, self.settings)

    @asynccontextmanager
    async def client(self, *roles: Role, subject: str = "agent-li") -> AsyncGenerator[httpx.AsyncClient]:
        """Somebody at the HTTP door, signed in where roles are given."""
        made = service(Settings(database_url=self.database.url, **AUTH), self.clock, None)
        try:
            async with client_of(made.app, *roles, subject=subject) as client:
                yield client
        finally:
            await made.database.close()

    async def seeded(self) -> "World":
        await policies.seed_pack(self.deps)
        return self

    async def publish(self, *specs: dict[str, Any]) -> None:
        """Policies that an administrator adds; each holds from now on."""
        async with self.database.session() as tx:
            for spec in specs:
                await policies.publish(tx, PolicySpec.model_validate(spec), None, "…", ACTOR, self.deps)

    async def hear(self, *events: Event) -> None:
        """Each event in a transaction of its own, as they come."""
        for event in events:
            async with self.database.session() as tx:
                await CONSUMES[type(event)]([event], tx, self.deps)

    async def hear_together(self, events: Sequence[Event]) -> None:
        async with self.database.session() as tx:
            await CONSUMES[type(events[0])](events, tx, self.deps)

    async def roster(self) -> None:
        await self.hear(
            TeamChangedV1(
                event_id=derived_id("roster"),
                occurred_at=at("08:00"),
                recorded_at=at("08:00"),
                actor=ACTOR,
                team_id="rnd",
                revision=1,
                name=RND,
                kind="department",
                contact=person("wang"),
                manager=person("zhao"),
                members=(person("wang"), person("sun")),
                executive=person("chen"),
            )
        )

    async def reprice(self) -> None:
        """Bring to running clocks what was published for them and has come."""
        await turns.reprice_due(self.deps)

    async def advance(self, when: str) -> None:
        """Move the clock and let the timers of this process fire what is due then."""
        await self.clock.advance_to(at(when), settle_seconds=0)
        while await timers.fire_due(self.deps):
            pass

    async def told(self) -> list[Event]:
        """Every event in the outbox, in order."""
        async with self.database.reading() as tx:
            rows = (await tx.execute(text("select type, payload from outbox order by id"))).all()
        return [BY_TYPE[row.type].model_validate_json(row.payload) for row in rows]

    async def told_of(self, clock_id: UUID) -> list[str]:
        """What was told of one clock: the middle of each type, in order."""
        events = [event for event in await self.told() if isinstance(event, ClockEvent)]
        return [event.TYPE.split(".")[2] for event in events if event.clock.clock_id == clock_id]

    async def rows(self, *names: str) -> dict[str, list[dict[str, Any]]]:
        """What is kept, without what tells of the order of arrival."""
        found = {}
        async with self.database.reading() as tx:
            for name in names:
                table = tables.metadata.tables[name]
                rows = await tx.execute(select(table).order_by(*table.primary_key.columns))
                found[name] = [_told_by_facts(dict(row._mapping)) for row in rows]
        return found


def _told_by_facts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("revision", "wake_at")}


def instants(events: Iterable[Event]) -> list[tuple[str, datetime, datetime]]:
    return [(event.TYPE.split(".")[2], event.occurred_at, event.recorded_at) for event in events]
