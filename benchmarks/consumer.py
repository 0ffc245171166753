"""How many events one process hears per second: a topic filled beforehand, then one service alone is started on it.

Real Kafka, real contracts, the service's own handler; what the service publishes in answer goes out meanwhile. Counted
from the first inbox row to the last.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks.complaints import SERIAL, records
from benchmarks.figures import SCALE, Figure
from benchmarks.floor import floor
from benchmarks.stage import Stage
from benchmarks.system import fleet_of, stage_with_broker
from redress.fleet import Fleet
from redress.kafka import Broker
from shared.bus.codec import headers_of
from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts, CustomerRef
from shared.contracts.intake import TOPIC, ComplaintReceivedV1, Demand, Source
from shared.contracts.vocabulary import Channel, Priority, Urgency
from shared.db import Database
from shared.ids import new_id

EVENTS = round(20_000 * SCALE)
GOAL = 5_000.0
#: The figure `consumer` is the first one's; the others are told beside it.
SERVICES = ("resolution", "insight", "triage", "sla", "notify")
WATCH_SECONDS = 0.1
PATIENCE = 180.0


def run() -> list[Figure]:
    with stage_with_broker() as (place, broker):
        return asyncio.run(_run(place, broker))


async def _run(place: Stage, broker: Broker) -> list[Figure]:
    before = await floor(place.databases.admin_url)
    async with fleet_of(place, broker, SERVICES) as fleet:
        await _fill(broker.bootstrap)
        found = {name: await _heard(place, fleet, name) for name in SERVICES}
    ground = (before + await floor(place.databases.admin_url)) / 2
    more: dict[str, float | str] = {"service": SERVICES[0], "events": EVENTS}
    figures = [Figure("consumer", found[SERVICES[0]], "events/s", ground, GOAL, more=more)]
    return figures + [Figure(f"consumer_{name}", found[name], "events/s", ground) for name in SERVICES]


async def _heard(place: Stage, fleet: Fleet, name: str) -> float:
    """Events per second of this service alone."""
    database = Database(place.databases.url(name), name, pool_size=1)
    fleet.start(name)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            async with database.engine.connect() as connection:
                found = await connection.exec_driver_sql("select count(*), min(seen_at) from inbox")
                row: Any = found.one()
            heard, began = row
            if heard >= EVENTS:
                return float(EVENTS / (time.time() - began.timestamp()))
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} heard {heard} of {EVENTS} events:\n{fleet.last_words(name)}")
            await asyncio.sleep(WATCH_SECONDS)
    finally:
        await database.close()
        await asyncio.to_thread(fleet.stop, name)


async def _fill(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
    await producer.start()
    try:
        for start in range(0, EVENTS, 1000):
            events = [received(number) for number in range(start, min(EVENTS, start + 1000))]
            await asyncio.gather(*[await _sent(producer, event) for event in events])
    finally:
        await producer.stop()


async def _sent(producer: AIOKafkaProducer, event: ComplaintReceivedV1) -> "asyncio.Future[object]":
    headers = headers_of(event.TYPE, event.key, event.event_id, "/redress/intake", event.occurred_at, None, None)
    value = event.__pydantic_serializer__.to_json(event)
    sent: asyncio.Future[object] = await producer.send(TOPIC, value, key=event.key.encode(), headers=headers)
    return sent


_RECORDS: Sequence[dict[str, object]] = records()


def received(number: int) -> ComplaintReceivedV1:
    """What intake tells of one of the load's complaints."""
    record = {key: str(value).replace(SERIAL, f"{number:08d}") for key, value in _RECORDS[number % 4].items()}
    now = datetime.now(UTC)
    return ComplaintReceivedV1(
        event_id=new_id(),
        occurred_at=now,
        recorded_at=now,
        actor=Actor(kind=ActorKind.SYSTEM, id="seat-07", name="热线坐席 07"),
        facts=ComplaintFacts(
            complaint_id=new_id(),
            number=f"C-{now:%Y%m%d}-{number:06d}",
            received_at=now,
            channel=Channel.HOTLINE,
            urgency=Urgency.MEDIUM,
            customer=CustomerRef(person_id=new_id(), display=f"138****{number % 10_000:04d}"),
            organisation=f"晨光网店有限公司{number:08d}",
            product=record["product"],
            region=record["region"],
        ),
        priority=Priority.IMPORTANT,
        source=Source(channel=Channel.HOTLINE, account="4008001234", seat="seat-07", message_id=f"call-{number:08d}"),
        symptom=record["symptom"],
        scene=record["scene"],
        impact=record["impact"],
        demands=(Demand(text="两小时内修复,并电话告知处理结果"), Demand(text="赔偿延误造成的损失")),
        happened_at=now - timedelta(minutes=5),
    )
