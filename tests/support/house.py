"""Redress as it is deployed, for the tests of reliability: seven processes, a broker and a PostgreSQL of their own."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import sla_service
from redress.database import Databases
from redress.demo.kafka import prepare
from redress.demo.world import RealTimes, World, eventually
from redress.embedded import Postgres
from redress.fleet import Fleet
from redress.kafka import Broker
from redress.mailbox import Mailbox, MailServer
from shared.bus.deadletters import replay_all
from shared.bus.kafka import ensure_topics, plan_topics
from shared.contracts import SERVICES, TOPICS
from shared.db import Database, async_url
from shared.web.tokens import Signer

PARTITIONS = 4
#: How long (seconds) a broker and seven processes may take to come to rest on a slow machine.
PATIENCE = 120.0
#: A member that was killed is given up after this, so that its successor need not wait long.
SESSION_SECONDS = 3


@dataclass
class House:
    server: Postgres
    broker: Broker
    fleet: Fleet
    signer: Signer
    http: httpx.AsyncClient
    engine: AsyncEngine

    def world(self) -> World:
        return World(self.http, self.fleet.urls, self.signer, RealTimes({}))

    async def start(self, name: str, **extra: str) -> None:
        self.fleet.start(name, **extra)
        await self.fleet.ready(name)

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self.fleet.stop, name)

    async def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        """Read as an administrator, who alone sees all seven schemas."""
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query), given)]

    async def one(self, query: str, **given: Any) -> Any:
        return (await self.rows(query, **given))[0][0]

    async def settled(self, patience: float = PATIENCE, *, ignoring: str = "") -> None:
        """Wait until nothing is on its way: no row in an outbox, no record before a group, no message to be sent.
        What waits for the one service that is ignored is not counted."""
        deadline = asyncio.get_running_loop().time() + patience
        quiet = 0
        before: object = None
        while quiet < 2:
            waiting = await self.waiting()
            ends = waiting.pop("ends")
            waiting = {what: count for what, count in waiting.items() if not ignoring or ignoring not in what}
            quiet = quiet + 1 if not any(waiting.values()) and ends == before else 0
            before = ends
            assert asyncio.get_running_loop().time() < deadline, f"not at rest after {patience:.0f} s: {waiting}"
            await asyncio.sleep(0.3)

    async def waiting(self) -> dict[str, Any]:
        outboxes = {f"{name} outbox": await self.one(f"select count(*) from {name}.outbox") for name in SERVICES}  # noqa: S608
        unsent = await self.one("select count(*) from notify.messages where status in ('queued', 'waiting')")
        lags, ends = await self._lags()
        return {**outboxes, "notify messages": unsent, **lags, "ends": ends}

    async def _lags(self) -> tuple[dict[str, int], int]:
        """Records that each group has before it, and how many there are in all."""
        servers = self.broker.bootstrap
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await consumer.start()
        await admin.start()
        try:
            every = [TopicPartition(topic, n) for topic in TOPICS for n in range(PARTITIONS)]
            ends = await consumer.end_offsets(every)
            lags = {}
            for name in SERVICES:
                committed = await admin.list_consumer_group_offsets(f"redress.{name}")
                heard = self.topics_of(name)
                lags[f"{name} lag"] = sum(
                    end - max(0, committed[tp].offset if tp in committed else 0)
                    for tp, end in ends.items()
                    if tp.topic in heard
                )
            return lags, sum(ends.values())
        finally:
            await consumer.stop()
            await admin.close()

    async def left_by_all(self, group: str) -> None:
        """Wait until the broker counts nobody into this group; one that went without a word is given up in time."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.broker.bootstrap)
        await admin.start()

        async def empty() -> bool:
            (described,) = await admin.describe_consumer_groups([group])
            (state,) = [state for _, _, state, *_ in described.groups]
            return bool(state == "Empty")

        try:
            await eventually(empty, f"nobody in {group}", PATIENCE)
        finally:
            await admin.close()

    @staticmethod
    def topics_of(name: str) -> set[str]:
        from importlib import import_module

        return {contract.TOPIC for contract in import_module(f"{name}_service.events").CONSUMES}

    async def dead_letters(self) -> list[tuple[Any, ...]]:
        """Those that nobody has replayed."""
        found: list[tuple[Any, ...]] = []
        for name in SERVICES:
            found += await self.rows(
                f"select '{name}', type, reason, error from {name}.dead_letters where state <> 'replayed'"  # noqa: S608
            )
        return found

    async def replay_the_killed(self) -> int:
        """As an operator would (`redress dlq replay`): what stood by when its process was killed for the third time is
        innocent. Returns how many; each was handled when this returns."""
        asked = 0
        for name in SERVICES:
            database = Database(self.fleet.databases.url(name), name)
            try:
                asked += await replay_all(database, reason="killed-the-process")
            finally:
                await database.close()

        async def replayed() -> bool:
            return not await self.dead_letters()

        await eventually(replayed, "every dead letter replayed", PATIENCE)
        return asked


@asynccontextmanager
async def open_house(folder: Path, broker: Broker) -> AsyncGenerator[House]:
    """All seven are ready when the block begins, and ended when it ends."""
    server = Postgres(folder / "postgres")
    await asyncio.to_thread(server.start)
    try:
        databases = Databases(server.url, {})
        await prepare(databases)
        await ensure_topics(broker.bootstrap, plan_topics(PARTITIONS))
        async with MailServer(Mailbox(folder / "mail")) as mail, httpx.AsyncClient(timeout=30) as http:
            signer = Signer.generate()
            fleet = Fleet(
                folder / "logs",
                databases,
                broker.bootstrap,
                signer.jwks,
                environment={
                    "NOTIFY_SMTP_HOST": "127.0.0.1",
                    "NOTIFY_SMTP_PORT": str(mail.port),
                    "KAFKA_SESSION_SECONDS": str(SESSION_SECONDS),
                    "KAFKA_HEARTBEAT_SECONDS": "0.5",
                },
                special=_special(folder),
            )
            engine = create_async_engine(async_url(server.url), poolclass=NullPool)
            try:
                await fleet.start_all()
                yield House(server, broker, fleet, signer, http, engine)
            finally:
                await engine.dispose()
                await asyncio.to_thread(fleet.stop_all)
    finally:
        await asyncio.to_thread(server.stop)


def _special(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Deadlines of hours on a calendar without holidays: no test is so slow that one is missed, on whatever day."""
    seconds = Path(sla_service.__file__).parent / "data" / "policies-seconds.yaml"
    pack = folder / "policies-hours.yaml"
    pack.write_text(re.sub(r"PT(\d+)S", r"PT\1H", seconds.read_text()))
    return {
        "intake": {"INTAKE_TOKEN_SECRET": "the secret of tests that last a minute"},
        "sla": {"SLA_POLICY_PACK": str(pack)},
        "feedback": {
            "FEEDBACK_TOKEN_SECRET": "the secret of tests that last a minute",
            "FEEDBACK_FOLLOW_UP_EARLIEST": "PT0S",
        },
        # A message that a dead worker held is taken up after this.
        "notify": {"NOTIFY_LEASE_SECONDS": "4"},
    }
