"""The bus on Kafka: a relay and a consumer for each member; members may be in one process or in many."""

import asyncio
import time

from shared.bus.faults import Faults
from shared.bus.kafka.consumer import KafkaConsumer
from shared.bus.kafka.relay import KafkaRelay
from shared.bus.kafka.settings import KafkaSettings
from shared.bus.metrics import BusMetrics
from shared.bus.outbox import MAX_EVENT_BYTES
from shared.bus.port import BusHealth, Member
from shared.bus.processor import Processor
from shared.bus.seat import Seat


class KafkaBus:
    """``KafkaBus("broker:9092")``. Attaching does not wait for the broker: a service starts, and works, without it."""

    def __init__(self, kafka: KafkaSettings | str) -> None:
        self.faults = Faults()
        self._kafka = KafkaSettings(kafka) if isinstance(kafka, str) else kafka
        self._seats: dict[str, _KafkaSeat] = {}
        self._exclusive = asyncio.Lock()

    async def attach(self, member: Member) -> None:
        if member.name in self._seats:
            raise ValueError(f"{member.name} is attached already")
        member.database.session_info[MAX_EVENT_BYTES] = member.settings.max_event_bytes
        metrics = BusMetrics(member.name, member.registry)
        relay = KafkaRelay(member, self.faults, metrics, self._kafka)
        processor = Processor(member, self.faults, metrics, self._exclusive)
        consumer = KafkaConsumer(member, processor, self.faults, metrics, self._kafka) if member.topics else None
        self._seats[member.name] = _KafkaSeat(member, relay, processor, consumer)

    async def detach(self, name: str) -> None:
        await self._seats.pop(name).close()

    def health(self, name: str) -> BusHealth:
        return self._seats[name].health()

    async def close(self) -> None:
        await asyncio.gather(*(self.detach(name) for name in list(self._seats)))


class _KafkaSeat(Seat):
    def __init__(self, member: Member, relay: KafkaRelay, processor: Processor, consumer: KafkaConsumer | None) -> None:
        super().__init__(member, relay, processor)
        self._consumer = consumer
        if consumer is not None:
            self.tasks.append(asyncio.create_task(consumer.run(), name=f"consumer of {member.name}"))

    def health(self) -> BusHealth:
        found = super().health()
        if self._consumer is None:
            return found
        return BusHealth(
            leader=found.leader,
            backlog=found.backlog,
            relay_seconds=found.relay_seconds,
            consumer_seconds=max(found.consumer_seconds, time.monotonic() - self._consumer.last_beat),
            stopped=found.stopped,
            problem=found.problem or self._consumer.problem,
        )
