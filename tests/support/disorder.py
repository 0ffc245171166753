"""One service on its real schema, fed with recorded events in any order through the bus's own processor."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple

from sqlalchemy import MetaData, select
from sqlalchemy.ext.asyncio import create_async_engine

from redress.app import build, settings_of
from shared.bus import Member
from shared.bus.faults import Faults
from shared.bus.metrics import BusMetrics
from shared.bus.processor import Processor
from shared.contracts import SERVICES
from shared.db import Database, Migrations, provision
from shared.db.engine import async_url, driver_connection
from shared.db.migrate import role_of
from tests.support.lives import Life, Told
from tests.support.postgres import empty, url_as

#: Tables of the bus and of the HTTP door: they are about deliveries and requests.
PLUMBING = frozenset({"outbox", "inbox", "inbox_started", "inbox_attempts", "idempotency_keys"})
TOLD = "told"

Row = Mapping[str, Any]
#: By table (or `TOLD`: what was published) the rows by their keys.
State = Mapping[str, Mapping[str, Row]]
Act = Callable[["Fed"], Awaitable[None]]
Prepare = Callable[["Fed", Sequence[Life]], Awaitable[None]]


@dataclass
class StandingClock:
    """It shows `at` until somebody sets it; who waits for an instant waits for the wake-up alone."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def wait(self, until: datetime | None, wake: asyncio.Event) -> None:
        await wake.wait()


@dataclass(frozen=True, repr=False)
class Order:
    """Events in the order in which they come, doubles among them, cut into batches. After the batches in `forgotten`
    the inbox is emptied (as if its retention were over), so that doubles reach the use cases; after those in `worked`
    the service does what it does of itself."""

    lives: Sequence[Life]
    batches: Sequence[Sequence[Told]]
    forgotten: frozenset[int] = frozenset()
    worked: frozenset[int] = frozenset()

    @classmethod
    def natural(cls, lives: Sequence[Life], told: Sequence[Told]) -> "Order":
        return cls(lives, [told])

    def __repr__(self) -> str:
        lines = []
        for number, batch in enumerate(self.batches):
            lines.append(" ".join(map(repr, batch)))
            lines += ["(inbox emptied)"] * (number in self.forgotten) + ["(worked)"] * (number in self.worked)
        return "\n  ".join(["Order:", *lines])


class Spec(NamedTuple):
    """How one service is looked at. `columns` (by table) legitimately tell how things arrived; `decisions` are the
    contracts of which it must have told the same; `reference` tables are filled by `seed` and never change."""

    name: str
    columns: Mapping[str, frozenset[str]] = {}
    decisions: frozenset[str] = frozenset()
    reference: frozenset[str] = frozenset()
    #: What to do to the other tables before every order.
    reset: str = ""
    #: Tables with columns that `reset` sets.
    kept: frozenset[str] = frozenset()
    deps: Mapping[str, Any] = {}
    seed: Act | None = None
    #: What people have done with these complaints at the service's own door.
    prepare: Prepare | None = None
    #: What the service does of itself: timers, deliveries.
    work: Act | None = None


class Fed:
    """The service of `spec` without its doors and loops."""

    def __init__(self, spec: Spec, url: str, ended_at: datetime) -> None:
        self.spec = spec
        self.clock = StandingClock(ended_at)
        self.ended_at = ended_at
        given = {
            "database_url": url,
            "kafka_bootstrap_servers": None,
            **({"smtp_host": None} if spec.name == "notify" else {}),
        }
        service = build(spec.name, settings_of(spec.name, given, None), self.clock, None)
        events = import_module(f"{spec.name}_service.events")
        self.database: Database = service.database
        self.metadata: MetaData = import_module(f"{spec.name}_service.store").metadata
        self.deps = service.deps
        for name, value in spec.deps.items():
            object.__setattr__(self.deps, name, value)
        self.consumes = frozenset(contract.TYPE for contract in events.CONSUMES)
        member = Member(spec.name, self.database, consumes=events.CONSUMES, publishes=events.PUBLISHES, deps=self.deps)
        self._processor = Processor(member, Faults(), BusMetrics(spec.name, None), asyncio.Lock())
        self.tables = [table for table in self.metadata.sorted_tables if table.name not in spec.reference]
        names = [table.name for table in reversed(self.tables) if table.name not in spec.kept]
        self._emptying = ";".join([*(f"delete from {name}" for name in names), spec.reset])  # noqa: S608

    async def end_of(self, order: Order) -> State:
        """The end state of an order that meets empty tables."""
        self.clock.at = self.ended_at
        await self.run(self._emptying)
        if self.spec.prepare:
            await self.spec.prepare(self, order.lives)
        for number, batch in enumerate(order.batches):
            await self.hear(batch)
            if number in order.forgotten:
                await self.run("delete from inbox")
            if number in order.worked and self.spec.work:
                await self.spec.work(self)
        if self.spec.work:
            await self.spec.work(self)
            self.clock.at += timedelta(hours=1)
            await self.spec.work(self)
        return await self.state()

    async def hear(self, batch: Sequence[Told]) -> None:
        await self._processor.handle([event.record for event in batch])

    async def run(self, script: str) -> None:
        """Statements without arguments, in one round trip."""
        async with self.database.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            await driver_connection(raw).execute(script)

    async def state(self) -> State:
        state: dict[str, dict[str, Row]] = {}
        async with self.database.reading() as tx:
            for table in self.tables:
                if table.name in PLUMBING:
                    continue
                left_out = self.spec.columns.get(table.name, frozenset())
                wanted = [column for column in table.columns if column.name not in left_out]
                keys = [column.name for column in table.primary_key]
                rows = await tx.execute(select(*wanted))
                state[table.name] = {" ".join(str(row[key]) for key in keys): dict(row) for row in rows.mappings()}
            outbox = self.metadata.tables["outbox"]
            told = await tx.execute(select(outbox.c.type, outbox.c.event_id, outbox.c.payload))
            state[TOLD] = {
                f"{row.type} {row.event_id}": _without_person(json.loads(row.payload))
                for row in told
                if row.type in self.spec.decisions
            }
        return state


def _without_person(decision: dict[str, Any]) -> Row:
    """What was told before an erasure shows who it was, what is told after it does not."""
    decision["facts"] |= {"customer": None, "organisation": None}
    return decision


def differences(natural: State, other: State) -> str:
    """Column by column how `other` differs from the end state of the natural order; empty where it does not."""
    lines = []
    for name, rows in natural.items():
        for key in sorted(rows.keys() | other[name].keys()):
            here, there = rows.get(key), other[name].get(key)
            if here is None or there is None:
                lines.append(f"{name} {key}: " + ("is too much" if here is None else f"is missing: {here}"))
                continue
            lines += [
                f"{name} {key}: {column} is {there[column]!r} instead of {here[column]!r}"
                for column in here
                if there[column] != here[column]
            ]
    return "\n".join(lines)


@asynccontextmanager
async def fed(spec: Spec, admin_url: str, ended_at: datetime) -> AsyncGenerator[Fed]:
    """The service on an empty, migrated, seeded schema. Its role does not wait for the disk: nothing crashes here."""
    await provision(admin_url, SERVICES)
    await _alter(admin_url, f"alter role {role_of(spec.name)} set synchronous_commit = off")
    made = Fed(spec, url_as(admin_url, spec.name), ended_at)
    try:
        await Migrations(f"{spec.name}_service", made.database).upgrade()
        await empty(made.database, made.metadata)
        if spec.seed:
            await spec.seed(made)
        yield made
        await empty(made.database, made.metadata)
    finally:
        await made.database.close()
        await _alter(admin_url, f"alter role {role_of(spec.name)} reset synchronous_commit")


async def _alter(admin_url: str, statement: str) -> None:
    engine = create_async_engine(async_url(admin_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.exec_driver_sql(statement)
    await engine.dispose()
