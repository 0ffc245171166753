"""Calendars as iCalendar (RFC 5545), both ways: what a calendar client shows, and what a published file of holidays
says (F9).

A holiday is an event of whole days; a make-up working day 调休 an event in the category ``WORKING-DAY``, or one that
Apple's feeds mark ``ALTERNATE-WORKDAY``, or whose summary says 补班 or 上班. The weekly hours go out as repeating
events, and are not taken in: which of a file's meetings are opening hours, nobody can tell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sla_service.clocks.calendar import WEEKDAYS, Calendar, CalendarSpec, Shift
from sla_service.clocks.instants import instant_of

if TYPE_CHECKING:
    from icalendar import Event

_WORKING = "WORKING-DAY"
_HOLIDAY = "HOLIDAY"
_WORKED = re.compile(r"补班|上班|\bmake-up (working )?day\b", re.IGNORECASE)
_EVENTS_AT_MOST = 10_000
_REPEATING_AT_MOST = 200
#: Days that one event may last; a longer one is no holiday.
_LASTS_AT_MOST = 60
_NAME_AT_MOST = 100
_MINUTES_OF_DAY = 24 * 60


class NotICalendar(ValueError):
    """The text is not an iCalendar that can be read."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event that was not taken, and why."""

    summary: str
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """The special days of a file: closed days with their names, and working days with the hours that the file gives
    (none: the calendar's own)."""

    closed: dict[date, str]
    worked: dict[date, Shift]
    left_out: tuple[LeftOut, ...]


def written(calendar: Calendar, years: Sequence[int]) -> bytes:
    """The calendar in these years. Raises `CalendarUnknown` where one of them is not known."""
    from icalendar import Calendar as Component

    spec = calendar.spec
    made = Component()
    made.add("prodid", "-//Redress//Service levels//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", f"{spec.title.zh} {spec.title.en}")
    made.add("x-wr-timezone", spec.zone)
    days = [day for year in years for day in _days(year)]
    for day in days:
        hours, why = calendar.shift(day)
        if why == "week":
            continue
        if not hours:
            made.add_component(_event(calendar, day, why, _HOLIDAY, day, day + timedelta(days=1)))
        for first, last in hours:
            name = "调休上班 make-up day"
            made.add_component(_event(calendar, day, name, _WORKING, *_times(calendar, day, first, last)))
    for number, name in enumerate(WEEKDAYS):
        for first, last in spec.week.get(name, ()):
            if (hours_of := _weekly(calendar, days, number, first, last)) is not None:
                made.add_component(hours_of)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def read(text: str, years: Sequence[int]) -> Read:
    """What a file says of these years. Raises `NotICalendar`."""
    from icalendar import Calendar as Component

    try:
        found = Component.from_ical(text, multiple=True)
        events = [event for one in found if one.name == "VCALENDAR" for event in one.walk("VEVENT")]
    except Exception as problem:  # of a file from outside: the library's parsers raise what they like
        raise NotICalendar(f"it cannot be read as iCalendar: {problem}") from problem
    if not any(one.name == "VCALENDAR" for one in found):
        raise NotICalendar("there is no BEGIN:VCALENDAR in it")
    if len(events) > _EVENTS_AT_MOST:
        raise NotICalendar(f"it has {len(events)} events; {_EVENTS_AT_MOST} at most")
    if sum("RRULE" in event for event in events) > _REPEATING_AT_MOST:
        raise NotICalendar(f"it has more than {_REPEATING_AT_MOST} repeating events")
    taken = _Taken(frozenset(years))
    for event in events:
        taken.take(event)
    return Read(taken.closed, {day: tuple(sorted(set(hours))) for day, hours in taken.worked.items()}, tuple(taken.out))


def merged(spec: CalendarSpec, found: Read, years: Sequence[int]) -> dict[str, Any]:
    """The calendar with the file's special days in the place of its own of these years, as data that is yet to be
    checked. With a yearly arrangement the years count as complete from then on."""
    asked = set(years)
    open_hours = {day: hours or spec.make_up_hours for day, hours in found.worked.items()}
    kept_open = {day: hours for day, hours in spec.open.items() if day.year not in asked}
    kept_closed = {day: name for day, name in spec.closed.items() if day.year not in asked}
    return {
        **{name: getattr(spec, name) for name in type(spec).model_fields},
        "closed": dict(sorted({**kept_closed, **found.closed}.items())),
        "open": dict(sorted({**kept_open, **open_hours}.items())),
        "years": tuple(sorted(asked.union(spec.years))) if spec.arrangement else spec.years,
    }


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _times(calendar: Calendar, day: date, first: int, last: int) -> tuple[datetime, datetime]:
    begin, end = (instant_of(calendar.at(day, minutes)).astimezone(calendar.zone) for minutes in (first, last))
    return begin, end


def _event(calendar: Calendar, day: date, name: str, category: str, begin: date, end: date) -> "Event":
    from icalendar import Event

    event = Event()
    at = f"-{begin:%H%M}" if isinstance(begin, datetime) else ""
    event.add("uid", f"{category.lower()}-{day:%Y%m%d}{at}@{calendar.spec.calendar_id}")
    event.add("dtstamp", datetime(1970, 1, 1, tzinfo=UTC))
    event.add("summary", name)
    event.add("categories", [category])
    event.add("transp", "TRANSPARENT")
    event.add("dtstart", begin)
    event.add("dtend", end)
    return event


def _weekly(calendar: Calendar, days: Sequence[date], weekday: int, first: int, last: int) -> "Event | None":
    """The hours of a weekday, every week, without the days on which something else holds."""
    falling = [day for day in days if day.weekday() == weekday]
    held = [day for day in falling if calendar.shift(day)[1] == "week"]
    if not held:
        return None
    begin, end = _times(calendar, held[0], first, last)
    event = _event(calendar, held[0], f"{calendar.spec.title.zh} {calendar.spec.title.en}", "HOURS", begin, end)
    until = _times(calendar, held[-1], first, last)[0].astimezone(UTC)
    event.add("rrule", {"freq": "weekly", "until": until})
    without = [_times(calendar, day, first, last)[0] for day in falling if held[0] < day < held[-1] and day not in held]
    if without:
        event.add("exdate", without)
    return event


class _Taken:
    """Special days of the asked years, event by event."""

    def __init__(self, years: frozenset[int]) -> None:
        self.years = years
        self.closed: dict[date, str] = {}
        self.worked: dict[date, list[tuple[int, int]]] = {}
        self.out: list[LeftOut] = []

    def take(self, event: "Event") -> None:
        name = _name(event)
        try:
            self._take(event, name)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as problem:
            self.out.append(LeftOut(name, f"it cannot be read: {problem}"))

    def _take(self, event: "Event", name: str) -> None:
        start = event.decoded("dtstart", None)
        if start is None or "RECURRENCE-ID" in event or event.get("status") == "CANCELLED":
            return self._leave(name, "it has no beginning, is cancelled, or changes another event")
        worked = _is_worked(event, name)
        timed = isinstance(start, datetime)
        if timed and not worked:
            return self._leave(name, "it is no whole day")
        begins = list(_begins(event, start, self.years))
        hours = _hours(event, start) if timed else None
        lasts = 1 if timed else _lasts(event, start)
        if lasts > _LASTS_AT_MOST:
            return self._leave(name, f"it lasts longer than {_LASTS_AT_MOST} days")
        days = [begin + timedelta(days=ahead) for begin in begins for ahead in range(lasts)]
        days = [day for day in days if day.year in self.years]
        if not days:
            return self._leave(name, "it is in none of the years")
        for day in days:
            if worked:
                self.worked.setdefault(day, []).extend([hours] if hours else [])
            else:
                self.closed.setdefault(day, name or "holiday")
        return None

    def _leave(self, name: str, why: str) -> None:
        self.out.append(LeftOut(name, why))


def _name(event: "Event") -> str:
    text = "".join(sign for sign in str(event.get("summary", "")) if sign.isprintable())
    return text.encode("utf-8", "replace").decode()[:_NAME_AT_MOST].strip()


def _is_worked(event: "Event", name: str) -> bool:
    categories = event.get("categories")
    named = [str(one).upper() for each in _listed(categories) for one in getattr(each, "cats", [each])]
    if _WORKING in named:
        return True
    if _HOLIDAY in named:
        return False
    special = str(event.get("x-apple-special-day", "")).upper()
    return special == "ALTERNATE-WORKDAY" or (not special and _WORKED.search(name) is not None)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _lasts(event: "Event", start: date) -> int:
    """Days of an event of whole days."""
    end = event.decoded("dtend", None)
    if end is None:
        lasting = event.decoded("duration", None)
        return 1 if lasting is None else max(lasting.days, 1)
    return max((_day(end) - start).days, 1)


def _hours(event: "Event", start: datetime) -> tuple[int, int]:
    """Minutes after midnight, by the wall clock that the event was written with."""
    end = event.decoded("dtend", None)
    lasting = end - start if end is not None else event.decoded("duration")
    minutes = lasting // timedelta(minutes=1)
    first = start.hour * 60 + start.minute
    if not 0 < minutes < _MINUTES_OF_DAY and (first, minutes) != (0, _MINUTES_OF_DAY):
        raise ValueError("a working day lasts less than 24 hours, or from midnight to midnight")
    return first, first + minutes


def _begins(event: "Event", start: date, years: frozenset[int]) -> Iterator[date]:
    """The days on which it begins in the years, or in the last days before them."""
    day = _day(start)
    rule = event.get("rrule")
    if rule is None:
        yield day
        return
    from dateutil.rrule import rrulestr

    if isinstance(rule, list) or str(rule.get("freq", [""])[0]).upper() not in ("YEARLY", "MONTHLY"):
        raise ValueError("a holiday may repeat yearly or monthly, by one rule")
    plain = {key: value for key, value in rule.items() if key.upper() != "UNTIL"}
    last = _until(rule)
    text = type(rule)(plain).to_ical().decode()
    without = {_day(one.dt) for each in _listed(event.get("exdate")) for one in each.dts}
    first_day = date(min(years), 1, 1) - timedelta(days=_LASTS_AT_MOST)
    found = rrulestr(text, dtstart=datetime.combine(day, time()))
    until = min(last or date(max(years), 12, 31), date(max(years), 12, 31))
    for begin in found.between(datetime.combine(first_day, time()), datetime.combine(until, time()), inc=True):
        if begin.date() not in without:
            yield begin.date()


def _until(rule: Any) -> date | None:
    found = rule.get("until")
    if not found:
        return None
    return _day(found[0])


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at
