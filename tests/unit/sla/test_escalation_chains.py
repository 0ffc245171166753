"""Escalation chains as data (F10): when each step is due, and which are left out. Expectations are worked out by hand.

Friday 2024-05-10, and Saturday the 11th is a make-up working day; the office is open 09:00-12:00 and 13:00-18:00.
"""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.vocabulary import Metric
from sla_service.clocks.policy import Book, PolicySpec, PolicyVersion, Rule
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story, clock, folded, shown

DUE = {"due": {"kind": "own"}}


def spec_with(*steps: dict[str, Any], calendar: str = "cn-office") -> PolicySpec:
    """The default policy with this chain for promises to the customer."""
    spec = STANDARD[0].model_dump(mode="json")
    spec["calendar"] = calendar
    spec["rules"]["promise"] = {"every": DUE, "escalation": list(steps)}
    return PolicySpec.model_validate(spec)


def steps_of(*steps: dict[str, Any], made: str = "16:30", due: str = "17:30") -> list[str | None]:
    story = Story()
    story.received()
    story.promised(made, due=due)
    book = Book([PolicyVersion(spec=spec_with(*steps), version=1, valid_from=LONG_AGO)], BOOK.calendars)
    return [shown(step) for step in clock(story, Metric.PROMISE, book=book).steps]


def test_a_delay_in_business_time_waits_for_the_office_to_open() -> None:
    assert steps_of(
        {"role": "agent", "business": True},
        {"role": "team_lead", "after": "PT2H", "business": True},
        {"role": "department_manager", "after": "PT8H", "business": True},
        {"role": "executive", "after": "PT16H", "business": True},
    ) == ["05-10 17:30", "05-11 10:30", "05-11 17:30", "05-13 17:30"]


def test_a_share_in_business_time_is_one_of_the_working_time_that_was_allowed() -> None:
    # From 11:00 to 17:30 are 5.5 hours of working time and 6.5 of plain time; half an hour of Friday is left.
    half = {"role": "agent", "share": 0.5}
    assert steps_of({**half, "business": True}, made="11:00") == ["05-11 11:15"]
    assert steps_of(half, made="11:00") == ["05-10 20:45"]


def test_a_step_is_never_due_before_the_one_before_it() -> None:
    # Two hours of working time end on Saturday at 10:30; an executive after three plain hours would hear first.
    assert steps_of(
        {"role": "agent"},
        {"role": "team_lead", "after": "PT2H", "business": True},
        {"role": "executive", "after": "PT3H"},
    ) == ["05-10 17:30", "05-11 10:30", "05-11 10:30"]


def test_a_step_that_no_calendar_can_date_is_told_of_and_takes_neither_the_clock_nor_the_steps_before_it() -> None:
    story = Story(received="2026-12-31 16:00:00")
    story.received()
    story.promised("2026-12-31 16:30:00", due="2026-12-31 17:30:00")
    chain = ({"role": "agent"}, {"role": "team_lead", "after": "PT2H", "business": True}, {"role": "executive"})
    chain[2]["after"] = "P9D"
    book = Book([PolicyVersion(spec=spec_with(*chain), version=1, valid_from=LONG_AGO)], BOOK.calendars)
    assert [shown(step) for step in clock(story, Metric.PROMISE, book=book).steps] == ["12-31 17:30"]
    unpriced = [one.reason for one in folded(story, book=book).unpriced if one.metric is Metric.PROMISE]
    assert unpriced == ["not all steps of its escalation can be dated"]
    story.promise_kept("2026-12-31 17:00:00")
    assert [one for one in folded(story, book=book).unpriced if one.metric is Metric.PROMISE] == []


def test_a_changed_calendar_moves_the_steps_that_are_counted_on_it() -> None:
    rules = spec_with({"role": "agent"}, {"role": "team_lead", "after": "PT2H", "business": True}).rules
    assert rules[Metric.PROMISE].by_calendar
    assert not spec_with({"role": "agent"}, {"role": "team_lead", "after": "PT2H"}).rules[Metric.PROMISE].by_calendar


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"role": "agent", "unless_acknowledged": True}], "the first step"),
        ([{"role": "agent", "after": "PT2H"}, {"role": "team_lead", "after": "PT1H"}], "in order of time"),
        (
            [{"role": "agent", "after": "PT2H", "business": True}, {"role": "team_lead", "business": True}],
            "in order of time",
        ),
        ([{"role": "agent", "after": "-PT1H"}], "greater than or equal"),
        ([{"role": "caretaker"}], "Input should be"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(steps: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Rule.model_validate({"every": DUE, "escalation": steps})
