"""Calendars against an oracle that knows no index: it looks at the wall clock minute by minute."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from sla_service.clocks.calendar import WEEKDAYS, Calendar, CalendarSpec
from sla_service.clocks.instants import micros

MINUTE = 60_000_000
DAY = timedelta(days=1)
#: Windows of two days in which something happens: both changes of summer time, the turn of the year, a leap day.
WINDOWS = {
    "Asia/Shanghai": (datetime(2024, 4, 30, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)),
    "Europe/London": (datetime(2024, 3, 30, 12, tzinfo=UTC), datetime(2024, 10, 26, 12, tzinfo=UTC)),
    "America/New_York": (datetime(2024, 3, 9, 18, tzinfo=UTC), datetime(2024, 11, 2, 18, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2024, 4, 6, tzinfo=UTC), datetime(2024, 10, 5, tzinfo=UTC)),
    "Asia/Kathmandu": (datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)),
    "Africa/Cairo": (datetime(2024, 4, 25, tzinfo=UTC), datetime(2024, 10, 30, 12, tzinfo=UTC)),
}
LENGTH = 2 * 24 * 60
#: How many random calendars; `make proofs` asks for thousands.
CALENDARS = int(os.environ.get("REDRESS_CALENDARS", "250"))


@dataclass
class Watched:
    """A calendar and what a watcher wrote down: `worked[i]` is how many of the first `i` minutes were open."""

    calendar: Calendar
    begin: int
    open: list[bool]
    worked: list[int]


def open_at(spec: CalendarSpec, local: datetime) -> bool:
    def hours(day: date) -> tuple[tuple[int, int], ...]:
        return () if day in spec.closed else spec.open.get(day, spec.week.get(WEEKDAYS[day.weekday()], ()))

    shown, today = local.hour * 60 + local.minute, local.date()
    return any(a <= shown < b for a, b in hours(today)) or any(a <= shown + 1440 < b for a, b in hours(today - DAY))


def clock_of(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


@st.composite
def shifts(draw: st.DrawFn, most: int = 6) -> list[str]:
    cuts = sorted(draw(st.sets(st.integers(0, 96), max_size=most)))
    return [f"{clock_of(a)}-{clock_of(b)}" for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


@st.composite
def watched(draw: st.DrawFn) -> Watched:
    zone = draw(st.sampled_from(sorted(WINDOWS)))
    begin = draw(st.sampled_from(WINDOWS[zone]))
    if draw(st.integers(0, 5)) == 0:
        week = {day: ["00:00-24:00"] for day in WEEKDAYS}
    elif draw(st.booleans()):
        week = {day: draw(shifts()) for day in WEEKDAYS}
    else:
        week = {day: [draw(st.sampled_from(["22:00-06:00", "23:30-01:30", "18:15-18:00"]))] for day in WEEKDAYS}
    if not any(week.values()):
        week["mon"] = ["09:00-17:00"]
    days = st.dates(begin.date() - DAY, begin.date() + 2 * DAY)
    closed = draw(st.dictionaries(days, st.just("Holiday"), max_size=1))
    half = {day: hours for day in draw(st.sets(days, max_size=1)) - closed.keys() if (hours := draw(shifts(2)))}
    spec = CalendarSpec.model_validate(
        {
            "calendar_id": "own",
            "title": {"zh": "自用", "en": "Own"},
            "zone": zone,
            "week": week,
            "closed": closed,
            "open": half,
        }
    )
    calendar = Calendar(spec)
    seen = [open_at(spec, (begin + timedelta(minutes=one)).astimezone(calendar.zone)) for one in range(LENGTH)]
    return Watched(calendar, micros(begin), seen, [0, *accumulate(seen)])


@settings(max_examples=CALENDARS)
@given(watched(), st.lists(st.integers(0, LENGTH), min_size=3, max_size=12))
def test_working_time_is_what_a_watcher_of_the_wall_clock_wrote_down(one: Watched, places: list[int]) -> None:
    calendar, places = one.calendar, sorted(places)
    x, y, z = (one.begin + place * MINUTE for place in (places[0], places[len(places) // 2], places[-1]))
    for place in places:
        instant = one.begin + place * MINUTE
        counted = calendar.between(x, instant)
        assert counted == (one.worked[place] - one.worked[places[0]]) * MINUTE
        if place > places[0] and one.open[place - 1]:
            assert calendar.add(x, counted) == instant
        elif counted:
            assert calendar.add(x, counted) < instant
            assert calendar.between(x, calendar.add(x, counted)) == counted
    assert calendar.between(x, y) + calendar.between(y, z) == calendar.between(x, z)
    assert calendar.add(x, MINUTE) <= calendar.add(y, MINUTE) <= calendar.add(z, MINUTE)
    stretches = list(calendar.stretches(x, z))
    assert sum(end - begin for begin, end, is_open, _ in stretches if is_open) == calendar.between(x, z)
    assert sum(end - begin for begin, end, _, _ in stretches) == z - x


def test_a_night_shift_into_a_new_year_that_opens_early_is_counted_once() -> None:
    """New Year's Eve works until 06:00, and 1 January is opened from 05:00 to 07:00."""
    spec = CalendarSpec.model_validate(
        {
            "calendar_id": "own",
            "title": {"zh": "自用", "en": "Own"},
            "zone": "Asia/Shanghai",
            "week": {day: ["22:00-06:00"] for day in WEEKDAYS},
            "open": {"2025-01-01": ["05:00-07:00"]},
        }
    )
    evening = micros(datetime(2024, 12, 31, 14, tzinfo=UTC))  # 22:00 in Shanghai
    calendar = Calendar(spec)
    assert calendar.between(evening, evening + 720 * MINUTE) == 540 * MINUTE
    assert calendar.add(evening, 540 * MINUTE) == evening + 540 * MINUTE
