"""How many due instants a second one core computes on a business calendar with holidays and make-up days.

Seconds of CPU time, not of the wall: a busy machine tells less of it, though caches and clock rates still do.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.figures import SCALE, Figure
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.durations import Business, BusinessDays, Duration, due
from sla_service.clocks.instants import DAY, micros
from sla_service.usecases.packs import load_pack

COUNT = round(200_000 * SCALE)
ROUNDS = 3
GOAL = 200_000.0


def run() -> list[Figure]:
    spec = next(one for one in load_pack("default")[1] if one.calendar_id == "cn-office")
    calendar, chance = Calendar(spec), random.Random(1)
    first = micros(datetime(2023, 1, 1, tzinfo=UTC))
    starts = [first + chance.randrange(2 * 365 * DAY) for _ in range(COUNT)]
    hours = [Business(time=timedelta(hours=count)) for count in (1, 2, 4, 8, 16, 40)]
    days = [BusinessDays(days=count) for count in (1, 2, 3, 5)]
    return [
        Figure(
            "due_instants",
            _rate(calendar, starts, hours),
            "/s and core",
            goal=GOAL,
            more={"business_days": _rate(calendar, starts[: COUNT // 10], days)},
        )
    ]


def _rate(calendar: Calendar, starts: Sequence[int], kinds: Sequence[Duration]) -> float:
    """Due instants per second of CPU time, the best round; the index of the years is there before the first."""

    def one_round() -> None:
        for place, start in enumerate(starts):
            due(kinds[place % len(kinds)], start, calendar, None, None)

    for year in range(2022, 2026):
        calendar.between(micros(datetime(year, 2, 1, tzinfo=UTC)), micros(datetime(year, 2, 2, tzinfo=UTC)))
    return len(starts) / min(_spent(one_round) for _ in range(ROUNDS))


def _spent(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
