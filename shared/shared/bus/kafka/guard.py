"""The client's habits that a long-lived process must be guarded against."""

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager

import structlog
from aiokafka.errors import KafkaConnectionError

from shared.bus.transient import describe

log = structlog.get_logger("bus")


@contextmanager
def own_cancellation() -> Generator[None]:
    """aiokafka cancels the futures of a connection that closes; to whoever waits for one that looks like being
    cancelled. Here it becomes what it is, unless somebody did cancel this task."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise KafkaConnectionError("the connection closed while an answer was awaited") from error


async def farewell(ending: Awaitable[object], seconds: float) -> None:
    """End a client; one whose broker is gone may be left to itself after a while."""
    try:
        with own_cancellation():
            await asyncio.wait_for(ending, seconds)
    except Exception as error:
        log.info("client left to itself", error=describe(error))
