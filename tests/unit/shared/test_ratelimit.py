"""The token bucket."""

from shared.web.ratelimit import Buckets


def test_a_burst_is_let_through_then_the_rate_decides() -> None:
    now = [0.0]
    buckets = Buckets(2, 3, monotonic=lambda: now[0])
    assert [buckets.take("li") for _ in range(4)] == [(2, 0), (1, 0), (0, 0), (-1, 1)]
    now[0] = 0.5
    assert buckets.take("li") == (0, 0)
    assert buckets.take("li") == (-1, 1)


def test_each_caller_has_a_bucket() -> None:
    buckets = Buckets(1, 1, monotonic=lambda: 0.0)
    assert buckets.take("li") == (0, 0)
    assert buckets.take("wang") == (0, 0)
    assert buckets.take("li") == (-1, 1)


def test_a_bucket_never_holds_more_than_the_burst() -> None:
    now = [0.0]
    buckets = Buckets(10, 2, monotonic=lambda: now[0])
    buckets.take("li")
    now[0] = 1000.0
    assert buckets.take("li") == (1, 0)
    assert buckets.window == 1
