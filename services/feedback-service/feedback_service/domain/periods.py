"""When things are due after a resolution."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Periods:
    """When things are due after a resolution (F5, F6, D1)."""

    survey_valid: timedelta
    follow_up_earliest: timedelta
    follow_up_due: timedelta
