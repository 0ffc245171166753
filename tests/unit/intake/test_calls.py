"""Calls of the hotline: events in any order are one call, and complete the record that a seat typed."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from intake_service.channels.cti import EXAMPLE, CallEvent, CallStep
from intake_service.domain.calls import completed, masked_caller, merged
from intake_service.domain.record import NewComplaint
from tests.unit.intake.test_wecom_messages import ANY_JSON

TEN = datetime(2024, 5, 10, 2, 0, tzinfo=UTC)


def call(step, minute, **told):
    body = {"event": step, "call_id": "c-1", "at": (TEN + timedelta(minutes=minute)).isoformat(), **told}
    return CallEvent.model_validate_json(json.dumps(body)).call.with_number("CN")


LIFE = [
    call("ringing", 0, caller="13812341234"),
    call("started", 1, seat="seat-07"),
    call("started", 4, seat="seat-09"),
    call("ended", 9, duration_seconds=480, seat="seat-09"),
    call("recorded", 10, recording_url="https://pbx.example/r/1.wav"),
]


def folded(events):
    first, *rest = events
    for each in rest:
        first = merged(first, each)
    return first


def test_events_in_any_order_and_doubled_are_one_call():
    found = folded(LIFE)
    assert (found.rang_at, found.started_at, found.ended_at) == (
        TEN,
        TEN + timedelta(minutes=1),
        TEN + timedelta(minutes=9),
    )
    assert found.seat is not None
    assert (found.seat[1], found.duration_seconds, found.phone) == ("seat-09", 480, "+8613812341234")
    assert {folded([*order, order[0]]) for order in permutations(LIFE)} == {found}


_EVENTS = st.builds(
    call,
    st.sampled_from(["ringing", "started", "ended"]),
    st.integers(0, 3),
    caller=st.sampled_from(["", "13812341234", "13912341234", "anonymous"]),
    seat=st.sampled_from(["", "a", "b"]),
    duration_seconds=st.none() | st.integers(0, 3),
)


@settings(max_examples=80, deadline=None)
@given(st.tuples(_EVENTS, _EVENTS, _EVENTS))
def test_what_is_known_of_a_call_is_a_semilattice(events):
    one, two, three = events
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one, one) == one


def record(**told):
    channel = {"channel": "hotline", "account": "4008001234", "message_id": "c-1"}
    return NewComplaint.model_validate({"channel": channel, "symptom": "打不开", **told})


def test_a_record_takes_the_number_the_beginning_and_the_seat_from_its_call():
    found = completed(record(), folded(LIFE), TEN + timedelta(minutes=20))
    assert found.complainant.phones == ("+8613812341234",)
    assert (found.received_at, found.channel.seat) == (TEN + timedelta(minutes=1), "seat-09")


def test_what_the_seat_typed_stays():
    typed = record(complainant={"phones": ["13912341234"]})
    typed = typed.model_copy(
        update={"received_at": TEN, "channel": typed.channel.model_copy(update={"seat": "seat-01"})}
    )
    assert completed(typed, folded(LIFE), TEN + timedelta(minutes=20)) == typed


def test_a_call_never_makes_a_good_record_impossible():
    late = record().model_copy(update={"happened_at": TEN + timedelta(minutes=3)})
    assert completed(late, folded(LIFE), TEN + timedelta(minutes=20)).received_at is None
    assert completed(record(), folded(LIFE), TEN).received_at is None


@pytest.mark.parametrize(("caller", "shown"), [("13812341234", "138****1234"), ("8001", "8***"), ("+", "?***")])
def test_callers_are_masked_and_what_is_no_number_is_nobodys_identity(caller, shown):
    found = call("ringing", 0, caller=caller)
    assert masked_caller(found) == shown
    assert (found.phone is None) == (caller != "13812341234")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*EXAMPLE, "recording_url"]), ANY_JSON, max_size=3))
def test_whatever_a_telephone_system_sends_is_an_event_or_refused(changes):
    try:
        event = CallEvent.model_validate({**EXAMPLE, "at": TEN, "event": CallStep.ENDED, **changes})
    except ValidationError:
        return
    assert event.call.with_number("CN").last_at == event.at
