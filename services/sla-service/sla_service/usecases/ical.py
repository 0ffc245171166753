"""Calendars as iCalendar: for a calendar client, and from a published file of holidays (F9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.web.errors import Invalid, NotFound
from sla_service.clocks.calendar import Calendar, CalendarSpec, CalendarUnknown
from sla_service.clocks.instants import micros
from sla_service.domain import ical
from sla_service.domain.ical import LeftOut, NotICalendar
from sla_service.store import books
from sla_service.usecases.deps import Deps


class NoSuchCalendar(NotFound):
    slug, title = "no-such-calendar", "There is no calendar of that name"


class YearUnknown(Invalid):
    slug, title = "calendar-year-unknown", "The working days of that year are not known yet"


class BadICalendar(Invalid):
    slug, title = "bad-icalendar", "The file cannot be taken over"


@dataclass(frozen=True, slots=True)
class Draft:
    """A calendar as it would be, and the events of the file that are not in it."""

    calendar: CalendarSpec
    left_out: tuple[LeftOut, ...]


async def written(calendar_id: str, years: Sequence[int], deps: Deps) -> bytes:
    """The calendar that holds now, in these years (none: this year). Raises `NoSuchCalendar`, `YearUnknown`."""
    calendar = await _holding(calendar_id, deps)
    try:
        return ical.written(calendar, sorted(set(years)) or [calendar.date_of(micros(deps.clock.now())).year])
    except CalendarUnknown as problem:
        raise YearUnknown(str(problem), parameter="year") from problem


async def draft(calendar_id: str, text: str, years: Sequence[int], deps: Deps) -> Draft:
    """What the calendar would be with the special days of a file. Nothing is kept.

    Raises `NoSuchCalendar`, `BadICalendar`, `Invalid`.
    """
    spec = (await _holding(calendar_id, deps)).spec
    try:
        found = ical.read(text, years)
    except NotICalendar as problem:
        raise BadICalendar(str(problem), pointer="/ical") from problem
    if not spec.make_up_hours and any(not hours for hours in found.worked.values()):
        raise BadICalendar(
            "A make-up working day of the file says no hours, and the calendar has no `make_up_hours`.", pointer="/ical"
        )
    if both := sorted(found.closed.keys() & found.worked.keys()):
        raise BadICalendar(f"{both[0]} is both a holiday and a working day in the file.", pointer="/ical")
    try:
        return Draft(CalendarSpec.model_validate(ical.merged(spec, found, years)), found.left_out)
    except ValidationError as problem:
        raise Invalid.of(problem) from problem


async def _holding(calendar_id: str, deps: Deps) -> Calendar:
    async with deps.reading() as tx:
        book = await books.load_book(tx)
    version = book.calendar_version(calendar_id, micros(deps.clock.now()))
    if not version:
        raise NoSuchCalendar(f"No calendar is called {calendar_id}; GET /v1/calendars tells which there are.")
    return book.calendars[calendar_id, version]
