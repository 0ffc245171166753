"""What can't be handled: neighbours go on, the dead letter says why, a replay works."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import Refused
from shared.bus.deadletters import DeadLetter, NoSuchDeadLetter, list_dead_letters, replay, replay_all, show
from shared.bus.kafka import KafkaBus, KafkaSettings
from shared.ids import new_id
from tests.support.bus import QUICK, Thing, Town, happened, until, write_down

Handler = Callable[[Sequence[Thing], AsyncSession, Any], Awaitable[None]]


def failing(on: set[str], error: Exception, calls: list[list[str]] | None = None) -> Handler:
    """A handler that fails for the things in `on`, after it has written."""

    async def handle(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
        if calls is not None:
            calls.append([event.thing for event in events])
        await write_down(events, tx, deps)
        if any(event.thing in on for event in events):
            raise error

    return handle


async def dead(town: Town, count: int, name: str = "beta") -> list[DeadLetter]:
    async def enough() -> bool:
        return len(await list_dead_letters(town.databases[name])) >= count

    await until(enough, what=f"{count} dead letters")
    return await list_dead_letters(town.databases[name])


async def test_one_bad_event_harms_no_other_of_its_batch(town: Town) -> None:
    await town.publish(*[happened(town.contracts.noted, thing) for thing in "abxcd"])
    await town.bus(town.member("alpha", None), town.member("beta", failing({"x"}, ValueError("no x today"))))
    assert sorted(await town.hears("beta", 4)) == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    [letter] = await dead(town, 1)
    assert (letter.key, letter.reason, letter.attempts) == ("x", "failed", 3)
    assert letter.error == "ValueError: no x today"
    assert letter.type == "test.thing.noted.v1"
    await town.delivered()
    assert sorted(await town.heard("beta")) == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]


async def test_an_event_that_fails_at_first_succeeds_in_a_later_attempt(town: Town) -> None:
    bus = await town.bus()
    bus.faults.fail("consumer.before_handler", "beta", RuntimeError("a bad moment"), times=3)
    await bus.attach(town.member("alpha", None))
    await bus.attach(town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1), happened(town.contracts.noted, "a", 2))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    assert await list_dead_letters(town.databases["beta"]) == []


async def test_later_events_of_the_key_wait_for_the_back_off_and_then_go_on(town: Town) -> None:
    async def handle(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
        await write_down(events, tx, deps)
        if any((event.thing, event.n) == ("x", 1) for event in events):
            raise ValueError("never")

    await town.publish(*[happened(town.contracts.noted, thing, n) for n in (1, 2, 3) for thing in "ax"])
    await town.bus(town.member("alpha", None), town.member("beta", handle))
    found = await town.hears("beta", 5)
    assert [n for thing, n in found if thing == "a"] == [1, 2, 3]
    assert [n for thing, n in found if thing == "x"] == [2, 3]
    assert len(await dead(town, 1)) == 1


async def test_a_refused_event_is_not_tried_again(town: Town) -> None:
    calls: list[list[str]] = []
    await town.bus(
        town.member("alpha", None), town.member("beta", failing({"x"}, Refused("the case is closed"), calls))
    )
    await town.publish(happened(town.contracts.noted, "x"))
    [letter] = await dead(town, 1)
    assert (letter.reason, letter.error, letter.attempts) == ("refused", "the case is closed", 1)
    assert calls == [["x"], ["x"]], "once in its list and once alone"


@pytest.mark.parametrize(
    ("event_type", "value", "reason", "error"),
    [
        ("test.thing.noted.v1", b"\xff\x00 not json", "bad-bytes", "Invalid JSON"),
        ("test.thing.noted.v1", b'{"thing": "k"}', "bad-bytes", "event_id: Field required"),
        ("test.thing.noted.v1", None, "bad-bytes", "the record has no value"),
        ("test.thing.vanished.v1", b"{}", "unknown-type", "test.thing.vanished.v1: no contract has this type"),
        ("test.thing.noted.v9", b"{}", "unknown-version", "test.thing.noted.v9: this version"),
        ("", b"{}", "bad-bytes", "no ce_type header"),
    ],
)
async def test_what_cannot_be_read_is_a_dead_letter_at_once(
    town: Town, event_type: str, value: bytes | None, reason: str, error: str
) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a"))
    await town.publish_raw(type=event_type, value=value)
    await town.publish(happened(town.contracts.noted, "b"))
    assert sorted(await town.hears("beta", 2)) == [("a", 1), ("b", 1)]
    [letter] = await dead(town, 1)
    assert (letter.reason, letter.key) == (reason, "k")
    assert error in letter.error
    assert (await show(town.databases["beta"], letter.id)).payload == value


async def test_an_event_of_5_mb_is_a_dead_letter_and_can_be_replayed(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    big = happened(town.contracts.noted, "big", text="x" * 5_000_000)
    await town.publish_raw(key="big", value=big.model_dump_json().encode())
    await town.publish(happened(town.contracts.noted, "a"))
    assert await town.hears("beta", 1) == [("a", 1)]
    [letter] = await dead(town, 1)
    assert letter.reason == "too-big"
    assert letter.error.endswith("bytes; the limit is 1000000")
    await replay(town.databases["beta"], letter.id)
    assert await town.hears("beta", 2) == [("a", 1), ("big", 1)]


@pytest.mark.kafka
async def test_a_key_with_a_nul_in_poison_does_not_stop_the_consumer(kafka_town: Town) -> None:
    town = kafka_town
    await town.bus(town.member("alpha", None), town.member("beta"))
    producer = AIOKafkaProducer(**kafka_settings_of(town))
    await producer.start()
    await producer.send_and_wait(
        town.contracts.noted.TOPIC, b"?", key=b"\x00\xff", headers=[("ce_type", b"a\x00b"), ("odd", b"\x00\xfe")]
    )
    await producer.stop()
    [letter] = await dead(town, 1)
    assert letter.reason == "unknown-type"


def kafka_settings_of(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.buses[0]._kafka.producer  # type: ignore[attr-defined]
    return found


async def test_too_many_dead_letters_in_a_row_stop_the_consumer_until_it_is_restarted(town: Town) -> None:
    handler = failing(set("abcdefghijklmnopqrst"), ValueError("a bad deploy"))
    beta = town.member("beta", handler, settings=replace(QUICK, breaker=5, attempts=1))
    bus = await town.bus(town.member("alpha", None), beta, town.member("gamma"))
    await town.publish(*[happened(town.contracts.noted, thing) for thing in "abcdefghijklmnopqrst"])

    async def stopped() -> bool:
        return bus.health("beta").stopped is not None

    await until(stopped, what="the breaker opens")
    assert not bus.health("beta").ready
    assert "dead letters in a row" in (bus.health("beta").stopped or "")
    assert bus.health("gamma").ready
    assert len(await town.hears("gamma", 20)) == 20
    buried = await town.count("beta", "dead_letters")
    assert 5 <= buried < 10, "those that were under way at the same time may still come"

    await bus.detach("beta")
    await bus.attach(town.member("beta"))
    assert len(await town.hears("beta", 20 - buried)) == 20 - buried
    assert bus.health("beta").ready


async def test_unreadable_records_in_a_row_open_the_breaker_before_the_topic_is_emptied(town: Town) -> None:
    bus = await town.bus(town.member("alpha", None), town.member("beta", settings=replace(QUICK, breaker=5)))
    for _ in range(30):
        await town.publish_raw(key=new_id().hex, value=b"?")

    async def stopped() -> bool:
        return bus.health("beta").stopped is not None

    await until(stopped, what="the breaker opens")
    assert 5 <= await town.count("beta", "dead_letters") < 10


async def test_a_dead_letter_is_replayed_to_its_consumer_alone(town: Town) -> None:
    broken = {"x"}
    bug = ValueError("a bug")
    handler = failing(broken, bug)
    await town.bus(town.member("alpha", None), town.member("beta", handler), town.member("gamma"))
    await town.publish(happened(town.contracts.noted, "x", 5))
    [letter] = await dead(town, 1)
    assert await town.hears("gamma", 1) == [("x", 5)]
    beta = town.databases["beta"]
    bug.args = ("another bug",)
    await replay(beta, letter.id)

    async def died_again() -> bool:
        found = await show(beta, letter.id)
        return (found.state, found.attempts, found.error) == ("dead", 4, "ValueError: another bug")

    await until(died_again, what="a replay that fails")
    broken.clear()
    assert await replay_all(beta) == 1
    assert await town.hears("beta", 1) == [("x", 5)]

    async def replayed() -> bool:
        return (await show(beta, letter.id)).state == "replayed"

    await until(replayed)
    assert (await show(beta, letter.id)).replayed_at is not None
    await town.delivered()
    await town.delivered(by="beta")
    assert await town.heard("gamma") == [("x", 5)]
    assert await list_dead_letters(beta, state="dead") == []


async def test_an_unknown_dead_letter_is_said_to_be_unknown(town: Town) -> None:
    with pytest.raises(NoSuchDeadLetter, match="beta has no dead letter"):
        await replay(town.databases["beta"], new_id())
    with pytest.raises(NoSuchDeadLetter):
        await show(town.databases["beta"], new_id())


async def test_dead_letters_are_listed_page_by_page_the_newest_first(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta", failing({"a", "b", "c"}, Refused("no"))))
    for thing in "abc":
        await town.publish(happened(town.contracts.noted, thing))
        await dead(town, "abc".index(thing) + 1)
    beta = town.databases["beta"]
    first = await list_dead_letters(beta, limit=2)
    assert [letter.key for letter in first] == ["c", "b"]
    rest = await list_dead_letters(beta, limit=2, after=first[-1].id)
    assert [letter.key for letter in rest] == ["a"]


async def test_the_effects_of_a_failed_event_are_undone_before_it_is_tried_again(town: Town) -> None:
    bus = await town.bus()
    bus.faults.fail("consumer.mid_handler", "beta", RuntimeError("after the handler"), times=2)
    await bus.attach(town.member("alpha", None))
    await bus.attach(town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a"))
    assert await town.hears("beta", 1) == [("a", 1)]
    async with town.databases["beta"].reading() as session:
        assert (await session.execute(text("select serial from heard"))).scalars().all() == [3]


@pytest.mark.kafka
async def test_on_kafka_the_dead_letter_topic_has_it_too_with_its_reason(kafka_town: Town) -> None:
    town = kafka_town
    await town.bus(town.member("alpha", None), town.member("beta", failing({"x"}, Refused("the case is closed"))))
    event = happened(town.contracts.noted, "x", 9)
    await town.publish(event)
    await dead(town, 1)
    await town.delivered(by="beta")
    reader = AIOKafkaConsumer(
        "redress.beta.dlq",
        bootstrap_servers=kafka_settings_of(town)["bootstrap_servers"],
        auto_offset_reset="earliest",
        group_id=None,
    )
    await reader.start()
    try:
        async for record in reader:
            headers = dict(record.headers)
            if headers["ce_id"] == str(event.event_id).encode():
                break
    finally:
        await reader.stop()
    assert record.key == b"x"
    assert headers["redress_reason"] == b"refused"
    assert headers["redress_error"] == b"the case is closed"
    assert headers["redress_topic"] == town.contracts.noted.TOPIC.encode()
    assert headers["ce_source"] == b"/redress/beta"
    assert json.loads(record.value)["n"] == 9


@pytest.mark.kafka
async def test_an_own_event_that_the_broker_will_never_take_is_set_aside_and_can_be_sent_again(
    kafka_town: Town,
) -> None:
    town = kafka_town
    settings: KafkaSettings = (await town.bus())._kafka  # type: ignore[attr-defined]
    narrow = KafkaBus(replace(settings, max_request_bytes=20_000))
    town.buses.append(narrow)
    await narrow.attach(town.member("alpha", None))
    await town.publish(
        happened(town.contracts.noted, "a", 1),
        happened(town.contracts.noted, "big", 2, text="x" * 50_000),
        happened(town.contracts.noted, "a", 3),
    )
    await town.delivered()
    [letter] = await dead(town, 1, "alpha")
    assert (letter.reason, letter.key) == ("undeliverable", "big")
    await narrow.close()
    await town.bus(town.member("alpha", None), town.member("beta"))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 3)]
    await replay(town.databases["alpha"], letter.id)
    assert await town.hears("beta", 3) == [("a", 1), ("a", 3), ("big", 2)]
