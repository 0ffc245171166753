"""What may stop a clock, for how long, and what is wrong with a pause. Expectations are worked out by hand."""

from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from shared.contracts.vocabulary import CaseState, ClockStatus, Metric, Urgency
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import ledger
from sla_service.clocks.pauses import findings
from sla_service.clocks.policy import Book, PolicyVersion, Rule
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story, at, clock, folded, shown
from tests.unit.sla.test_ledger_and_order import FACTS, rows, tell


def book(**terms: Any) -> Book:
    """The default policies with other terms for the pauses of the resolution, two hours long at high urgency."""
    spec = STANDARD[0].model_dump(mode="json")
    spec["rules"]["resolution"]["pause_terms"] = terms
    return Book(
        [PolicyVersion.model_validate({"spec": spec, "version": 1, "valid_from": LONG_AGO})],
        BOOK.calendars,
    )


def waiting(since: str = "11:00", asked: str | None = None, until: str | None = None) -> Story:
    """Received at 10:20 with high urgency, so due at 12:20; the customer's reply ends the pause."""
    story = Story(urgency=Urgency.HIGH)
    story.received()
    if asked:
        story.wrote(asked, inbound=False)
    story.moved(since, CaseState.WAITING_CUSTOMER, revision=2)
    if until:
        story.wrote(until)
    return story


def wrong(state: ClockState) -> list[tuple[list[str], str | None, str | None]]:
    found = findings(state.pauses, state.run.end.at if state.run.end else None)
    return [([kind.value for kind in one.wrong], shown(one.begin), shown(one.end)) for one in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, True),
        ("11:00", False),
        ("11:00:01", True),
        ("10:30", False),
        ("05-09 11:00", False),
        ("05-09 10:59:59", True),
    ],
)
def test_a_pause_needs_a_question_within_the_day_before_or_at_its_beginning(asked: str | None, found: bool) -> None:
    state = clock(waiting(asked=asked, until="11:30"), Metric.RESOLUTION, book=book(evidence=True))
    assert wrong(state) == ([(["no_question"], "05-10 11:00", "05-10 11:30")] if found else [])
    assert shown(state.due) == "05-10 12:50"  # found, but not given back


@pytest.mark.parametrize(
    ("since", "found"),
    [("12:04", False), ("12:05", False), ("12:05:01", True), ("12:20", True), ("12:20:01", False), ("13:00", False)],
)
def test_a_pause_shortly_before_the_due_instant_is_found_and_one_after_it_gains_nothing(
    since: str, found: bool
) -> None:
    state = clock(waiting(since=since), Metric.RESOLUTION, book=book(not_before_due="PT15M"))
    assert [kinds for kinds, _, _ in wrong(state)] == ([["near_deadline"]] if found else [])


def test_an_end_within_a_pause_leaves_the_warning_where_it_was() -> None:
    story = waiting(since="12:00")  # due 12:20, warned 11:56
    warned = clock(story, Metric.RESOLUTION).warn
    story.resolved("18:00")
    ended = clock(story, Metric.RESOLUTION)
    assert (shown(warned), shown(ended.warn), shown(ended.due)) == ("05-10 11:56", "05-10 11:56", "05-10 18:20")


def test_near_the_deadline_is_told_by_the_due_instant_that_stood_when_the_pause_began() -> None:
    story = waiting(since="11:00", until="12:00")  # due 13:20 then
    story.moved("12:15", CaseState.WAITING_CUSTOMER, revision=3)
    story.wrote("12:30")  # due 13:35 then
    story.moved("13:25", CaseState.WAITING_CUSTOMER, revision=4)
    state = clock(story, Metric.RESOLUTION, book=book(not_before_due="PT15M"))
    assert wrong(state) == [(["near_deadline"], "05-10 13:25", None)]


def test_beyond_the_longest_time_the_clock_runs_on_by_itself_and_the_ledger_says_so() -> None:
    state = clock(waiting(), Metric.RESOLUTION, book=book(longest="PT30M"))
    assert (shown(state.due), state.status, shown(state.resumes)) == (
        "05-10 12:50",
        ClockStatus.RUNNING,
        "05-10 11:30",
    )
    assert state.status_at(micros(at("11:29"))) is ClockStatus.PAUSED
    assert state.status_at(micros(at("11:30"))) is ClockStatus.RUNNING
    assert rows(state, "13:00") == [
        ("05-10 10:20", "05-10 11:00", "ran", "started", False),
        ("05-10 11:00", "05-10 11:30", "paused", "waiting_customer", False),
        ("05-10 11:30", "05-10 12:50", "ran", "pause_used_up", False),
        ("05-10 12:50", "05-10 13:00", "ran", "pause_used_up", True),
    ]


def test_the_longest_time_is_that_of_all_pauses_of_the_clock_together() -> None:
    story = waiting(until="11:20")
    story.moved("11:40", CaseState.WAITING_CUSTOMER, revision=3)
    story.wrote("12:00")
    story.moved("12:10", CaseState.WAITING_CUSTOMER, revision=4)
    state = clock(story, Metric.RESOLUTION, book=book(longest="PT30M"))
    assert shown(state.due) == "05-10 12:50"
    assert [row[:4] for row in rows(state, "12:20")] == [
        ("05-10 10:20", "05-10 11:00", "ran", "started"),
        ("05-10 11:00", "05-10 11:20", "paused", "waiting_customer"),
        ("05-10 11:20", "05-10 11:40", "ran", "resumed"),
        ("05-10 11:40", "05-10 11:50", "paused", "waiting_customer"),
        ("05-10 11:50", "05-10 12:00", "ran", "pause_used_up"),
        ("05-10 12:00", "05-10 12:10", "ran", "resumed"),
        ("05-10 12:10", "05-10 12:20", "ran", "pause_used_up"),
    ]


def test_the_customers_word_ends_a_pause_and_its_finding() -> None:
    state = clock(waiting(until="11:10"), Metric.RESOLUTION, book=book(evidence=True, longest="PT30M"))
    assert wrong(state) == [(["no_question"], "05-10 11:00", "05-10 11:10")]
    assert (shown(state.due), state.resumes) == ("05-10 12:30", None)


def test_an_illegitimate_pause_is_given_back_to_the_clock_where_the_policy_says_so() -> None:
    terms = {"evidence": True, "not_before_due": "PT15M", "give_back": True}
    state = clock(waiting(until="11:30"), Metric.RESOLUTION, book=book(**terms))
    assert (shown(state.due), state.status) == ("05-10 12:20", ClockStatus.RUNNING)
    assert wrong(state) == [(["no_question"], "05-10 11:00", "05-10 11:30")]
    assert [row[:4] for row in rows(state, "11:40")] == [
        ("05-10 10:20", "05-10 11:00", "ran", "started"),
        ("05-10 11:00", "05-10 11:30", "ran", "given_back_no_question"),
        ("05-10 11:30", "05-10 11:40", "ran", "resumed"),
    ]


def test_a_pause_that_was_given_back_uses_up_nothing_of_the_longest_time() -> None:
    story = waiting(until="11:20")  # nothing was asked
    story.wrote("11:30", inbound=False)
    story.moved("11:40", CaseState.WAITING_CUSTOMER, revision=3)
    state = clock(story, Metric.RESOLUTION, book=book(evidence=True, give_back=True, longest="PT30M"))
    assert (shown(state.due), shown(state.resumes)) == ("05-10 12:50", "05-10 12:10")


def test_a_finding_ends_with_the_clock() -> None:
    story = waiting()
    story.resolved("11:15")
    state = clock(story, Metric.RESOLUTION, book=book(evidence=True))
    assert wrong(state) == [(["no_question"], "05-10 11:00", "05-10 11:15")]
    assert not state.late


def test_a_question_that_is_heard_of_late_clears_the_pause_whatever_the_order() -> None:
    terms = book(evidence=True, give_back=True)
    story = waiting(asked="10:50", until="11:30")
    for events in (story.events, list(reversed(story.events))):
        (state,) = [one for one in folded(story, events, terms).clocks if one.run.metric is Metric.RESOLUTION]
        assert (shown(state.due), wrong(state)) == ("05-10 12:50", [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pause_terms": {"longest": "PT1H"}}, "no reason in `pauses`"),
        ({"pauses": ["waiting_customer"], "pause_terms": {"give_back": True}}, "gives nothing back"),
        ({"pauses": ["waiting_customer"], "pause_terms": {"longest": "PT0S"}}, "greater than 0"),
        ({"pauses": ["lunch"]}, "waiting_customer"),
    ],
)
def test_terms_that_cannot_hold_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Rule.model_validate({"every": {"due": {"kind": "elapsed", "time": "PT1H"}}, **changes})


@settings(max_examples=100)
@given(FACTS)
def test_under_any_terms_the_ledger_has_no_gap_and_pauses_keep_to_the_longest_time(
    facts: list[tuple[str, int]],
) -> None:
    terms = book(evidence=True, not_before_due="PT15M", give_back=True, longest="PT45M")
    now = micros(at("05-13 10:20"))
    for state in folded(tell(facts), book=terms).clocks:
        segments = ledger(state, now)
        begin = state.run.start
        for one in segments:
            assert one.begin == begin
            begin = one.end
        assert begin == (state.run.end.at if state.run.end else max(now, state.run.start))
        assert sum(one.end - one.begin for one in segments if one.kind.value == "paused") <= 45 * 60_000_000


@settings(max_examples=60)
@given(FACTS)
def test_giving_back_never_puts_the_due_instant_off(facts: list[tuple[str, int]]) -> None:
    story = tell(facts)
    strict, lax = book(evidence=True, give_back=True), book(evidence=True)
    found = {one.clock_id: one for one in folded(story, book=lax).clocks}
    for state in folded(story, book=strict).clocks:
        assert state.due <= found[state.clock_id].due
