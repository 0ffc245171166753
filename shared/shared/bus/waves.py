"""How a batch is cut: in waves, under the traces of its events, and side by side."""

import asyncio
from collections.abc import Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from shared.bus.codec import Item
from shared.bus.port import Handler, is_gathering
from shared.contracts import Event
from shared.telemetry.tracing import consuming, trace_id_of


@contextmanager
def working_on(service: str, group: Sequence[Item]) -> Generator[None]:
    """The traces of the group for what is published meanwhile, and the complaint for the logs where it is one."""
    with consuming(service, [(item.key, item.type, item.traceparent) for item in group]):
        if len(group) > 1:
            yield
            return
        trace = trace_id_of(group[0].traceparent)
        with structlog.contextvars.bound_contextvars(complaint_id=group[0].key, trace_id=trace):
            yield


def waves(items: Sequence[Item]) -> Iterator[tuple[Handler, list[Item]]]:
    """What goes to use cases that gather, whole; then the first event of every key grouped by contract, then the second
    of every key, and so on."""
    gathered: dict[Handler, list[Item]] = {}
    seen: dict[str, int] = {}
    rounds: list[dict[type[Event], list[Item]]] = []
    for item in items:
        if item.contract is None or item.handler is None:
            continue
        if is_gathering(item.handler):
            gathered.setdefault(item.handler, []).append(item)
            continue
        nth = seen.get(item.key, 0)
        seen[item.key] = nth + 1
        if nth == len(rounds):
            rounds.append({})
        rounds[nth].setdefault(item.contract, []).append(item)
    yield from gathered.items()
    for groups in rounds:
        for group in groups.values():
            handler = group[0].handler
            assert handler is not None
            yield handler, group


async def side_by_side(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all; when one fails the others are cancelled, and its error is raised once they have ended."""
    if len(work) == 1:
        await work[0]
        return
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
