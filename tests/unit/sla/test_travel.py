"""The users' own case seen from other instants. Expectations are worked out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.vocabulary import CaseState, Channel, ClockStatus, Metric, Purpose, Urgency
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import ledger
from sla_service.clocks.travel import Vantage, fold_at, looked_until
from sla_service.domain.changes import view_at
from sla_service.domain.facts_of import fact_of
from tests.unit.sla.history import BOOK, Story, at, folded, shown
from tests.unit.sla.own_case import own_case
from tests.unit.sla.test_ledger_and_order import FACTS, MINUTE, tell

RUNNING, FULFILLED, CANCELLED, PAUSED = (
    ClockStatus.RUNNING,
    ClockStatus.FULFILLED,
    ClockStatus.CANCELLED,
    ClockStatus.PAUSED,
)


def seen(story: Story, as_of: str, known_at: str | None = None) -> dict[tuple[Metric, int], ClockState]:
    facts = [fact for fact in map(fact_of, story.events) if fact is not None]
    vantage = Vantage(micros(at(as_of)), micros(at(known_at)) if known_at else None)
    return {(one.run.metric, one.run.cycle): one for one in fold_at(story.id, story.facts, facts, BOOK, vantage)}


def breached(state: ClockState, as_of: str) -> str | None:
    return shown(state.breached_at(looked_until(state, micros(at(as_of)))))


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("10:19", {}),
        (
            "10:25",
            {
                (Metric.FIRST_RESPONSE, 1): RUNNING,
                (Metric.RESOLUTION, 1): RUNNING,
                (Metric.PERIODIC_UPDATE, 1): RUNNING,
            },
        ),
        (
            "10:27",
            {
                (Metric.FIRST_RESPONSE, 1): FULFILLED,
                (Metric.RESOLUTION, 1): RUNNING,
                (Metric.PERIODIC_UPDATE, 1): RUNNING,
            },
        ),
        (
            "11:15",
            {
                (Metric.FIRST_RESPONSE, 1): FULFILLED,
                (Metric.RESOLUTION, 1): RUNNING,
                (Metric.PERIODIC_UPDATE, 1): FULFILLED,
                (Metric.PERIODIC_UPDATE, 2): RUNNING,
                (Metric.TRANSFER_RESPONSE, 1): RUNNING,
                (Metric.PROMISE, 1): RUNNING,
            },
        ),
        (
            "12:30",
            {
                (Metric.FIRST_RESPONSE, 1): FULFILLED,
                (Metric.RESOLUTION, 1): FULFILLED,
                (Metric.PERIODIC_UPDATE, 1): FULFILLED,
                (Metric.PERIODIC_UPDATE, 2): CANCELLED,
                (Metric.TRANSFER_RESPONSE, 1): FULFILLED,
                (Metric.PROMISE, 1): FULFILLED,
                (Metric.SURVEY, 1): RUNNING,
                (Metric.FOLLOW_UP, 1): RUNNING,
            },
        ),
    ],
)
def test_the_users_own_case_as_it_stood(as_of: str, expected: dict[tuple[Metric, int], ClockStatus]) -> None:
    assert {key: one.status for key, one in seen(own_case(), as_of).items()} == expected


def test_at_10_25_the_first_response_ran_and_was_not_yet_fulfilled() -> None:
    state = seen(own_case(), "10:25")[Metric.FIRST_RESPONSE, 1]
    view = view_at(state, 0, micros(at("10:25")))
    assert (view.status, view.fulfilled_at, view.on_time, view.breached_at) == (RUNNING, None, None, None)
    assert (view.due_at, view.owner_team) == (at("10:50"), "support")
    assert seen(own_case(), "10:20")[Metric.FIRST_RESPONSE, 1].run.team_id is None  # assigned at 10:21


def test_before_a_late_reply_was_recorded_the_breach_is_seen_and_after_it_is_not() -> None:
    story = Story()
    story.received()
    story.wrote("10:45", inbound=False, recorded="11:30")
    key = Metric.FIRST_RESPONSE, 1
    before, after = seen(story, "11:29", "11:29")[key], seen(story, "11:30", "11:30")[key]
    assert (before.status, breached(before, "11:29")) == (RUNNING, "05-10 10:50")
    assert (after.status, breached(after, "11:30")) == (FULFILLED, None)
    # By all that is known today it was answered at 10:45, also where one looks at 11:29.
    assert (seen(story, "11:29")[key].status, seen(story, "10:44")[key].status) == (FULFILLED, RUNNING)
    # Both: by what was known at 11:29 it still ran at 10:50 and showed no breach at that very instant.
    both = seen(story, "10:50", "11:29")[key]
    assert (both.status, breached(both, "10:50")) == (RUNNING, None)


def test_what_was_not_known_of_did_not_exist_for_those_who_looked() -> None:
    story = Story()
    story.received()
    story.transfer("10:30")
    story.transfer_answered("11:00", recorded="12:00")
    assert seen(story, "11:30", "10:19") == {}
    assert (Metric.TRANSFER_RESPONSE, 1) not in seen(story, "11:30", "10:29")
    assert seen(story, "11:30", "11:30")[Metric.TRANSFER_RESPONSE, 1].status is RUNNING


def test_a_rise_of_urgency_counts_from_its_own_instant() -> None:
    story = Story()
    story.received()
    story.classified("10:40", Urgency.HIGH)
    assert shown(seen(story, "10:39")[Metric.RESOLUTION, 1].due) == "05-11 10:20"
    assert shown(seen(story, "10:40")[Metric.RESOLUTION, 1].due) == "05-10 12:20"


def test_a_clock_that_stood_still_had_not_warned_however_long_it_stood() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2)
    state = seen(story, "15:00")[Metric.RESOLUTION, 1]
    view = view_at(state, 0, looked_until(state, micros(at("15:00"))))
    assert (view.status, view.warned_at, view.breached_at) == (PAUSED, None, None)


def test_a_complaint_found_outside_was_not_recorded_before_it_was_recorded() -> None:
    story = Story(channel=Channel.SOCIAL)
    story.received(made="09:00")
    received = story.events[0].model_copy(update={"recorded_at": at("10:40")})
    story.events[0] = received
    assert seen(story, "10:30")[Metric.RECORDING, 1].status is RUNNING
    assert seen(story, "10:40")[Metric.RECORDING, 1].status is FULFILLED
    assert seen(story, "10:40", "10:39") == {}


def test_the_ledger_ends_where_one_looks() -> None:
    state = seen(own_case(), "11:15")[Metric.RESOLUTION, 1]
    (ran,) = ledger(state, micros(at("11:15")))
    assert (shown(ran.begin), shown(ran.end), ran.kind.value) == ("05-10 10:20", "05-10 11:15", "ran")


def test_a_survey_that_was_sent_later_is_absent_before_its_resolution() -> None:
    story = own_case()
    story.delivered("13:00", Purpose.SURVEY, cycle=1)
    assert (Metric.SURVEY, 1) not in seen(story, "12:29")


@settings(max_examples=60)
@given(FACTS, st.integers(0, 3100))
def test_to_look_at_an_instant_is_to_fold_what_had_happened_and_at_the_end_is_the_fold_itself(
    facts: list[tuple[str, int]], minute: int
) -> None:
    story = tell(facts)
    end = max(micros(one.occurred_at) for one in story.events)
    told = [fact for fact in map(fact_of, story.events) if fact is not None]
    whole = [one for one in folded(story).clocks if not one.run.void]
    assert list(fold_at(story.id, story.facts, told, BOOK, Vantage(end))) == whole
    assert list(fold_at(story.id, story.facts, told, BOOK, Vantage(end, end))) == whole
    as_of = micros(at("10:20")) + minute * MINUTE
    for state in fold_at(story.id, story.facts, told, BOOK, Vantage(as_of)):
        assert state.run.start <= as_of
        assert state.run.end is None or state.run.end.at <= as_of
        assert (state.breached_at(looked_until(state, as_of)) or as_of) <= as_of
        assert sum(one.end - one.begin for one in ledger(state, as_of)) == (
            (state.run.end.at if state.run.end else as_of) - state.run.start
        )
