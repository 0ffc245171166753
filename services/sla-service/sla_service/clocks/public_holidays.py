"""Public holidays of countries other than China, as the `holidays` library keeps them.

The library is slow to import, so it is imported when a calendar asks for it.
"""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase


def known(arrangement: str) -> bool:
    """Whether the library has the country and its part: ``US``, ``GB-ENG``."""
    from holidays import list_supported_countries

    country, _, part = arrangement.partition("-")
    parts = list_supported_countries().get(country)
    return parts is not None and (not part or part in parts)


def years(arrangement: str) -> tuple[int, int]:
    """The first and the last year that the library knows."""
    found = _of(arrangement)
    return found.start_year, found.end_year


def holiday(arrangement: str, day: date) -> str | None:
    """The name of the holiday on that day, None where there is none."""
    return _of(arrangement).get(day)


@lru_cache(maxsize=64)
def _of(arrangement: str) -> "HolidayBase":
    from holidays import country_holidays

    country, _, part = arrangement.partition("-")
    return country_holidays(country, subdiv=part or None)
