"""The trace that the present work belongs to, as a W3C `traceparent`.

The web door sets it for a request, the bus for the events that it hands to a use case; the outbox reads it when an
event is added. A batch mixes the events of several traces, so the bus tells them key by key.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("redress_traceparent", default=None)
_by_key: ContextVar[Mapping[str, str] | None] = ContextVar("redress_traceparent_by_key", default=None)


def current_traceparent() -> str | None:
    """The `traceparent` of the present work, or `None` outside of any trace."""
    return _current.get()


def traceparent_of(key: str) -> str | None:
    """The trace of the event with this key in the batch at hand; outside of a batch the current one."""
    by_key = _by_key.get()
    found = None if by_key is None else by_key.get(key)
    return found or _current.get()


def trace_id_of(traceparent: str | None) -> str | None:
    """The 32 hexadecimal digits that name the trace, for the logs."""
    parts = traceparent.split("-") if traceparent else ()
    return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else None


@contextmanager
def use_traceparent(traceparent: str | None) -> Generator[None]:
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def use_traces(by_key: Mapping[str, str]) -> Generator[None]:
    """The traces of a batch of events, by their keys."""
    token = _by_key.set(by_key)
    try:
        yield
    finally:
        _by_key.reset(token)
