"""When a message that could not be sent is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential back-off: `first_seconds`, doubled after every attempt, never more than `most_seconds`; given up
    after `attempts`."""

    attempts: int
    first_seconds: float
    most_seconds: float

    def next_at(self, attempts_made: int, now: datetime) -> datetime | None:
        """When to try again after `attempts_made` attempts (1, 2, …); `None` gives up."""
        if attempts_made >= self.attempts:
            return None
        # The exponent is bounded so that a generous policy cannot overflow a float.
        pause = min(self.first_seconds * 2.0 ** min(attempts_made - 1, 60), self.most_seconds)
        return now + timedelta(seconds=pause)
