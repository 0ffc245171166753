"""When a clock is due, worked out by hand: after hours, on a holiday, exactly at opening and at closing.

The days of 2024, in China: 04-27 Saturday free, 04-28 Sunday make-up (调休), 05-01 to 05-05 Labour Day, 05-10 Friday,
05-11 Saturday make-up, 05-12 Sunday free. Of this calendar's own: Friday 05-17 is a half day until 12:00, Monday 05-20
is closed. Hours are 09:00-12:00 and 13:00-18:00.
"""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from shared.web.errors import pointer_of
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.durations import DURATION, due
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import PolicySpec
from tests.unit.sla.history import CALENDARS, at, shown

OFFICE = Calendar(
    CALENDARS[0].model_copy(
        update={"open": {date(2024, 5, 17): ((540, 720),)}, "closed": {date(2024, 5, 20): "Founders' Day"}}
    )
)


def due_of(start: str, **duration: Any) -> str | None:
    return shown(due(DURATION.validate_python(duration), micros(at(start)), OFFICE, None, None))


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("05-10 08:00", "05-10 10:00"),
        ("05-10 23:00", "05-11 01:00"),
        ("05-01 10:00", "05-01 12:00"),  # a holiday does not stop it
        ("12-31 23:00", "01-01 01:00"),
    ],
)
def test_two_hours_of_elapsed_time(start: str, expected: str) -> None:
    assert due_of(start, kind="elapsed", time="PT2H") == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("05-10 09:00", "05-10 14:00"),  # exactly at opening: three hours, the noon break, one more
        ("05-10 08:59", "05-10 14:00"),
        ("05-10 12:00", "05-10 17:00"),  # exactly when the break begins
        ("05-10 12:30", "05-10 17:00"),
        ("05-10 13:00", "05-10 17:00"),
        ("05-10 14:00", "05-10 18:00"),  # due exactly at closing, not at the next opening
        ("05-10 17:59", "05-11 13:59"),  # one minute, then a make-up Saturday
        ("05-10 18:00", "05-11 14:00"),  # exactly at closing
        ("05-10 20:00", "05-11 14:00"),  # after hours
        ("05-12 10:00", "05-13 14:00"),  # on a free Sunday
        ("04-27 10:00", "04-28 14:00"),  # a free Saturday before a make-up Sunday
        ("04-30 16:00", "05-06 11:00"),  # over the holiday
        ("05-01 10:00", "05-06 14:00"),  # on the holiday
        ("05-16 17:00", "05-17 12:00"),  # an hour and the whole half day
        ("05-16 17:30", "05-21 09:30"),  # half an hour, the half day, the weekend, a closed Monday
        ("05-17 12:00", "05-21 14:00"),  # exactly at the close of the half day
    ],
)
def test_four_hours_of_business_time(start: str, expected: str) -> None:
    assert due_of(start, kind="business", time="PT4H") == expected


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("05-10 07:00", 1, "05-11 18:00"),
        ("05-10 18:00", 1, "05-11 18:00"),
        ("05-10 23:59", 1, "05-11 18:00"),
        ("04-26 10:00", 3, "04-30 18:00"),  # Sunday 28 (make-up), 29, 30
        ("04-27 10:00", 1, "04-28 18:00"),
        ("05-01 10:00", 1, "05-06 18:00"),
        ("05-06 10:00", 5, "05-11 18:00"),  # a week of six days
        ("05-16 10:00", 1, "05-17 12:00"),  # the close of business of a half day
        ("05-16 10:00", 2, "05-21 18:00"),
    ],
)
def test_close_of_business_on_the_nth_business_day_after_receipt(start: str, days: int, expected: str) -> None:
    assert due_of(start, kind="business_days", days=days) == expected


@pytest.mark.parametrize(
    ("start", "days", "until", "expected"),
    [
        ("05-10 07:00", 1, "close", "05-10 18:00"),
        ("05-10 09:00", 1, "close", "05-10 18:00"),
        ("05-10 17:59", 1, "close", "05-10 18:00"),
        ("05-10 18:00", 1, "close", "05-11 18:00"),  # exactly at closing: that day is over
        ("05-10 20:00", 1, "close", "05-11 18:00"),
        ("05-10 20:00", 2, "close", "05-13 18:00"),
        ("05-17 11:00", 1, "close", "05-17 12:00"),
        ("05-17 13:00", 1, "close", "05-21 18:00"),  # after the close of the half day
        ("05-12 10:00", 1, "close", "05-13 18:00"),
        ("05-10 11:59", 1, "12:00", "05-10 12:00"),
        ("05-10 12:00", 1, "12:00", "05-11 12:00"),
        ("05-16 10:00", 2, "17:00", "05-17 17:00"),  # a time of day holds as it is said, on a half day too
    ],
)
def test_a_counted_start_day_is_the_first_unless_it_is_over(start: str, days: int, until: str, expected: str) -> None:
    assert due_of(start, kind="business_days", days=days, count_start=True, until=until) == expected


@pytest.mark.parametrize(
    ("start", "days", "count_start", "expected"),
    [
        ("05-10 00:00", 1, False, "05-12 00:00"),
        ("05-10 23:59", 1, False, "05-12 00:00"),
        ("05-10 00:00", 1, True, "05-11 00:00"),
        ("05-10 23:59", 1, True, "05-11 00:00"),
        ("04-30 10:00", 3, False, "05-04 00:00"),  # holidays count
    ],
)
def test_calendar_days_end_at_midnight(start: str, days: int, count_start: bool, expected: str) -> None:
    assert due_of(start, kind="calendar_days", days=days, count_start=count_start) == expected


@pytest.mark.parametrize(
    ("start", "day", "expected"),
    [
        ("05-10 07:00", "same", "05-10 17:00"),
        ("05-10 16:59", "same", "05-10 17:00"),
        ("05-10 17:00", "same", "05-11 17:00"),
        ("05-17 13:00", "same", "05-17 17:00"),
        ("05-01 09:00", "same", "05-06 17:00"),
        ("05-10 07:00", "next", "05-11 17:00"),
        ("05-10 20:00", "next", "05-11 17:00"),
        ("05-01 09:00", "next", "05-06 17:00"),
        ("05-17 09:00", "next", "05-21 17:00"),
    ],
)
def test_by_five_of_the_working_day_or_of_the_next(start: str, day: str, expected: str) -> None:
    assert due_of(start, kind="by_time", time="17:00", day=day) == expected


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"kind": "elapsed", "time": "-PT1H"}, "/elapsed/time"),
        ({"kind": "elapsed", "time": "PT0S"}, "/elapsed/time"),
        ({"kind": "elapsed", "time": "soon"}, "/elapsed/time"),
        ({"kind": "elapsed"}, "/elapsed/time"),
        ({"kind": "business", "time": "-PT1S"}, "/business/time"),
        ({"kind": "business", "time": "P9999D"}, "/business/time"),
        ({"kind": "business_days", "days": 0}, "/business_days/days"),
        ({"kind": "business_days", "days": -1}, "/business_days/days"),
        ({"kind": "business_days", "days": 1, "until": "25:00"}, "/business_days/until"),
        ({"kind": "calendar_days", "days": 0}, "/calendar_days/days"),
        ({"kind": "by_time", "time": "5pm"}, "/by_time/time"),
        ({"kind": "by_time", "time": "17:00", "day": "some"}, "/by_time/day"),
        ({"kind": "eventually"}, ""),
        ("PT1H", ""),
    ],
)
def test_a_bad_duration_in_a_policy_is_refused_at_its_field(wrong: object, pointer: str) -> None:
    policy = {"policy_id": "x", "title": {"zh": "甲", "en": "A"}, "calendar": "cn-office"}
    with pytest.raises(ValidationError) as refused:
        PolicySpec.model_validate({**policy, "rules": {"survey": {"every": {"due": wrong}}}})
    assert [pointer_of(error["loc"]) for error in refused.value.errors()] == [f"/rules/survey/every/due{pointer}"]
