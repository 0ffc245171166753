"""How this system talks to a broker. What must not be left to a client's defaults is said here."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KafkaSettings:
    """Durations in seconds, sizes in bytes."""

    bootstrap_servers: str
    #: Consumer groups are `<prefix>.<service>`.
    group_prefix: str = "redress"
    session_seconds: float = 10.0
    heartbeat_seconds: float = 3.0
    #: How long a member may drain before a rebalance goes on without it.
    rebalance_seconds: float = 60.0
    request_seconds: float = 15.0
    #: A record with its headers; a broker's `message.max.bytes` is 1,048,588 by default.
    max_request_bytes: int = 1_048_576
    #: Batches of one member at the same time, not counting those that have been at work for `slow_seconds` (in a
    #: back-off): while one is at work the next gathers, so batches grow with the load and nobody waits for company.
    flights: int = 1
    slow_seconds: float = 1.0
    commit_seconds: float = 0.2
    #: Between looks whether the broker answers, and how long such a look, or a farewell, may take.
    broker_check_seconds: float = 5.0
    answer_seconds: float = 3.0

    @property
    def producer(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "max_batch_size": 131_072,
            "max_request_size": self.max_request_bytes,
            "request_timeout_ms": int(self.request_seconds * 1000),
        }

    @property
    def consumer(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": int(self.session_seconds * 1000),
            "heartbeat_interval_ms": int(min(self.heartbeat_seconds, self.session_seconds / 3) * 1000),
            "rebalance_timeout_ms": int(self.rebalance_seconds * 1000),
            "max_poll_interval_ms": 300_000,
            "metadata_max_age_ms": 30_000,
            "request_timeout_ms": int(max(self.request_seconds, self.rebalance_seconds + 5) * 1000),
        }
