"""From the broker to the processor.

Records of all idle partitions fly together: one transaction where it can be one. A partition that flies is not read
again until its flight has ended, so each is in order; a flight in trouble holds up its own partitions and no others.
Offsets are committed after the database, by ourselves: a moment later in the ordinary course, at once on revoke and on
stop, after the flights have been drained.
"""

import asyncio
import time
from collections.abc import Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.codec import Record
from shared.bus.faults import Faults
from shared.bus.kafka.guard import farewell, own_cancellation
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.metrics import BusMetrics
from shared.bus.patience import Stopping
from shared.bus.port import Member, pause
from shared.bus.processor import ConsumerStopped, Processor
from shared.bus.transient import describe

log = structlog.get_logger("bus")

#: How long a poll waits for records while flights are out, and while none is, in milliseconds.
POLL_BUSY, POLL_IDLE = 20, 200


class Flight:
    """Records of some partitions at work."""

    __slots__ = ("began", "partitions", "task")

    def __init__(self, partitions: Iterable[TopicPartition], task: asyncio.Task[None]) -> None:
        self.partitions = frozenset(partitions)
        self.task = task
        self.began = time.monotonic()


class KafkaConsumer:
    """One member's membership in its group; joins anew after an error, ends with the circuit breaker."""

    def __init__(
        self, member: Member, processor: Processor, faults: Faults, metrics: BusMetrics, kafka: KafkaSettings
    ) -> None:
        self.member = member
        self.problem: str | None = None
        self.last_beat = time.monotonic()
        self._processor = processor
        self._stopping = processor.stopping
        self._faults = faults
        self._metrics = metrics
        self._kafka = kafka
        self._lanes: dict[TopicPartition, str] = {}

    async def run(self) -> None:
        delay = self.member.settings.backoff_seconds
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                with own_cancellation():
                    await _Membership(self).run()
                return
            except (ConsumerStopped, Stopping):
                return
            except Exception as error:
                if self.problem is None:
                    log.warning("consumer interrupted", consumer=self.member.name, error=describe(error))
                self.problem = f"consumer: {describe(error)}"
                if time.monotonic() - began > 10:
                    delay = self.member.settings.backoff_seconds
                await pause(self._stopping, delay)
                delay = min(delay * 2, self.member.settings.away_seconds)

    def beat(self) -> None:
        self.last_beat = time.monotonic()
        self.problem = None

    def records(self, found: dict[TopicPartition, list[ConsumerRecord]]) -> list[Record]:
        made: list[Record] = []
        for tp, records in found.items():
            lane = self._lanes.setdefault(tp, f"{tp.topic}/{tp.partition}")
            made.extend(
                Record(
                    lane,
                    record.offset,
                    tp.topic,
                    tp.partition,
                    "" if record.key is None else record.key.decode(errors="replace"),
                    dict(record.headers),
                    record.value,
                )
                for record in records
            )
        return made


class _Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, owner: KafkaConsumer) -> None:
        self._owner = owner
        self._kafka = owner._kafka
        self._settings = owner.member.settings
        self._flights: set[Flight] = set()
        self._landed = asyncio.Event()
        self._error: BaseException | None = None
        #: Offsets whose records are in the database and not yet told to the broker.
        self._done: dict[TopicPartition, int] = {}
        self._rebalancing = False
        self._committing = asyncio.Lock()
        self._consumer = AIOKafkaConsumer(
            **self._kafka.consumer,
            group_id=f"{self._kafka.group_prefix}.{owner.member.name}",
            client_id=f"redress-{owner.member.name}",
            max_partition_fetch_bytes=max(1_048_576, self._kafka.max_request_bytes),
        )

    async def run(self) -> None:
        self._consumer.subscribe(sorted(self._owner.member.topics), listener=self)
        committer: asyncio.Task[None] | None = None
        try:
            await self._consumer.start()
            committer = asyncio.create_task(self._commit_now_and_then(), name=f"offsets of {self._owner.member.name}")
            checked = time.monotonic()
            while not self._owner._stopping.is_set() and self._owner._processor.stopped is None:
                if self._error is not None:
                    raise self._error
                await self._poll()
                if time.monotonic() - checked > self._kafka.broker_check_seconds:
                    await self._check()
                    checked = time.monotonic()
                self._owner.beat()
        finally:
            if committer is not None:
                committer.cancel()
                await asyncio.gather(committer, return_exceptions=True)
                await self._drain()
                await farewell(self._commit(), self._kafka.answer_seconds)
            await farewell(self._consumer.stop(), self._kafka.answer_seconds)

    async def _poll(self) -> None:
        flying = {tp for flight in self._flights for tp in flight.partitions}
        idle = [tp for tp in self._consumer.assignment() if tp not in flying]
        now = time.monotonic()
        quick = sum(1 for flight in self._flights if now - flight.began < self._kafka.slow_seconds)
        if not idle or quick >= self._kafka.flights or self._rebalancing:
            self._landed.clear()
            await pause(self._landed, 0.05)
            return
        found = await self._consumer.getmany(
            *idle, timeout_ms=POLL_BUSY if self._flights else POLL_IDLE, max_records=self._settings.batch
        )
        # A rebalance may have begun while the poll waited; what it found comes again.
        if found and not self._rebalancing:
            flight = Flight(found, asyncio.create_task(self._fly(found), name=f"batch of {self._owner.member.name}"))
            self._flights.add(flight)
            flight.task.add_done_callback(lambda task: self._land(flight, task))

    async def _fly(self, found: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        await self._owner._processor.handle(self._owner.records(found))
        for tp, records in found.items():
            self._done[tp] = records[-1].offset + 1

    def _land(self, flight: Flight, task: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        self._landed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error

    async def _drain(self) -> None:
        """Let the flights land; what takes too long is rolled back and comes again, here or elsewhere."""
        tasks = [flight.task for flight in self._flights]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._settings.drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self._rebalancing = True
        await self._drain()
        await self._commit()
        self._done.clear()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self._rebalancing = False
        log.info("partitions assigned", consumer=self._owner.member.name, partitions=len(assigned))

    async def _commit_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._kafka.commit_seconds)
            try:
                with own_cancellation():
                    await self._commit()
            except KafkaError as error:
                log.warning("offsets not committed", consumer=self._owner.member.name, error=describe(error))

    async def _commit(self) -> None:
        """Failing is harmless: the records come again and the inbox knows them."""
        async with self._committing:
            assigned = self._consumer.assignment()
            offsets = {tp: offset for tp, offset in self._done.items() if tp in assigned}
            self._done.clear()
            if not offsets:
                return
            try:
                await self._consumer.commit(offsets)
            except (CommitFailedError, IllegalStateError):
                log.info("offsets not committed: rebalancing", consumer=self._owner.member.name)
            except KafkaError as error:
                log.warning("offsets not committed", consumer=self._owner.member.name, error=describe(error))
                for tp, offset in offsets.items():
                    self._done.setdefault(tp, offset)

    async def _check(self) -> None:
        """Whether the broker answers: a poll finds nothing either way. And how far behind we are."""
        async with asyncio.timeout(self._kafka.answer_seconds):
            await self._consumer.topics()
            behind = 0
            for tp in self._consumer.assignment():
                end = self._consumer.highwater(tp)
                if end is not None:
                    behind += max(0, end - await self._consumer.position(tp))
        self._owner._metrics.lag.set(behind)
