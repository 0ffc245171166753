"""Facts that cannot be as they are told: from the future, before the receipt, doubled, out of order."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import CaseState, ClockStatus, ClockSubject, Metric, Urgency
from sla_service.clocks.facts import SKEW, corrected
from sla_service.clocks.instants import micros
from sla_service.clocks.travel import Vantage, fold_at
from sla_service.domain.facts_of import fact_of
from tests.unit.sla.history import BOOK, Story, at, clock, folded, shown
from tests.unit.sla.test_ledger_and_order import FACTS, adds_up, tell


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ("05-11 09:00", "10:40:00"),
        ("10:45:01", "10:40:00"),  # more than five minutes ahead of its record
        ("10:45:00", "10:45:00"),  # a clock elsewhere that runs a little fast is believed
        ("10:40:00", "10:40:00"),
        ("10:25:00", "10:25:00"),  # learned late
    ],
)
def test_an_answer_from_the_future_counts_from_its_record(told: str, counts: str) -> None:
    story = Story()
    story.received()
    story.wrote(told, inbound=False, recorded="10:40")
    end = clock(story, Metric.FIRST_RESPONSE).run.end
    assert end is not None
    assert (end.at, end.status) == (micros(at(counts)), ClockStatus.FULFILLED)


def test_a_reply_from_the_future_does_not_stretch_the_pause() -> None:
    story = Story(urgency=Urgency.HIGH)  # due at 12:20
    story.received()
    story.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2)
    story.wrote("2024-12-31 11:30:00", recorded="11:30")
    assert shown(clock(story, Metric.RESOLUTION).due) == "05-10 12:50"


def test_a_receipt_from_the_future_starts_its_clocks_when_it_was_recorded() -> None:
    story = Story(received="05-11 10:20")
    story.received()
    story.events[0] = story.events[0].model_copy(update={"recorded_at": at("10:20")})
    state = clock(story, Metric.FIRST_RESPONSE)
    assert (shown(state.run.start), shown(state.due)) == ("05-10 10:20", "05-10 10:50")


def test_a_complaint_that_was_made_in_the_future_was_recorded_at_once() -> None:
    story = Story()
    story.received(made="05-12 10:20")
    state = clock(story, Metric.RECORDING)
    assert (shown(state.run.start), state.late, state.status) == ("05-10 10:20", False, ClockStatus.FULFILLED)


def test_what_was_told_of_the_future_is_kept_beside_what_counts() -> None:
    story = Story()
    story.received()
    fact = fact_of(story.wrote("05-12 10:20", inbound=False, recorded="10:40"))
    assert fact is not None
    assert (shown(fact.at), shown(fact.told)) == ("05-10 10:40", "05-12 10:20")
    good = fact_of(story.events[0])
    assert good is not None
    assert corrected([good, fact]) == (fact,)


def test_time_travel_sees_a_fact_from_the_future_from_its_record_on() -> None:
    story = Story()
    story.received()
    story.wrote("05-12 10:20", inbound=False, recorded="10:40")
    facts = [fact for fact in map(fact_of, story.events) if fact]
    statuses = []
    for when in ("10:39", "10:40"):
        states = fold_at(story.id, story.facts, facts, BOOK, Vantage(micros(at(when))))
        statuses += [state.status for state in states if state.run.metric is Metric.FIRST_RESPONSE]
    assert statuses == [ClockStatus.RUNNING, ClockStatus.FULFILLED]


def test_a_resolution_before_the_receipt_counts_at_the_receipt_and_what_follows_it_too() -> None:
    story = Story()
    story.received()
    story.resolved("09:00")
    state = clock(story, Metric.RESOLUTION)
    assert state.run.end is not None
    assert (shown(state.run.end.at), state.late, state.status) == ("05-10 10:20", False, ClockStatus.FULFILLED)
    assert clock(story, Metric.FIRST_RESPONSE).status is ClockStatus.FULFILLED


def test_one_thing_told_twice_under_two_ids_counts_once_and_at_its_first_instant() -> None:
    story, twice = Story(), Story()
    for one, times in ((story, 1), (twice, 2)):
        one.received()
        one.transfer("10:30")
        for _ in range(times):
            one.transfer_answered("11:00")
            one.resolved("12:00")
    twice.resolved("12:30")
    assert [(one.clock_id, one.due, one.status, one.late) for one in folded(twice).clocks] == [
        (one.clock_id, one.due, one.status, one.late) for one in folded(story).clocks
    ]
    end = clock(twice, Metric.RESOLUTION).run.end
    assert end is not None
    assert shown(end.at) == "05-10 12:00"


def test_a_task_that_is_told_as_a_departments_and_as_a_partners_has_one_clock_from_the_first() -> None:
    for external in (True, False):
        story = Story()
        story.received()
        story.transfer("10:22", external=not external)
        story.transfer("10:21", external=external)
        tasks = [one for one in folded(story).clocks if one.run.subject is ClockSubject.TRANSFER]
        assert [shown(one.run.start) for one in tasks] == ["05-10 10:21"]


@settings(max_examples=100)
@given(FACTS, st.lists(st.integers(-5000, 5000), min_size=15, max_size=15), st.randoms(use_true_random=False))
def test_whatever_the_clocks_elsewhere_show_every_ledger_adds_up_and_the_order_does_not_matter(
    facts: Sequence[tuple[str, int]], drifts: list[int], random
) -> None:
    """Each fact is recorded so many minutes before or after the instant it tells."""
    story = tell(facts)
    story.events = [
        event.model_copy(update={"recorded_at": event.occurred_at + timedelta(minutes=drift)})
        for event, drift in zip(story.events, drifts, strict=False)
    ]
    states = {one.clock_id: one for one in folded(story).clocks}
    shuffled: list[Event] = story.events * 2
    random.shuffle(shuffled)
    assert {one.clock_id: one for one in folded(story, shuffled).clocks} == states
    last = max(micros(event.recorded_at) for event in story.events)
    for state in states.values():
        adds_up(state, last + SKEW)
        assert state.run.end is None or state.run.end.at <= last + SKEW
