"""Months of a time zone, and shares that never flatter."""

from datetime import datetime
from zoneinfo import ZoneInfo


def month_before(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where the month before that of `now` begins and ends, by the zone's wall clock."""
    end = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = (end.year, end.month - 1) if end.month > 1 else (end.year - 1, 12)
    return end.replace(year=year, month=month), end


def share(part: int, whole: int) -> float | None:
    """0 to 1 with four digits, rounded down: 1 means all of them. None of nothing."""
    return part * 10_000 // whole / 10_000 if whole else None
