"""What happens in the life of an installation while complaints come in: nothing is lost, nothing doubled."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import SERVICES
from shared.web.auth import Role
from tests.support.house import PARTITIONS, House
from tests.support.journey import Journey
from tests.support.poster import Poster, complaints_coming_in
from tests.support.reckoning import wrong_with

pytestmark = pytest.mark.kafka


async def comes_to_rest(house: House, posters: list[Poster], least: int) -> None:
    complaints = [each for poster in posters for each in poster.acknowledged.values()]
    await house.settled()
    assert await wrong_with(house, complaints) == {}
    assert len(complaints) >= least


async def test_a_second_process_of_a_service_joins_and_leaves_under_load(house: House) -> None:
    second = replace(house.fleet, folder=house.fleet.folder / "second", names=("triage",), ports={}, _running={})
    async with complaints_coming_in(house, "rebalance-1", "rebalance-2") as posters:
        await second.start_all()
        await asyncio.sleep(2)
        await asyncio.to_thread(second.stop_all)
        await second.start_all()
        await asyncio.sleep(2)
        second.kill("triage")
        await asyncio.sleep(1)
    await comes_to_rest(house, posters, 10)


async def test_a_broker_that_is_restarted_is_waited_for_and_complaints_are_accepted_meanwhile(house: House) -> None:
    async with complaints_coming_in(house, "broker") as posters:
        await asyncio.sleep(1)
        await asyncio.to_thread(house.broker.stop)
        before = len(posters[0].acknowledged)
        await asyncio.sleep(3)
        assert len(posters[0].acknowledged) > before
        await asyncio.to_thread(house.broker.start)
        await asyncio.sleep(1)
    await comes_to_rest(house, posters, 3)


async def test_a_database_that_is_restarted_is_waited_for(house: House) -> None:
    async with complaints_coming_in(house, "database") as posters:
        await asyncio.sleep(1)
        await asyncio.to_thread(house.server.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(house.server.start)
        before = len(posters[0].acknowledged)
        await asyncio.sleep(3)
        assert len(posters[0].acknowledged) > before
    await comes_to_rest(house, posters, 3)
    for name in SERVICES:
        await house.fleet.ready(name)


async def test_every_topic_from_its_beginning_again_in_front_of_every_consumer_changes_nothing(house: House) -> None:
    async with complaints_coming_in(house, "again") as posters:
        await asyncio.sleep(2)
    await comes_to_rest(house, posters, 2)
    before = await everything(house)
    await asyncio.to_thread(house.fleet.stop_all)
    for name in SERVICES:
        await from_the_beginning(house, name)
    waiting = await house.waiting()
    assert all(waiting[f"{name} lag"] > 0 for name in SERVICES)
    await house.fleet.start_all()
    await house.settled()
    after = await everything(house)
    assert {table for table in before if before[table] != after[table]} == set()


async def from_the_beginning(house: House, name: str) -> None:
    """The group has heard of nothing."""
    servers = house.broker.bootstrap
    await house.left_by_all(f"redress.{name}")
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=f"redress.{name}", enable_auto_commit=False)
    await consumer.start()
    try:
        every = [TopicPartition(topic, n) for topic in house.topics_of(name) for n in range(PARTITIONS)]
        consumer.assign(every)
        await consumer.commit(dict.fromkeys(every, 0))
    finally:
        await consumer.stop()


#: The bus's own bookkeeping.
_OWN = ("outbox", "inbox", "inbox_started", "inbox_attempts", "alembic_version", "idempotency_keys")


async def everything(house: House) -> dict[str, Any]:
    """A fingerprint of all rows, by table."""
    tables = await house.rows(
        "select schemaname, tablename from pg_tables where schemaname = any(:schemas) and tablename <> all(:own)",
        schemas=list(SERVICES),
        own=list(_OWN),
    )
    found = {}
    for schema, table in tables:
        rows = f"select count(*), md5(string_agg(row::text, '' order by row::text)) from {schema}.{table} as row"  # noqa: S608
        found[f"{schema}.{table}"] = (await house.rows(rows))[0]
    return found


async def test_of_twenty_who_change_the_same_version_of_a_case_one_wins(house: House) -> None:
    journey = Journey(house.world(), 900)
    await journey.receive()
    case = await journey.becomes("assessed")
    agent = case["assignment"][-1]["agent"]
    engineer = house.world().acts(agent["staff_id"], agent["name"], Role.AGENT)
    await house.settled()
    url = f"{house.fleet.urls['resolution']}/v1/cases/{journey.id}"
    version = (await house.http.get(url, headers=dict(engineer.headers))).headers["ETag"]

    async def change(n: int) -> int:
        headers = {**engineer.headers, "If-Match": version}
        body = {"method": "expert", "nature": "fact", "text": f"检查 {n}"}
        return (await house.http.post(f"{url}/findings", json=body, headers=headers)).status_code

    answers = Counter(await asyncio.gather(*(change(n) for n in range(20))))
    assert answers == {201: 1, 412: 19}
    assert len((await journey.becomes("assessed"))["findings"]) == 1
