"""Whole lives of complaints, really played once: every event that any service published, as it stood in its outbox.

A trigger on each outbox copies its rows while the system runs, so that nothing is missed, the roster that is told
while the services start included, and the contacts, which no archive keeps.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from rich.console import Console
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from redress.database import Databases
from redress.demo import case, local, twin
from redress.demo.cast import SCRIPT, TWIN_SCRIPT
from redress.demo.telling import Telling
from redress.demo.world import SimulatedTimes, World
from redress.embedded import postgres
from resolution_service.store.tables import entries, measures, promises, transfers
from shared.bus.codec import Record, headers_of
from shared.bus.outbox import TOMBSTONE_HEADER
from shared.clock import SimulatedClock
from shared.contracts import CATALOGUE, SERVICES
from shared.contracts.intake import ContactsErasedV1, PersonErasedV1
from shared.contracts.triage import ROSTER_TOPIC
from shared.db import Database, Migrations, provision
from shared.db.engine import async_url
from shared.ids import derived_id
from shared.web.auth import Role
from tests.support import winding

ERASURES = frozenset({PersonErasedV1.TYPE, ContactsErasedV1.TYPE})
#: The rows that resolution-service writes of its own commands; no event brings them to it.
COMMANDED = (entries, transfers, promises, measures)

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_TAPPED = (
    "create table public.tapped (serial bigserial primary key, publisher text, topic text, key text, type text, "
    "event_id uuid, source text, time timestamptz, headers jsonb, payload bytea)"
)
_TAP = (
    "create function public.tap() returns trigger language plpgsql security definer as $$ begin "
    "insert into public.tapped (publisher, topic, key, type, event_id, source, time, headers, payload) values "
    "(tg_table_schema, new.topic, new.key, new.type, new.event_id, new.source, new.time, new.headers, new.payload); "
    "return null; end $$"
)


class Told(NamedTuple):
    """One event as it was published; `names` are the complaints that a review or an action is about."""

    type: str
    key: str
    record: Record
    complaint_id: str | None
    person_id: str | None
    names: Sequence[str]

    def __repr__(self) -> str:
        return f"{self.type.removeprefix('redress.').removesuffix('.v1')}#{self.record.position}"


Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Life:
    """All events that bear on one complaint, in the order in which they were told."""

    complaint_id: UUID
    told: tuple[Told, ...]
    #: What resolution-service's own commands wrote, by table.
    commanded: Rows

    @property
    def unerased(self) -> "Life":
        return replace(self, told=tuple(event for event in self.told if event.type not in ERASURES))

    def again(self, number: int) -> "Life":
        """The same life of another complaint and another person: every id is another one. The roster is not told
        again. With `number` 0 the life itself."""
        if not number:
            return self

        def renamed(text: str) -> str:
            return _ID.sub(lambda found: str(derived_id("again", number, found[0])), text)

        return Life(
            UUID(renamed(str(self.complaint_id))),
            tuple(_told_again(event, number, renamed) for event in self.told if event.record.topic != ROSTER_TOPIC),
            {table: [_row_again(row, renamed) for row in rows] for table, rows in self.commanded.items()},
        )


def _told_again(event: Told, number: int, renamed: Callable[[str], str]) -> Told:
    record = event.record
    return event._replace(
        key=renamed(event.key),
        record=record._replace(
            position=record.position + number * 1_000_000,
            key=renamed(record.key),
            headers={name: renamed(value.decode()).encode() for name, value in record.headers.items()},
            value=None if record.value is None else renamed(record.value.decode()).encode(),
        ),
    )


def _row_again(row: Mapping[str, Any], renamed: Callable[[str], str]) -> Mapping[str, Any]:
    def value_again(value: Any) -> Any:
        match value:
            case UUID():
                return UUID(renamed(str(value)))
            case dict() | list():
                return json.loads(renamed(json.dumps(value)))
        return value

    return {name: value_again(value) for name, value in row.items()}


@dataclass(frozen=True)
class Lives:
    """`happy` and `twin` are complaints of one person, who is erased at the end; `winding` is somebody else's."""

    happy: Life
    twin: Life
    winding: Life
    ended_at: datetime


def play(folder: Path) -> Lives:
    """Play the case, a winding one, the twin and the erasure of its complainant, in a system of its own."""
    with postgres(folder / "postgres") as url:
        return asyncio.run(_play(folder, Databases(url, {})))


async def _play(folder: Path, databases: Databases) -> Lives:
    clock = SimulatedClock(min(SCRIPT.values()))
    telling = Telling(Console(file=StringIO()))
    async with _tapped(databases) as connection, local.served(folder, databases, clock) as (system, http):
        urls = {name: f"{system.base_url}/{name}" for name in system.services}
        happy = await case.play(World(http, urls, system.signer, SimulatedTimes(clock, SCRIPT)), telling)
        world = World(http, urls, system.signer, SimulatedTimes(clock, TWIN_SCRIPT))
        third = await winding.play(world, clock, system.bus.settle)
        unhappy = await twin.play(world, telling)
        assert [what for stage in (happy, unhappy) for what, holds, _ in stage.checks if not holds] == []
        await system.bus.settle()
        told = await _told(connection)
        complaints = [UUID(happy.complaint_id), UUID(unhappy.complaint_id), UUID(third)]
        # Read before the erasure takes their texts: they were put down while the complaint lived.
        commanded = {one: await _commanded(connection, one) for one in complaints}
        person_id = next(event.person_id for event in told if event.complaint_id == unhappy.complaint_id)
        admin = world.acts("ada", "Ada", Role.ADMIN)
        await admin.post("intake", f"/v1/complainants/{person_id}/erasure", {})
        await system.bus.settle()
        told = await _told(connection)
        first, second, last = (_life(one, told, commanded[one]) for one in complaints)
        return Lives(happy=first, twin=second, winding=last, ended_at=clock.now())


@asynccontextmanager
async def _tapped(databases: Databases) -> AsyncGenerator[AsyncConnection]:
    """Schemas with a tap on every outbox, before the services start; an administrator's connection."""
    await provision(databases.admin_url, SERVICES)
    for service in SERVICES:
        database = Database(databases.url(service), service)
        await Migrations(f"{service}_service", database).upgrade()
        await database.close()
    engine = create_async_engine(async_url(databases.admin_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in (_TAPPED, _TAP):
            await connection.execute(text(statement))
        for service in SERVICES:
            await connection.execute(
                text(f"create trigger tap after insert on {service}.outbox for each row execute function public.tap()")
            )
        yield connection
    await engine.dispose()


async def _told(connection: AsyncConnection) -> list[Told]:
    told = []
    for row in await connection.execute(text("select * from public.tapped order by serial")):
        assert not row.topic.endswith(".dlq"), f"a dead letter in the play: {row.type} of {row.key}"
        headers = dict(headers_of(row.type, row.key, row.event_id, row.source, row.time, None, row.headers))
        record = Record(row.publisher, row.serial, row.topic, None, row.key, headers, row.payload)
        value = json.loads(row.payload or headers[TOMBSTONE_HEADER])
        facts = value.get("facts") or {}
        person = (facts.get("customer") or value).get("person_id")
        told.append(Told(row.type, row.key, record, facts.get("complaint_id"), person, value.get("complaint_ids", ())))
    return told


async def _commanded(connection: AsyncConnection, complaint_id: UUID) -> Rows:
    own = [contract.TYPE for contract in CATALOGUE["resolution"]]
    rows: dict[str, Sequence[Mapping[str, Any]]] = {}
    await connection.execute(text("set search_path to resolution"))
    for table in COMMANDED:
        query = select(table).where(table.c.complaint_id == complaint_id)
        if table is entries:
            query = query.where(table.c.type.in_(own))
        rows[table.name] = [dict(row) for row in (await connection.execute(query)).mappings()]
    return rows


def _life(complaint_id: UUID, told: Sequence[Told], commanded: Rows) -> Life:
    """Events of the complaint, of its person, of the reviews and actions that name it; and the roster."""
    identity = str(complaint_id)
    person = next(event.person_id for event in told if event.complaint_id == identity)
    keys = {event.key for event in told if identity in event.names} | {identity}
    return Life(
        complaint_id,
        tuple(
            event
            for event in told
            if event.complaint_id == identity
            or (event.complaint_id is None and (event.key in keys or event.person_id == person))
            or event.record.topic == ROSTER_TOPIC
        ),
        commanded,
    )
