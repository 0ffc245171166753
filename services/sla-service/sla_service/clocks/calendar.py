"""Business calendars (F9): a zone, weekly hours, holidays, and make-up working days 调休.

A calendar is data (`CalendarSpec`, versioned) and an index made from it (`Calendar`): the working stretches of one year
with their running total, so that a due instant is two binary searches and not a walk over days. Chinese holidays and
make-up days come from the State Council's yearly arrangements as the `chinesecalendar` library keeps them; a year that
neither the library nor the calendar's own table knows is an error (`CalendarUnknown`), never a guess.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from chinese_calendar import constants as chinese
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from shared.contracts.envelope import Bilingual
from sla_service.clocks import public_holidays
from sla_service.clocks.instants import DAY, Span, instant_at, local_date, spans_of, wall

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_OF_DAY = 24 * 60
#: How far `add` looks for open time before it gives up.
_YEARS_AHEAD = 30
#: When the years from 1970 on begin in UTC.
_YEARS = [wall(date(number, 1, 1), 0) for number in range(1970, 2300)]
#: Days of its own that a calendar may name: a hundred years of holidays.
_DAYS_AT_MOST = 4000


class CalendarUnknown(ValueError):
    """The calendar does not know whether a day is a working day: its yearly arrangement is not published yet."""


def minutes_of(text: str) -> int:
    """``"17:30"`` in minutes after midnight; ``"24:00"`` is the end of the day."""
    found = re.fullmatch(r"(\d\d):(\d\d)", text)
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minutes <= _MINUTES_OF_DAY:
        raise ValueError(f"not a time of day: {text!r}; write HH:MM, 00:00 to 24:00")
    return minutes


def _hours(value: Any) -> Any:
    """``"22:00-06:00"`` → (1320, 1800): minutes after midnight; an overnight shift ends on the next day."""
    if not isinstance(value, str):
        return value
    begin, dash, end = value.partition("-")
    if not dash:
        raise ValueError(f"not an interval: {value!r}; write HH:MM-HH:MM")
    first, last = minutes_of(begin.strip()), minutes_of(end.strip())
    if first == last:
        raise ValueError(f"the interval {value!r} is empty; a whole day is 00:00-24:00")
    return first, last if last > first else last + _MINUTES_OF_DAY


def _written(hours: tuple[int, int]) -> str:
    first, last = hours
    last = last - _MINUTES_OF_DAY if last > _MINUTES_OF_DAY else last
    return f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"


Hours = Annotated[tuple[int, int], BeforeValidator(_hours, json_schema_input_type=str), PlainSerializer(_written)]


def _apart(shift: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    for one, other in pairwise(sorted(shift)):
        if other[0] < one[1]:
            raise ValueError(f"the intervals {_written(one)} and {_written(other)} overlap")
    return shift


Shift = Annotated[tuple[Hours, ...], AfterValidator(_apart)]
HolidayName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"not an IANA time zone: {name!r}") from None
    return name


def _arrangement(name: str) -> str:
    if name != "cn" and not public_holidays.known(name):
        raise ValueError(f"no public holidays are known of {name!r}")
    return name


#: ``cn`` with its make-up working days, or a country of the `holidays` library with its part: ``US``, ``GB-ENG``.
Arrangement = Annotated[str, Field(pattern=r"^(cn|[A-Z]{2}(-[A-Z0-9]{1,3})?)$"), AfterValidator(_arrangement)]


class CalendarSpec(BaseModel):
    """A calendar as data. `arrangement` says whose public holidays it keeps. `closed` names holidays of its own; `open`
    names make-up working days of its own; `years` are the years for which these two tables are complete although the
    library does not know them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    title: Bilingual
    zone: Annotated[str, BeforeValidator(_zone)]
    week: dict[Weekday, Shift]
    arrangement: Arrangement | None = None
    make_up_hours: Annotated[Shift, Field(validate_default=True)] = ()
    closed: Annotated[dict[date, HolidayName], Field(max_length=_DAYS_AT_MOST)] = Field(default_factory=dict)
    open: Annotated[dict[date, Annotated[Shift, Field(min_length=1)]], Field(max_length=_DAYS_AT_MOST)] = Field(
        default_factory=dict
    )
    years: tuple[int, ...] = ()

    @field_validator("title")
    @classmethod
    def _can_be_kept(cls, title: Bilingual) -> Bilingual:
        if "\x00" in title.zh + title.en:
            raise ValueError("a title with a NUL character cannot be kept")
        return title

    @field_validator("week")
    @classmethod
    def _a_week_that_works(cls, week: dict[Weekday, Shift]) -> dict[Weekday, Shift]:
        if not any(week.values()):
            raise ValueError("the calendar has no working time: give at least one interval")
        laid = sorted(
            (first + day * _MINUTES_OF_DAY, last + day * _MINUTES_OF_DAY)
            for day in range(8)
            for first, last in week.get(WEEKDAYS[day % 7], ())
        )
        for (_, last), (first, _) in pairwise(laid):
            if first < last:
                raise ValueError(f"two intervals overlap on {WEEKDAYS[first // _MINUTES_OF_DAY % 7]}")
        return week

    @field_validator("make_up_hours")
    @classmethod
    def _hours_for_make_up_days(cls, hours: Shift, info: ValidationInfo) -> Shift:
        if info.data.get("arrangement") == "cn" and not hours:
            raise ValueError("a calendar with make-up working days must give `make_up_hours`")
        return hours

    @field_validator("open")
    @classmethod
    def _open_or_closed(cls, days: dict[date, Shift], info: ValidationInfo) -> dict[date, Shift]:
        if both := sorted(day.isoformat() for day in days if day in info.data.get("closed", {})):
            raise ValueError(f"{both[0]} is both open and closed: which one holds is not clear")
        return days


class _Year:
    """The working stretches that begin in one local year; `before[i]` is the working time of those before the i-th.
    What lies in ``[first, last)`` is of this year in every zone."""

    __slots__ = ("before", "begins", "ends", "first", "last", "total")

    def __init__(self, first: int, last: int, spans: list[Span]) -> None:
        self.first, self.last = first, last
        merged: list[Span] = []
        for begin, end in sorted(spans):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        self.begins = [begin for begin, _ in merged]
        self.ends = [end for _, end in merged]
        self.before: list[int] = []
        self.total = 0
        for begin, end in merged:
            self.before.append(self.total)
            self.total += end - begin

    def worked(self, value: int) -> int:
        """Working time of this year up to the instant."""
        at = bisect_right(self.begins, value) - 1
        return 0 if at < 0 else self.before[at] + min(value, self.ends[at]) - self.begins[at]

    def reach(self, amount: int) -> int:
        """The first instant up to which `amount` (more than nothing, at most the total) was worked."""
        at = bisect_right(self.before, amount - 1) - 1
        return self.begins[at] + amount - self.before[at]


class Calendar:
    """A calendar ready for use. All arguments and answers in microseconds; immutable apart from its cache of years."""

    def __init__(self, spec: CalendarSpec, version: int = 1) -> None:
        self.spec = spec
        self.version = version
        self.zone = ZoneInfo(spec.zone)
        whole = ((0, _MINUTES_OF_DAY),)
        self.always_open = (
            not spec.closed
            and not spec.open
            and spec.arrangement is None
            and all(spec.week.get(day) == whole for day in WEEKDAYS)
        )
        self._overnight = any(
            last > _MINUTES_OF_DAY
            for shift in (*spec.week.values(), *spec.open.values(), spec.make_up_hours)
            for _, last in shift
        )
        self._years: dict[int, _Year] = {}
        self._days: dict[int, list[date]] = {}
        #: The year that was asked for last: it is asked for again, as a rule.
        self._latest = _Year(0, 0, [])

    def shift(self, day: date) -> tuple[Shift, str]:
        """The hours of a day and why they are so: ``week``, ``make-up day``, or the holiday's name.

        Raises `CalendarUnknown` beyond the known years.
        """
        if day in self.spec.closed:
            return (), self.spec.closed[day]
        if day in self.spec.open:
            return self.spec.open[day], "make-up day"
        if self.spec.arrangement is None or day.year in self.spec.years:
            pass
        elif self.spec.arrangement == "cn":
            first, last = _chinese_years()
            if not first <= day.year <= last:
                raise CalendarUnknown(
                    f"calendar {self.spec.calendar_id}: the working days of {day.year} in China are not known "
                    f"(known: {first} to {last}); update chinesecalendar or add {day.year} to the calendar's `years`"
                )
            if (holiday := chinese.holidays.get(day)) is not None:
                return (), str(holiday)
            if day in chinese.workdays and day.weekday() >= 5:
                return self.spec.make_up_hours, "make-up day"
        else:
            first, last = public_holidays.years(self.spec.arrangement)
            if not first <= day.year <= last:
                raise CalendarUnknown(
                    f"calendar {self.spec.calendar_id}: the holidays of {day.year} are not known "
                    f"(known: {first} to {last}); add {day.year} to the calendar's `years`"
                )
            if (named := public_holidays.holiday(self.spec.arrangement, day)) is not None:
                return (), named
        return self.spec.week.get(WEEKDAYS[day.weekday()], ()), "week"

    def is_working_day(self, day: date) -> bool:
        return bool(self.shift(day)[0])

    def working_day_after(self, day: date, count: int = 1) -> date:
        """The `count`-th working day after `day`."""
        place = bisect_right(self._working_days(day.year), day) + max(count, 1) - 1
        for number in range(day.year, day.year + _YEARS_AHEAD):
            days = self._working_days(number)
            if place < len(days):
                return days[place]
            place -= len(days)
        raise CalendarUnknown(f"calendar {self.spec.calendar_id} has no working day within {_YEARS_AHEAD} years")

    def _working_days(self, number: int) -> list[date]:
        """Of a local year, in order."""
        if (known := self._days.get(number)) is None:
            first = date(number, 1, 1)
            days = [first + timedelta(days=n) for n in range((date(number + 1, 1, 1) - first).days)]
            self._days[number] = known = [day for day in days if self.is_working_day(day)]
        return known

    def date_of(self, value: int) -> date:
        return local_date(self.zone, value)

    def at(self, day: date, minutes: int) -> int:
        """When the wall clock shows `minutes` after midnight of `day`."""
        return instant_at(self.zone, day, minutes)

    def close_of(self, day: date) -> int:
        """Close of business of a working day."""
        return self.at(day, max(last for _, last in self.shift(day)[0]))

    def between(self, begin: int, end: int) -> int:
        """Working time between two instants; nothing where `end` is not after `begin`."""
        if end <= begin:
            return 0
        if self.always_open:
            return end - begin
        year = self._latest
        if year.first <= begin and end < year.last:
            return year.worked(end) - year.worked(begin)
        return sum(year.worked(end) - year.worked(begin) for year in self._spanning(begin, end))

    def add(self, begin: int, amount: int) -> int:
        """The first instant at which `amount` of working time has passed since `begin`."""
        if amount <= 0:
            return begin
        if self.always_open:
            return begin + amount
        year = self._latest
        if year.first <= begin < year.last:
            worked = year.worked(begin)
            if worked + amount <= year.total:
                return year.reach(worked + amount)
        number = self._year_of(begin) - self._overnight
        for ahead in range(_YEARS_AHEAD):
            year = self._year(number + ahead)
            worked = year.worked(begin)
            if worked + amount <= year.total:
                return year.reach(worked + amount)
            amount -= year.total - worked
        raise CalendarUnknown(f"calendar {self.spec.calendar_id} opens too seldom: nothing within {_YEARS_AHEAD} years")

    def stretches(self, begin: int, end: int) -> Iterator[tuple[int, int, bool, str]]:
        """``(from, to, open, why)`` without gaps from `begin` to `end`; a closed day is told by the holiday's name."""
        at = begin
        if self.always_open:
            if begin < end:
                yield begin, end, True, "24x7"
            return
        for opens, closes in self._open_spans(begin, end):
            yield from self._closed(at, opens)
            yield opens, closes, True, self.shift(self.date_of(opens))[1]
            at = closes
        yield from self._closed(at, end)

    def _closed(self, begin: int, end: int) -> Iterator[tuple[int, int, bool, str]]:
        """A closed stretch, cut where a holiday begins or ends so that the ledger can name it."""
        at, why = begin, self._why_closed(begin) if begin < end else ""
        while at < end:
            turn = min(self.at(self.date_of(at) + timedelta(days=1), 0), end)
            then = self._why_closed(turn) if turn < end else ""
            while turn < end and then == why:
                turn = min(self.at(self.date_of(turn) + timedelta(days=1), 0), end)
                then = self._why_closed(turn) if turn < end else ""
            yield at, turn, False, why
            at, why = turn, then

    def _why_closed(self, value: int) -> str:
        hours, why = self.shift(self.date_of(value))
        return "outside hours" if hours or why == "week" else why

    def _open_spans(self, begin: int, end: int) -> Iterator[Span]:
        if end <= begin:
            return
        for year in self._spanning(begin, end):
            at = max(bisect_right(year.begins, begin) - 1, 0)
            while at < len(year.begins) and year.begins[at] < end:
                opens, closes = max(year.begins[at], begin), min(year.ends[at], end)
                if opens < closes:
                    yield opens, closes
                at += 1

    def _spanning(self, begin: int, end: int) -> Iterator[_Year]:
        for number in range(self._year_of(begin) - self._overnight, self._year_of(end) + 1):
            yield self._year(number)

    def _year_of(self, value: int) -> int:
        """The local year of an instant; the zone is asked near the turn of the year alone."""
        place = bisect_right(_YEARS, value) - 1
        if 0 <= place < len(_YEARS) - 1 and _YEARS[place] + 2 * DAY <= value < _YEARS[place + 1] - 2 * DAY:
            return 1970 + place
        return self.date_of(value).year

    def _year(self, number: int) -> _Year:
        if (known := self._years.get(number)) is not None:
            self._latest = known
            return known
        spans: list[Span] = []
        day = date(number, 1, 1)
        while day.year == number:
            for first, last in self.shift(day)[0]:
                spans += spans_of(self.zone, wall(day, first), wall(day, last))
            day += timedelta(days=1)
        if self._overnight:  # what the last shift of the year before has reached counts there
            eve = date(number - 1, 12, 31)
            nights = [spans_of(self.zone, wall(eve, first), wall(eve, last)) for first, last in self.shift(eve)[0]]
            reached = max((end for night in nights for _, end in night), default=-(2**62))
            spans = [(max(begin, reached), end) for begin, end in spans if end > reached]
        begin, after = wall(date(number, 1, 1), 0), wall(date(number + 1, 1, 1), 0)
        self._years[number] = self._latest = year = _Year(begin + 2 * DAY, after - 2 * DAY, spans)
        return year


@lru_cache(maxsize=1)
def _chinese_years() -> tuple[int, int]:
    return min(chinese.holidays).year, max(chinese.holidays).year
