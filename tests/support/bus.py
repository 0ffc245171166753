"""A small town of test services on a bus: `alpha` publishes, `beta` and `gamma` write down what they hear, in order."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import Bus, BusSettings, Handler, Member, bus_tables, outbox
from shared.bus.outbox import Row
from shared.contracts import Event
from shared.contracts.envelope import Actor, ActorKind
from shared.db import Database
from shared.ids import new_id
from tests.support.postgres import empty, url_as

NAMES = ("alpha", "beta", "gamma")
metadata = MetaData()
bus_tables(metadata)
heard = Table(
    "heard",
    metadata,
    Column("serial", BigInteger, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("n", Integer, nullable=False),
)

AT = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)
SOMEBODY = Actor(kind=ActorKind.SYSTEM, id="tests")
#: Back-offs short enough for tests.
QUICK = BusSettings(
    poll_seconds=0.05,
    lock_poll_seconds=0.05,
    backoff_seconds=0.01,
    away_seconds=0.1,
    attempts=3,
    replay_poll_seconds=0.05,
    drain_seconds=5.0,
)


class Thing(Event):
    """Something happened to a thing, for the n-th time."""

    thing: str
    n: int
    text: str = ""

    @property
    def key(self) -> str:
        return self.thing


@dataclass(frozen=True)
class Contracts:
    """Contracts of one test: on a shared broker every test has its own topics."""

    noted: type[Thing]
    renamed: type[Thing]
    forgotten: type[Thing]

    @classmethod
    def on(cls, prefix: str) -> "Contracts":
        class Noted(Thing):
            TYPE: ClassVar[str] = "test.thing.noted.v1"
            TOPIC: ClassVar[str] = f"{prefix}.things"

        class Renamed(Thing):
            TYPE: ClassVar[str] = "test.thing.renamed.v1"
            TOPIC: ClassVar[str] = f"{prefix}.things"

        class Forgotten(Thing):
            TYPE: ClassVar[str] = "test.thing.forgotten.v1"
            TOPIC: ClassVar[str] = f"{prefix}.compacted"
            TOMBSTONE: ClassVar[bool] = True

        return cls(Noted, Renamed, Forgotten)

    @property
    def all(self) -> tuple[type[Thing], ...]:
        return (self.noted, self.renamed, self.forgotten)

    @property
    def catalogue(self) -> dict[str, type[Event]]:
        return {contract.TYPE: contract for contract in self.all}


def happened(contract: type[Thing], thing: str, n: int = 1, **more: Any) -> Thing:
    return contract(event_id=new_id(), occurred_at=AT, recorded_at=AT, actor=SOMEBODY, thing=thing, n=n, **more)


async def write_down(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
    assert len({event.key for event in events}) == len(events), "two events of one key in one list"
    await tx.execute(
        heard.insert(),
        [{"event_id": e.event_id, "type": e.TYPE, "thing": e.thing, "n": e.n} for e in events],
    )


@dataclass
class Town:
    """The test services' databases, and the bus that the test is about."""

    contracts: Contracts
    databases: dict[str, Database]
    #: Another bus on the same broker and databases: another process, as far as the bus can tell.
    new_bus: Callable[[], Awaitable[Bus]]
    settings: BusSettings = QUICK
    buses: list[Bus] = field(default_factory=list)

    def member(
        self,
        name: str,
        handler: Handler | None = write_down,
        *,
        settings: BusSettings | None = None,
        contracts: Sequence[type[Thing]] | None = None,
        deps: Any = None,
    ) -> Member:
        return Member(
            name=name,
            database=self.databases[name],
            consumes={} if handler is None else dict.fromkeys(contracts or self.contracts.all, handler),
            publishes=self.contracts.all if name == "alpha" else (),
            settings=settings or self.settings,
            catalogue=self.contracts.catalogue,
            deps=deps,
        )

    async def bus(self, *members: Member) -> Bus:
        bus = await self.new_bus()
        self.buses.append(bus)
        for member in members:
            await bus.attach(member)
        return bus

    async def close(self) -> None:
        for bus in self.buses:
            await bus.close()

    async def publish(self, *events: Thing, by: str = "alpha") -> None:
        async with self.databases[by].session() as tx:
            outbox.add(tx, *events)

    async def publish_raw(
        self, *, key: str = "k", type: str = "test.thing.noted.v1", value: bytes | None, id: UUID | None = None
    ) -> None:
        """A record that no contract would make."""
        row = Row(self.contracts.noted.TOPIC, key, type, id or new_id(), "/redress/alpha", AT, None, None, value)
        async with self.databases["alpha"].session() as tx:
            outbox.add_rows(tx, [row])

    async def heard(self, name: str) -> list[tuple[str, int]]:
        async with self.databases[name].reading() as session:
            rows = await session.execute(text("select thing, n from heard order by serial"))
            return [(row.thing, row.n) for row in rows]

    async def count(self, name: str, table: str) -> int:
        async with self.databases[name].reading() as session:
            return int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608

    async def hears(self, name: str, count: int, seconds: float = 15.0) -> list[tuple[str, int]]:
        """What `name` has heard, once it is at least `count` things."""
        await until(lambda: self._at_least(name, count), seconds, f"{name} hears {count} events")
        return await self.heard(name)

    async def _at_least(self, name: str, count: int) -> bool:
        return len(await self.heard(name)) >= count

    async def delivered(self, by: str = "alpha", seconds: float = 15.0) -> None:
        """The publisher's outbox is empty."""

        async def is_empty() -> bool:
            return await self.count(by, "outbox") == 0

        await until(is_empty, seconds, f"{by}'s outbox is empty")


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 60.0, what: str = "it") -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.02)


async def open_databases(admin_url: str) -> AsyncGenerator[dict[str, Database]]:
    databases = {name: Database(url_as(admin_url, name), name) for name in NAMES}
    for database in databases.values():
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await empty(database, metadata)
    yield databases
    for database in databases.values():
        await database.close()
