"""When a message that could not be sent is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notify_service.domain import RetryPolicy

NOW = datetime(2024, 5, 10, tzinfo=UTC)


def test_the_pause_doubles_up_to_its_limit_and_then_it_is_given_up() -> None:
    policy = RetryPolicy(attempts=5, first_seconds=5, most_seconds=15)
    pauses = [policy.next_at(made, NOW) for made in range(1, 6)]
    assert pauses == [NOW + timedelta(seconds=seconds) for seconds in (5, 10, 15, 15)] + [None]


@given(st.integers(1, 10_000), st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_no_pause_is_longer_than_the_limit(made: int, first: float, most: float) -> None:
    at = RetryPolicy(10_001, first, most).next_at(made, NOW)
    assert at is not None
    assert NOW < at <= NOW + timedelta(seconds=most)
