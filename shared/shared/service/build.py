"""One service from its parts, and its life: migrated, seeded, on the bus, loops running; and all of it ended again."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from sqlalchemy import MetaData, text

from shared.bus import Bus, BusSettings, Handler, Member
from shared.contracts import Event
from shared.db import Database, Migrations
from shared.service.loops import Loop, Loops
from shared.telemetry import tracing
from shared.telemetry.logs import service_named
from shared.telemetry.metrics import Metrics
from shared.web import idempotency
from shared.web.app import create_app
from shared.web.auth import Authenticator, KeyLookup
from shared.web.health import Finding, Health
from shared.web.keyset import KeySet
from shared.web.settings import ServiceSettings

log = structlog.get_logger()

#: Relay and consumer must have made progress within this many seconds, or have told why they wait.
PROGRESS = 60.0


class CannotStart(Exception):
    """The message says what to do."""


class Service:
    """A service that can be started and stopped, by the ASGI lifespan of its `app` or by whoever mounts it.

    `start` may be called once; to start anew, build anew.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: ServiceSettings,
        database: Database,
        bus: Bus | None,
        member: Member,
        metrics: Metrics,
        health: Health,
        migrations: Migrations,
        seed: Sequence[Callable[[], Awaitable[None]]],
        background: Sequence[Loop],
    ) -> None:
        self.name = name
        self.settings = settings
        self.database = database
        self.metrics = metrics
        self.health = health
        self.deps = member.deps
        self.app: FastAPI
        self._bus = bus
        self._member = member
        self._migrations = migrations
        self._seed = seed
        self._background = background
        self._loops = Loops(name, metrics)
        self._running: AsyncExitStack | None = None
        health.ready_when("started", self._started)
        health.ready_when("database", self._database_answers)
        health.ready_when("background", self._loops.running)
        health.alive_when("background", self._loops.supervised)
        if bus is not None:
            health.ready_when("bus relay", self._relay_works)
            health.ready_when("bus consumer", self._consumer_works)
            health.alive_when("bus", self._bus_lives)

    async def start(self) -> None:
        """Raises `CannotStart`. What was started before the failure is stopped again."""
        if self._running is not None:
            return
        with service_named(self.name):
            async with AsyncExitStack() as begun:
                begun.push_async_callback(self.database.close)
                tracing.start_tracing(self.name, self.settings.otlp_endpoint)
                begun.push_async_callback(asyncio.to_thread, tracing.stop_tracing, self.name)
                await self._migrated()
                for seed in self._seed:
                    await seed()
                if self._bus is not None:
                    await self._bus.attach(self._member)
                    begun.push_async_callback(self._bus.detach, self.name)
                begun.push_async_callback(self._loops.stop)
                for loop in self._background:
                    self._loops.start(loop)
                self._running = begun.pop_all()
            self.health.forget()
            if not self.settings.auth_jwks:
                log.warning("nobody can sign in by token: AUTH_JWKS is not set")
            log.info("service started")

    async def stop(self) -> None:
        """Loops first, then the bus (drained), then the database."""
        if self._running is None:
            return
        running, self._running = self._running, None
        self.health.forget()
        with service_named(self.name):
            await running.aclose()
            log.info("service stopped")

    @property
    def running(self) -> bool:
        return self._running is not None

    async def _migrated(self) -> None:
        try:
            if self.settings.migrate_on_start:
                await self._migrations.upgrade()
                return
            current, head = await self._migrations.current(), self._migrations.script.get_current_head()
        except OSError as error:
            raise CannotStart(
                f"{self.name}: the database cannot be reached ({error}); look at DATABASE_URL."
            ) from error
        if current != head:
            raise CannotStart(
                f"{self.name}: its schema is at migration {current or 'none'}, the code needs {head}. "
                "Run `redress migrate`, or start with MIGRATE_ON_START=1."
            )

    async def _started(self) -> Finding:
        return Finding(ok=self.running, detail="" if self.running else "starting or stopping")

    async def _database_answers(self) -> Finding:
        async with self.database.engine.connect() as connection:
            await connection.execute(text("select 1"))
        return Finding(ok=True)

    async def _relay_works(self) -> Finding:
        if self._bus is None or not self.running:
            return Finding(ok=False, detail="not attached")
        seen = self._bus.health(self.name)
        facts = {"leader": seen.leader, "backlog": seen.backlog, "seconds_since_progress": round(seen.relay_seconds, 1)}
        return Finding(ok=seen.problem is None, detail=seen.problem or "", facts=facts)

    async def _consumer_works(self) -> Finding:
        if self._bus is None or not self.running:
            return Finding(ok=False, detail="not attached")
        seen = self._bus.health(self.name)
        facts = {"seconds_since_progress": round(seen.consumer_seconds, 1)}
        return Finding(ok=seen.stopped is None, detail=seen.stopped or "", facts=facts)

    async def _bus_lives(self) -> Finding:
        if self._bus is None or not self.running:
            return Finding(ok=True, detail="not attached")
        seen = self._bus.health(self.name)
        waits = seen.stopped or seen.problem
        return Finding(ok=seen.alive(PROGRESS) or waits is not None, detail=waits or "")


def open_database(name: str, settings: ServiceSettings) -> Database:
    """The service's database as its settings say; nothing is connected yet."""
    return Database(settings.database_url, name, pool_size=settings.database_pool_size)


def build_service(
    name: str,
    *,
    settings: ServiceSettings,
    database: Database,
    bus: Bus | None,
    deps: Any,
    metadata: MetaData,
    routers: Sequence[APIRouter],
    consumes: Mapping[type[Event], Handler],
    publishes: Sequence[type[Event]],
    title: str = "",
    description: str = "",
    seed: Sequence[Callable[[], Awaitable[None]]] = (),
    background: Sequence[Loop] = (),
    api_keys: KeyLookup | None = None,
    bus_settings: BusSettings | None = None,
    metrics: Metrics | None = None,
    package: str = "",
    body_limits: Mapping[str, int] | None = None,
) -> Service:
    """Put a service together; nothing runs yet.

    `deps` is what use cases get: `request.app.state.deps` at the HTTP door, the third argument at the Kafka door.
    `seed` runs at every start, after the migrations were found at head, and must be idempotent. `background` loops run
    until they are cancelled. With `bus` None nothing is published or consumed: outbox rows stay where they are. The
    migrations are those of `package`, by default `<name>_service`. `body_limits`: see `create_app`.
    """
    metrics = metrics or Metrics()
    health = Health(name)
    member = Member(
        name,
        database,
        consumes=consumes,
        publishes=tuple(publishes),
        deps=deps,
        settings=bus_settings or BusSettings(),
        registry=metrics.registry,
    )
    own: list[Loop] = []
    if idempotency.TABLE in metadata.tables:
        own.append(idempotency.pruning(database, asyncio.sleep))
    service = Service(
        name,
        settings=settings,
        database=database,
        bus=bus,
        member=member,
        metrics=metrics,
        health=health,
        migrations=Migrations(package or f"{name}_service", database),
        seed=seed,
        background=[*background, *own],
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    service.app = create_app(
        name,
        title=title or f"Redress {name}",
        description=description,
        settings=settings,
        authenticator=authenticator(settings, api_keys),
        health=health,
        metrics=metrics,
        routers=routers,
        lifespan=lifespan,
        state={"deps": deps},
        body_limits=body_limits,
    )
    return service


def authenticator(settings: ServiceSettings, api_keys: KeyLookup | None = None) -> Authenticator:
    return Authenticator(
        KeySet(settings.auth_jwks) if settings.auth_jwks else None,
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        roles_claim=settings.auth_roles_claim,
        teams_claim=settings.auth_teams_claim,
        api_keys=api_keys,
    )
