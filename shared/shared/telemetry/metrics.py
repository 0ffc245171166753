"""Metrics: one Prometheus registry per service, so that several services in one process keep theirs apart."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What every service measures of itself. `registry` takes a service's own metrics too."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "redress_http_requests", "Answered requests", ("method", "route", "status"), registry=self.registry
        )
        self._durations = Histogram(
            "redress_http_request_seconds",
            "Time to the end of the answer",
            ("method", "route"),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        #: Requests at work.
        self.in_flight = 0
        gauge = Gauge("redress_http_requests_in_flight", "Requests at work", registry=self.registry)
        gauge.set_function(lambda: self.in_flight)
        self.loop_crashes = Counter(
            "redress_background_crashes", "Crashes of background loops", ("loop",), registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the template, never the path: ids and tokens stay out of it."""
        key = (method, route, status)
        found = self._children.get(key)
        if found is None:
            counted = self._requests.labels(method, route, str(status))
            found = self._children[key] = (counted, self._durations.labels(method, route))
        found[0].inc()
        found[1].observe(seconds)
