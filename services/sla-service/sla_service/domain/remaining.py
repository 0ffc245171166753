"""How much time a running clock has left."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import ClockStatus
from sla_service.clocks.calendar import Calendar, CalendarUnknown
from sla_service.clocks.instants import micros


@dataclass(frozen=True, slots=True)
class Remaining:
    """To the due instant: plain time, and working time of the clock's calendar (None where that does not know the
    days between). Negative once it has passed."""

    plain: timedelta
    business: timedelta | None


def remaining(view: ClockView, calendar: Calendar | None, now: datetime) -> Remaining | None:
    """None for a clock that does not run."""
    if view.status is not ClockStatus.RUNNING:
        return None
    return Remaining(view.due_at - now, None if calendar is None else _business(calendar, now, view.due_at))


def _business(calendar: Calendar, now: datetime, due: datetime) -> timedelta | None:
    try:
        ahead = calendar.between(micros(now), micros(due)) - calendar.between(micros(due), micros(now))
    except CalendarUnknown:
        return None
    return timedelta(microseconds=ahead)
