"""A real broker for the tests marked `kafka`: `TEST_KAFKA_BOOTSTRAP_SERVERS`, or one that the run starts itself."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest

from redress.kafka import Broker, KafkaUnavailable, running_broker


@contextmanager
def kafka_broker() -> Generator[str]:
    """Yields the bootstrap address. Skips, or fails with REDRESS_REQUIRE_KAFKA=1, where the broker can't run."""
    if given := os.environ.get("TEST_KAFKA_BOOTSTRAP_SERVERS"):
        yield given
        return
    with own_broker() as broker:
        yield broker.bootstrap


@contextmanager
def own_broker() -> Generator[Broker]:
    """A broker that the test may stop and start; skips or fails where there can be none."""
    with ExitStack() as stack:
        try:
            broker = stack.enter_context(running_broker())
        except KafkaUnavailable as missing:
            if os.environ.get("REDRESS_REQUIRE_KAFKA") == "1":
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
        yield broker
