"""From the outbox to the broker: a whole batch is sent, all acknowledgements are awaited, then the rows are deleted."""

import asyncio
import time

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus import deadletters
from shared.bus.faults import Faults
from shared.bus.kafka.guard import farewell, own_cancellation
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.metrics import BusMetrics
from shared.bus.port import Member, pause
from shared.bus.relay import COLUMNS, Relay, Waiting
from shared.bus.transient import describe
from shared.telemetry.tracing import published

log = structlog.get_logger("bus")

_CLAIM = f"select {COLUMNS} from outbox order by id limit $1"  # noqa: S608
_DELETE = "delete from outbox where id = any($1::bigint[])"


class KafkaRelay(Relay):
    def __init__(self, member: Member, faults: Faults, metrics: BusMetrics, kafka: KafkaSettings) -> None:
        super().__init__(member, faults, metrics)
        self._kafka = kafka

    async def lead(self, connection: AsyncConnection) -> None:
        """The lock is kept while the broker is away. After an error a new producer begins with the rows still there:
        the order of a partition is not to be trusted to one that has lost a record."""
        delay = self.settings.backoff_seconds
        while not self.stopping.is_set():
            try:
                with own_cancellation():
                    await self._produce(connection)
            except (KafkaError, OSError) as error:
                if self.problem is None:
                    delay = self.settings.backoff_seconds
                    log.warning("broker away", service=self.member.name, error=describe(error))
                self.problem = f"relay: {describe(error)}"
                await pause(self.stopping, delay)
                delay = min(delay * 2, self.settings.away_seconds)

    async def _produce(self, connection: AsyncConnection) -> None:
        producer = AIOKafkaProducer(**self._kafka.producer, client_id=f"redress-{self.member.name}")
        try:
            await producer.start()
            checked = time.monotonic()
            while not self.stopping.is_set():
                claimed = await connection.exec_driver_sql(_CLAIM, (self.settings.batch,))
                rows = [Waiting._make(row) for row in claimed]
                await self.measure(connection)
                if rows:
                    await self._deliver(producer, connection, rows)
                    checked = time.monotonic()
                elif time.monotonic() - checked > self._kafka.broker_check_seconds:
                    async with asyncio.timeout(self._kafka.answer_seconds):
                        await producer.client.fetch_all_metadata()
                    checked = time.monotonic()
                self.progressed()
                if len(rows) < self.settings.batch:
                    await self.next_round()
        finally:
            await farewell(producer.stop(), self._kafka.answer_seconds)

    async def _deliver(self, producer: AIOKafkaProducer, connection: AsyncConnection, rows: list[Waiting]) -> None:
        await self.faults.reach("relay.before_send", self.member.name)
        refused: list[Waiting] = []
        acks: list[asyncio.Future[object]] = []
        for row in rows:
            try:
                acks.append(
                    await producer.send(
                        row.topic,
                        row.payload,
                        key=row.key.encode(),
                        headers=row.event_headers(published(self.member.name, row.type, row.traceparent)),
                    )
                )
            except MessageSizeTooLargeError:
                refused.append(row)
        outcomes = await asyncio.gather(*acks, return_exceptions=True)
        for row, outcome in zip([row for row in rows if row not in refused], outcomes, strict=True):
            if isinstance(outcome, MessageSizeTooLargeError):
                refused.append(row)
            elif isinstance(outcome, BaseException):
                raise outcome
        await self.faults.reach("relay.after_send", self.member.name)
        if refused:
            await self._set_aside(refused)
        await connection.exec_driver_sql(_DELETE, ([row.id for row in rows],))
        self.metrics.delivered.inc(len(rows) - len(refused))

    async def _set_aside(self, rows: list[Waiting]) -> None:
        """The broker will never take these (its limit is below ours). They must not stand in the way of the others."""
        async with self.member.database.session() as tx:
            for row in rows:
                await deadletters.set_aside(tx, row)
        for row in rows:
            self.metrics.died("undeliverable")
            log.error("event set aside", service=self.member.name, type=row.type, event_id=str(row.event_id))
