"""Instants as whole microseconds since 1970 (UTC), and what a zone's wall clock makes of them.

Integers, because a clock must add up exactly. A wall time that a zone skips (a DST gap) is the instant of the jump; a
wall time that comes twice counts twice where a stretch of time is asked for, and means its first coming where one
instant is.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_LOCAL = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

Span = tuple[int, int]


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def length(duration: timedelta) -> int:
    return duration // _MICROSECOND


def wall(day: date, minutes: int) -> int:
    """A wall time, `minutes` after the midnight that begins `day`, as if the zone were UTC."""
    return (datetime.combine(day, time()) - _EPOCH_LOCAL) // _MICROSECOND + minutes * 60 * SECOND


def offset_at(zone: ZoneInfo, value: int) -> int:
    offset = instant_of(value).astimezone(zone).utcoffset()
    assert offset is not None
    return length(offset)


def local_date(zone: ZoneInfo, value: int) -> date:
    return instant_of(value).astimezone(zone).date()


def spans_of(zone: ZoneInfo, begin: int, end: int) -> list[Span]:
    """The stretches of real time during which the zone's wall clock shows a time in ``[begin, end)``."""
    early, late = begin - 36 * HOUR, end + 36 * HOUR
    offset = offset_at(zone, early)
    if offset == offset_at(zone, late):
        return [(begin - offset, end - offset)]
    found: list[Span] = []
    for since, until, held in _stretches(zone, early, late):
        first, last = max(begin - held, since), min(end - held, until)
        if first < last:
            if found and found[-1][1] == first:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
    return found


@lru_cache(maxsize=10_000)
def instant_at(zone: ZoneInfo, day: date, minutes: int) -> int:
    """When the wall clock first shows `minutes` after midnight of `day`, or has jumped over it."""
    shown = wall(day, minutes)
    for since, until, held in _stretches(zone, shown - 36 * HOUR, shown + 36 * HOUR):
        if shown - held < until:
            return max(shown - held, since)
    raise AssertionError("a wall time comes within 36 hours of itself")


def _stretches(zone: ZoneInfo, early: int, late: int) -> list[tuple[int, int, int]]:
    """``(from, to, offset)`` of each stretch of one offset between two instants."""
    found: list[tuple[int, int, int]] = []
    since, held = early, offset_at(zone, early)
    probe = early
    if held == offset_at(zone, late):
        return [(early, late, held)]
    while probe < late:
        step = min(probe + HOUR, late)
        offset = offset_at(zone, step)
        if offset != held:
            low, high = probe, step
            while high - low > SECOND:
                middle = (low + high) // 2
                if offset_at(zone, middle) == held:
                    low = middle
                else:
                    high = middle
            turn = high - high % SECOND
            found.append((since, turn, held))
            since, held = turn, offset
        probe = step
    found.append((since, late, held))
    return found
