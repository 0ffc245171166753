"""What intake measures of its channels. Each process measures the same; take the greatest."""

from prometheus_client import CollectorRegistry, Gauge


class Gauges:
    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.unaccounted = Gauge(
            "intake_unaccounted",
            "What came in, by the provider or by what was accepted, and has no receipt or complaint; must be 0",
            ("channel", "account"),
            registry=registry,
        )
        self.quarantined = Gauge("intake_quarantined", "Messages in quarantine", ("owner",), registry=registry)
        self.overdue = Gauge(
            "intake_quarantine_overdue",
            "Messages in quarantine that should have been looked at by now",
            ("owner",),
            registry=registry,
        )
        self.lag = Gauge(
            "intake_channel_lag_seconds",
            "How long the provider of a channel that is fetched was not heard",
            ("channel_id", "kind"),
            registry=registry,
        )
