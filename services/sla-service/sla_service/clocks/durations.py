"""How long a clock may run, as data, and the instant at which it is due.

Each kind is one small model with a `kind`, so that a policy reads ``{kind: business, time: PT8H}``. `due` answers in
microseconds; `basis` says in which time a clock of that kind is counted and paused.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from shared.contracts.envelope import Bilingual
from sla_service.clocks.calendar import Calendar, minutes_of
from sla_service.clocks.instants import length


class Basis(StrEnum):
    """`elapsed` counts every second, `business` counts working time alone."""

    ELAPSED = "elapsed"
    BUSINESS = "business"


class NoDueInstant(ValueError):
    """The duration takes its due instant from something that this clock has not got."""


class _Duration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Elapsed(_Duration):
    """``PT2H`` of plain time."""

    kind: Literal["elapsed"] = "elapsed"
    time: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3660))]


class Business(_Duration):
    """``PT8H`` of working time."""

    kind: Literal["business"] = "business"
    time: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=366))]


class BusinessDays(_Duration):
    """The `days`-th working day after the start, at `until` (a time of day, or the close of business). With
    `count_start` a working day is itself the first when it starts before that time; after hours it is not."""

    kind: Literal["business_days"] = "business_days"
    days: Annotated[int, Field(ge=1, le=400)]
    count_start: bool = False
    until: str = "close"

    @field_validator("until")
    @classmethod
    def _time_or_close(cls, value: str) -> str:
        if value != "close":
            minutes_of(value)
        return value


class CalendarDays(_Duration):
    """The end of the `days`-th day after the start, in the calendar's zone."""

    kind: Literal["calendar_days"] = "calendar_days"
    days: Annotated[int, Field(ge=1, le=3660)]
    count_start: bool = False


class ByTime(_Duration):
    """`time` of a working day: of the start's own day while that is still to come (`same`), or of the working day
    after it (`next`)."""

    kind: Literal["by_time"] = "by_time"
    time: str
    day: Literal["same", "next"] = "same"

    @field_validator("time")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        minutes_of(value)
        return value


class Own(_Duration):
    """The subject brings its due instant: a promise, an improvement action."""

    kind: Literal["own"] = "own"


class WithResolution(_Duration):
    """Due when the resolution is due: once before the end."""

    kind: Literal["with_resolution"] = "with_resolution"


Duration = Annotated[
    Elapsed | Business | BusinessDays | CalendarDays | ByTime | Own | WithResolution, Field(discriminator="kind")
]
DURATION: TypeAdapter[Duration] = TypeAdapter(Duration)
_IN_WORKING_TIME = (Business, BusinessDays)


def basis_of(duration: Duration) -> Basis:
    return Basis.BUSINESS if isinstance(duration, _IN_WORKING_TIME) else Basis.ELAPSED


def between(basis: Basis, calendar: Calendar, begin: int, end: int) -> int:
    """Counted time between two instants, microseconds."""
    return max(end - begin, 0) if basis is Basis.ELAPSED else calendar.between(begin, end)


def add(basis: Basis, calendar: Calendar, begin: int, amount: int) -> int:
    """The first instant at which `amount` of counted time has passed since `begin`."""
    return begin + max(amount, 0) if basis is Basis.ELAPSED else calendar.add(begin, amount)


def due(duration: Duration, start: int, calendar: Calendar, own: int | None, resolution: int | None) -> int:
    """The due instant of a clock that starts at `start` and never pauses.

    Raises `CalendarUnknown` beyond the calendar's years, `NoDueInstant` where `own` or `resolution` is missing.
    """
    match duration:
        case Elapsed(time=time):
            return start + length(time)
        case Business(time=time):
            return calendar.add(start, length(time))
        case BusinessDays(days=days, count_start=count_start, until=until):
            day = calendar.date_of(start)
            counts = count_start and calendar.is_working_day(day) and _until(until, day, calendar) > start
            left = days - counts
            return _until(until, calendar.working_day_after(day, left) if left else day, calendar)
        case CalendarDays(days=days, count_start=count_start):
            return calendar.at(calendar.date_of(start) + timedelta(days=days + 1 - count_start), 0)
        case ByTime(time=text, day=which):
            day = calendar.date_of(start)
            if which == "same" and calendar.is_working_day(day) and (at := calendar.at(day, minutes_of(text))) > start:
                return at
            return calendar.at(calendar.working_day_after(day), minutes_of(text))
        case Own():
            if own is None:
                raise NoDueInstant("this clock's subject brings no due instant of its own")
            return own
        case WithResolution():
            if resolution is None:
                raise NoDueInstant("there is no resolution clock to be due with")
            return resolution


def _until(time: str, day: date, calendar: Calendar) -> int:
    return calendar.close_of(day) if time == "close" else calendar.at(day, minutes_of(time))


def describe(duration: Duration) -> Bilingual:
    """The duration as the published promise says it (F11)."""
    match duration:
        case Elapsed(time=time):
            zh, en = _spoken(time)
            return Bilingual(zh=f"{zh}内", en=f"within {en}")
        case Business(time=time):
            zh, en = _spoken(time)
            return Bilingual(zh=f"{zh}工作时间内", en=f"within {en} of working time")
        case BusinessDays(days=days, until=until):
            zh, en = ("下班前", "close of business") if until == "close" else (f"{until} 前", until)
            return Bilingual(
                zh=f"第 {days} 个工作日{zh}",
                en=f"by {en} of working day {days}",
            )
        case CalendarDays(days=days):
            return Bilingual(zh=f"{days} 天内", en=f"within {days} calendar days")
        case ByTime(time=text, day="same"):
            return Bilingual(zh=f"工作日 {text} 前", en=f"by {text} of the working day")
        case ByTime(time=text):
            return Bilingual(zh=f"次一工作日 {text} 前", en=f"by {text} of the next working day")
        case Own():
            return Bilingual(zh="按约定时间", en="by the time agreed")
        case WithResolution():
            return Bilingual(zh="解决期限前", en="before the resolution is due")


def _spoken(time: timedelta) -> tuple[str, str]:
    seconds = length(time) / 1_000_000
    for size, zh, en in ((86400, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {zh}", f"{count} {en}{'s' if count > 1 else ''}"
    return f"{seconds:g} 秒", f"{seconds:g} seconds"
