"""The doors for calendars as iCalendar."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.web.auth import Principal, Role, allow
from shared.web.errors import responses
from sla_service.api.deps import DepsDep, Reader
from sla_service.clocks.calendar import CalendarSpec
from sla_service.usecases import ical
from sla_service.usecases.ical import BadICalendar, NoSuchCalendar, YearUnknown

router = APIRouter(tags=["policies and calendars"])
CalendarId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$")]
Year = Annotated[int, Field(ge=1970, le=2200)]
_EXAMPLE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//holidays//EN
BEGIN:VEVENT
UID:1@example.com
DTSTAMP:20261105T000000Z
DTSTART;VALUE=DATE:20270101
SUMMARY:元旦
END:VEVENT
END:VCALENDAR
"""


class ICalendarIn(BaseModel):
    """A file of holidays and make-up working days, and the years of which it is the whole truth."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ical": _EXAMPLE, "years": [2027]}]})

    ical: Annotated[str, Field(min_length=1, max_length=400_000)]
    years: Annotated[tuple[Year, ...], Field(min_length=1, max_length=10)]


class LeftOutEvent(BaseModel):
    """An event of the file that is not in the calendar."""

    summary: str
    why: str


class CalendarDraft(BaseModel):
    """A calendar for `POST /v1/calendars`, once somebody has looked at it."""

    calendar: CalendarSpec
    left_out: list[LeftOutEvent]


@router.get(
    "/v1/calendars/{calendar_id}/ical",
    summary="The calendar that holds now as iCalendar",
    response_class=Response,
    responses={
        200: {"content": {"text/calendar": {"schema": {"type": "string"}}}, "description": "RFC 5545"},
        **responses(NoSuchCalendar, YearUnknown),
    },
)
async def calendar_as_ical(
    calendar_id: CalendarId,
    _: Reader,
    deps: DepsDep,
    year: Annotated[list[Year] | None, Query(max_length=10, description="Default: this year")] = None,
) -> Response:
    """Holidays by their names, make-up working days, and the weekly hours without the days that differ."""
    made = await ical.written(calendar_id, year or (), deps)
    name = {"Content-Disposition": f'attachment; filename="{calendar_id}.ics"'}
    return Response(made, media_type="text/calendar; charset=utf-8", headers=name)


@router.post(
    "/v1/calendars/{calendar_id}/ical",
    summary="What a calendar would be with the special days of a file",
    responses=responses(NoSuchCalendar, BadICalendar),
)
async def draft_of_ical(
    calendar_id: CalendarId,
    body: ICalendarIn,
    _: Annotated[Principal, Depends(allow(Role.ADMIN))],
    deps: DepsDep,
) -> CalendarDraft:
    """Its days take the place of the calendar's own of these years. Nothing is kept: look at it, and publish it."""
    made = await ical.draft(calendar_id, body.ical, body.years, deps)
    left_out = [LeftOutEvent(summary=one.summary, why=one.why) for one in made.left_out]
    return CalendarDraft(calendar=made.calendar, left_out=left_out)
