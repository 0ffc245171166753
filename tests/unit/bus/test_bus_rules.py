"""The bus's pure rules: waves, decoding, whose fault an error is, topics."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus.codec import Decoder, Item, Record, headers_of
from shared.bus.kafka import plan_topics
from shared.bus.transient import Fault, describe, fault_of
from shared.bus.waves import waves
from tests.support.bus import AT, Contracts, Thing, happened

CONTRACTS = Contracts.on("unit")


async def handle(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
    raise NotImplementedError


def decoder(*consumed: type[Thing], max_bytes: int = 1_000_000) -> Decoder:
    return Decoder(dict.fromkeys(consumed or CONTRACTS.all, handle), CONTRACTS.catalogue, max_bytes)


def record(event: Thing, position: int = 1) -> Record:
    headers = dict(headers_of(event.TYPE, event.key, event.event_id, "/redress/alpha", AT, None, None))
    return Record("lane", position, event.TOPIC, 0, event.key, headers, event.model_dump_json().encode())


def items(*events: Thing) -> list[Item]:
    return decoder().decode([record(event, position) for position, event in enumerate(events)])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_waves_keep_the_order_of_every_key_and_never_hold_two_of_one(what: list[tuple[str, bool]]) -> None:
    events = [
        happened(CONTRACTS.noted if noted else CONTRACTS.renamed, thing, n) for n, (thing, noted) in enumerate(what)
    ]
    seen: dict[str, list[int]] = {}
    for _, group in waves(items(*events)):
        keys = [item.key for item in group]
        assert len(set(keys)) == len(keys)
        assert len({item.contract for item in group}) == 1
        for item in group:
            seen.setdefault(item.key, []).append(item.record.position)
    assert seen == {
        thing: [n for n, (of, _) in enumerate(what) if of == thing] for thing in {thing for thing, _ in what}
    }


def test_a_wave_has_one_list_for_each_contract() -> None:
    noted, renamed = CONTRACTS.noted, CONTRACTS.renamed
    cut = waves(items(*[happened(contract, thing) for thing in "abc" for contract in (noted, renamed)]))
    assert [(group[0].contract, [item.key for item in group]) for _, group in cut] == [
        (noted, ["a", "b", "c"]),
        (renamed, ["a", "b", "c"]),
    ]


def test_cloudevents_travel_in_binary_mode() -> None:
    event = happened(CONTRACTS.noted, "a")
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    at = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)
    assert dict(headers_of(event.TYPE, "a", event.event_id, "/redress/intake", at, trace, {"x": "客户"})) == {
        "ce_specversion": b"1.0",
        "ce_id": str(event.event_id).encode(),
        "ce_type": b"test.thing.noted.v1",
        "ce_source": b"/redress/intake",
        "ce_subject": b"a",
        "ce_time": b"2024-05-10T02:20:00+00:00",
        "content-type": b"application/json",
        "traceparent": trace.encode(),
        "x": "客户".encode(),
    }


def test_fields_of_a_newer_writer_are_ignored() -> None:
    event = happened(CONTRACTS.noted, "a", 3)
    grown = {**json.loads(event.model_dump_json()), "since_v1_1": "?"}
    [item] = decoder().decode([record(event)._replace(value=json.dumps(grown).encode())])
    assert item.event == event


def test_another_version_of_what_is_not_consumed_is_none_of_our_business() -> None:
    strange = record(happened(CONTRACTS.noted, "a"))
    strange = strange._replace(headers={**strange.headers, "ce_type": b"test.thing.noted.v2"})
    assert decoder(CONTRACTS.renamed).decode([strange]) == []
    [item] = decoder(CONTRACTS.noted).decode([strange])
    assert item.poison is not None
    assert item.poison.reason == "unknown-version"


def test_poison_has_the_same_id_whenever_it_comes_and_never_that_of_an_event() -> None:
    event = happened(CONTRACTS.noted, "a")
    broken = record(event)._replace(value=b"?")
    [first], [second] = decoder().decode([broken]), decoder().decode([broken])
    assert first.event_id == second.event_id != event.event_id


def test_what_is_wrong_with_a_value_is_told_without_the_value() -> None:
    event = {**json.loads(happened(CONTRACTS.noted, "a").model_dump_json()), "n": "13800138000"}
    event["n"] = ["13800138000"]
    [item] = decoder().decode([record(happened(CONTRACTS.noted, "a"))._replace(value=json.dumps(event).encode())])
    assert item.poison is not None
    assert item.poison.error == "n: Input should be a valid integer (1 errors)"


@given(st.binary(max_size=60), st.dictionaries(st.text(max_size=8), st.binary(max_size=20), max_size=3))
def test_decoding_never_raises(value: bytes, headers: dict[str, bytes]) -> None:
    for event_type in (b"test.thing.noted.v1", value):
        decoder().decode([Record("lane", 1, "topic", 0, "key", {**headers, "ce_type": event_type}, value)])


class FromDriver(Exception):
    def __init__(self, state: str) -> None:
        super().__init__(f"state {state}")
        self.sqlstate = state


def from_database(state: str) -> DBAPIError:
    return DBAPIError("select 1", {"phone": "13800138000"}, FromDriver(state))


def test_a_database_that_is_away_is_nobodys_fault_and_a_violated_constraint_is_the_events() -> None:
    assert fault_of(from_database("57P01")) is Fault.AWAY
    assert fault_of(from_database("08006")) is Fault.AWAY
    assert fault_of(from_database("53300")) is Fault.AWAY
    assert fault_of(from_database("40P01")) is Fault.CONFLICT
    assert fault_of(from_database("40001")) is Fault.CONFLICT
    assert fault_of(from_database("23505")) is Fault.EVENT
    assert fault_of(ValueError("?")) is Fault.EVENT
    assert fault_of(ConnectionResetError()) is Fault.UNCLEAR


def test_an_error_is_described_in_one_line_without_the_statements_parameters() -> None:
    assert describe(from_database("23505")) == "DBAPIError: state 23505"
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"


def test_topics_are_planned_from_the_contracts() -> None:
    plans = {plan.name: plan for plan in plan_topics(12)}
    assert plans["redress.intake"].configs == {"cleanup.policy": "delete", "retention.ms": "604800000"}
    assert plans["redress.intake.contacts"].configs["cleanup.policy"] == "compact"
    assert plans["redress.triage.roster"].compacted
    assert plans["redress.triage.dlq"].partitions == 1
    assert plans["redress.sla"].partitions == 12
