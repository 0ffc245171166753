"""The bus's Prometheus metrics, by service; one set of collectors per registry however many members share it."""

from typing import Any
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class _Collectors:
    def __init__(self, registry: CollectorRegistry) -> None:
        def make(kind: Any, name: str, text: str, *labels: str, **more: Any) -> Any:
            return kind(f"redress_{name}", text, ("service", *labels), registry=registry, **more)

        self.delivered = make(Counter, "outbox_delivered", "Outbox rows delivered")
        self.backlog = make(Gauge, "outbox_backlog", "Outbox rows not delivered yet, counted up to 10,000")
        self.oldest = make(Gauge, "outbox_oldest_seconds", "Age of the oldest outbox row not delivered yet")
        self.dead_rows = make(Gauge, "outbox_dead_rows", "Dead rows of the outbox table that vacuum has yet to remove")
        self.leader = make(Gauge, "relay_leader", "1 where this process holds the service's relay lock")
        self.handled = make(Counter, "consumer_events", "Events by what became of them", "type", "outcome")
        self.batch = make(Histogram, "consumer_batch_seconds", "One transaction of the consumer", buckets=_SECONDS)
        self.dead = make(Counter, "consumer_dead_letters", "Dead letters", "reason")
        self.stopped = make(Gauge, "consumer_stopped", "1 where the circuit breaker stopped the consumer")
        self.lag = make(Gauge, "consumer_lag", "Records between the group's position and the end of its partitions")


_by_registry: WeakKeyDictionary[CollectorRegistry, _Collectors] = WeakKeyDictionary()


class BusMetrics:
    """The collectors of one service."""

    def __init__(self, service: str, registry: CollectorRegistry | None) -> None:
        registry = CollectorRegistry() if registry is None else registry
        if registry not in _by_registry:
            _by_registry[registry] = _Collectors(registry)
        collectors = _by_registry[registry]
        self.delivered: Counter = collectors.delivered.labels(service)
        self.backlog: Gauge = collectors.backlog.labels(service)
        self.oldest: Gauge = collectors.oldest.labels(service)
        self.dead_rows: Gauge = collectors.dead_rows.labels(service)
        self.leader: Gauge = collectors.leader.labels(service)
        self.batch: Histogram = collectors.batch.labels(service)
        self.stopped: Gauge = collectors.stopped.labels(service)
        self.lag: Gauge = collectors.lag.labels(service)
        self._service = service
        self._handled: Counter = collectors.handled
        self._dead: Counter = collectors.dead
        self._children: dict[tuple[str, str], Counter] = {}

    def handled(self, event_type: str, outcome: str, count: int = 1) -> None:
        """`outcome`: handled, double, dead or replayed."""
        child = self._children.get((event_type, outcome))
        if child is None:
            child = self._children[event_type, outcome] = self._handled.labels(self._service, event_type, outcome)
        child.inc(count)

    def died(self, reason: str) -> None:
        self._dead.labels(self._service, reason).inc()
