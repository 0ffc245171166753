"""What is away is waited for: nothing is lost, nothing becomes a dead letter, and the others go on."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from redress.kafka import Broker
from shared.bus import Bus
from shared.bus.kafka import KafkaBus, KafkaSettings, TopicPlan, ensure_topics
from shared.db import Database, async_url
from tests.support.bus import QUICK, Contracts, Thing, Town, happened, until, write_down


@asynccontextmanager
async def without_database(admin_url: str, name: str) -> AsyncGenerator[None]:
    """The database refuses and drops the connections of one service."""
    engine = create_async_engine(async_url(admin_url), isolation_level="AUTOCOMMIT")
    role = f"redress_{name}"
    async with engine.connect() as admin:
        await admin.execute(text(f"alter role {role} connection limit 0"))
        drop = text("select pg_terminate_backend(pid) from pg_stat_activity where usename = :role")
        await admin.execute(drop, {"role": role})
        try:
            yield
        finally:
            await admin.execute(text(f"alter role {role} connection limit -1"))
    await engine.dispose()


async def problem(bus: Bus, name: str) -> None:
    async def has_one() -> bool:
        return bus.health(name).problem is not None

    await until(has_one, what=f"{name} tells its problem")


async def test_a_consumer_waits_for_its_database_and_goes_on(town: Town, town_url: str) -> None:
    bus = await town.bus(town.member("alpha", None), town.member("beta"), town.member("gamma"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    async with without_database(town_url, "beta"):
        for n in range(2, 8):
            await town.publish(happened(town.contracts.noted, "a", n))
        assert len(await town.hears("gamma", 7)) == 7
        await problem(bus, "beta")
        assert not bus.health("beta").ready
        assert bus.health("beta").alive()
        assert bus.health("gamma").ready
        await asyncio.sleep(0.5)
    assert await town.hears("beta", 7) == [("a", n) for n in range(1, 8)]
    assert await town.count("beta", "dead_letters") == 0

    async def ready() -> bool:
        return bus.health("beta").ready

    await until(ready, what="beta is ready again")


async def test_a_relay_waits_for_its_database_and_goes_on(town: Town, town_url: str) -> None:
    bus = await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    async with without_database(town_url, "alpha"):
        await problem(bus, "alpha")
    await town.publish(happened(town.contracts.noted, "a", 2))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    await town.delivered()


async def test_a_member_can_be_detached_while_its_database_is_away(town: Town, town_url: str) -> None:
    bus = await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    async with without_database(town_url, "beta"):
        await town.publish(happened(town.contracts.noted, "a", 2))
        await problem(bus, "beta")
        async with asyncio.timeout(5):
            await bus.detach("beta")
    await bus.attach(town.member("beta"))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]


async def test_a_relay_backs_off_while_delivery_fails_and_goes_on(town: Town) -> None:
    bus = await town.bus()
    bus.faults.fail("relay.before_send", "alpha", ConnectionError("no broker"))
    await bus.attach(town.member("alpha", None))
    await bus.attach(town.member("beta"))
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in (1, 2, 3)])
    await problem(bus, "alpha")
    assert await town.heard("beta") == []
    bus.faults.heal("relay.before_send", "alpha")
    assert await town.hears("beta", 3) == [("a", 1), ("a", 2), ("a", 3)]
    await town.delivered()


async def test_what_was_sent_and_not_deleted_is_sent_again_and_handled_once(town: Town) -> None:
    bus = await town.bus()
    bus.faults.fail("relay.after_send", "alpha", ConnectionError("lost before the delete"), times=2)
    await bus.attach(town.member("alpha", None))
    await bus.attach(town.member("beta"))
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in (1, 2, 3)])
    await town.delivered()
    assert await town.hears("beta", 3) == [("a", 1), ("a", 2), ("a", 3)]


async def test_deadlocked_transactions_are_tried_again_and_are_nobodys_fault(town: Town) -> None:
    async def deadlock(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
        await write_down(events, tx, deps)
        if deps and deps.pop():
            await tx.execute(text("do $$ begin raise sqlstate '40P01'; end $$"))

    await town.bus(
        town.member("alpha", None),
        town.member("beta", deadlock, deps=[True, True, True], settings=replace(QUICK, attempts=1)),
    )
    await town.publish(happened(town.contracts.noted, "a", 1))
    assert await town.hears("beta", 1) == [("a", 1)]
    assert await town.count("beta", "dead_letters") == 0


async def test_a_slow_subscriber_does_not_slow_the_others(town: Town) -> None:
    bus = await town.bus()
    gate = bus.faults.hold("consumer.before_handler", "beta")
    for member in (town.member("alpha", None), town.member("beta"), town.member("gamma")):
        await bus.attach(member)
    for n in range(1, 6):
        await town.publish(happened(town.contracts.noted, "a", n))
    assert len(await town.hears("gamma", 5)) == 5
    await asyncio.wait_for(gate.reached.wait(), 10)
    assert await town.heard("beta") == []
    gate.open()
    assert await town.hears("beta", 5) == [("a", n) for n in range(1, 6)]
    await town.delivered()


async def test_detaching_drains_the_batch_at_hand(town: Town) -> None:
    bus = await town.bus()
    gate = bus.faults.hold("consumer.mid_handler", "beta")
    await bus.attach(town.member("alpha", None))
    await bus.attach(town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await asyncio.wait_for(gate.reached.wait(), 15)
    leaving = asyncio.create_task(bus.detach("beta"))
    await asyncio.sleep(0.1)
    assert not leaving.done()
    gate.open()
    await leaving
    assert await town.heard("beta") == [("a", 1)]


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_bootstrap")
async def test_services_start_and_work_while_the_broker_is_away(
    databases: dict[str, Database], tmp_path_factory: pytest.TempPathFactory
) -> None:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    settings = KafkaSettings(broker.bootstrap, session_seconds=6.0, heartbeat_seconds=0.5, broker_check_seconds=0.3)
    contracts = Contracts.on("away")

    async def new_bus() -> Bus:
        return KafkaBus(settings)

    town = Town(contracts, databases, new_bus)
    try:
        bus = await town.bus(town.member("alpha", None), town.member("beta"))
        await town.publish(happened(contracts.noted, "a", 1))
        await problem(bus, "alpha")
        await problem(bus, "beta")
        assert bus.health("alpha").alive()

        await asyncio.to_thread(broker.start)
        plans = [TopicPlan(contracts.noted.TOPIC, 2), TopicPlan(contracts.forgotten.TOPIC, 1, compacted=True)]
        await ensure_topics(broker.bootstrap, plans)
        assert await town.hears("beta", 1, seconds=60) == [("a", 1)]

        await asyncio.to_thread(broker.stop)
        await town.publish(happened(contracts.noted, "a", 2))
        await problem(bus, "alpha")
        await asyncio.to_thread(broker.start)
        assert await town.hears("beta", 2, seconds=60) == [("a", 1), ("a", 2)]
        await town.delivered()
    finally:
        await town.close()
        await asyncio.to_thread(broker.stop)
