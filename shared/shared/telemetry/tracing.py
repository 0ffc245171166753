"""W3C trace context, carried by a context variable from the request to the outbox row, over the bus, to the handler.

Without an OTLP endpoint nothing is recorded and the OpenTelemetry SDK is not even imported; the ids still travel, so
that logs of one complaint's way through all services can be joined.
"""

import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Attribute = str | int | float | bool

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One position in a trace (https://www.w3.org/TR/trace-context/)."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[TraceContext | None] = ContextVar("redress_trace", default=None)
_by_key: ContextVar[Mapping[str, str] | None] = ContextVar("redress_traceparent_by_key", default=None)
_providers: dict[str, "TracerProvider"] = {}


def parse(traceparent: str | None) -> TraceContext | None:
    """The position that a header names; None where it is missing or malformed (a bad header never harms a request)."""
    found = _TRACEPARENT.fullmatch((traceparent or "").strip())
    if found is None or set(found[1]) == {"0"} or set(found[2]) == {"0"}:
        return None
    return TraceContext(found[1], found[2], found[3])


def new_trace() -> TraceContext:
    random = secrets.token_hex(24)
    return TraceContext(random[:32], random[32:])


def current_traceparent() -> str | None:
    """What goes into an outbox row and a `traceparent` header."""
    context = _current.get()
    return context.traceparent if context else None


def current_trace_id() -> str | None:
    context = _current.get()
    return context.trace_id if context else None


@contextmanager
def use_traceparent(value: str | None) -> Generator[None]:
    """Go on with the trace of `value`; with None or nonsense, without one."""
    token = _current.set(parse(value))
    try:
        yield
    finally:
        _current.reset(token)


def traceparent_of(key: str) -> str | None:
    """The trace of the event with this key in the batch at hand; outside of a batch the current one."""
    by_key = _by_key.get()
    found = None if by_key is None else by_key.get(key)
    return found or current_traceparent()


def trace_id_of(traceparent: str | None) -> str | None:
    """The 32 hexadecimal digits that name the trace, for the logs."""
    context = parse(traceparent)
    return context.trace_id if context else None


@contextmanager
def use_traces(by_key: Mapping[str, str]) -> Generator[None]:
    """The traces of a batch of events, by their keys: a batch mixes the events of several traces."""
    token = _by_key.set(by_key)
    try:
        yield
    finally:
        _by_key.reset(token)


class span:
    """A piece of work of `service` under `parent` (a traceparent), or under the current position, or as a new trace.

    ``with span("intake", "POST", parent=header) as context:``
    """

    __slots__ = ("_context", "_recording", "_token")

    def __init__(
        self,
        service: str,
        name: str,
        *,
        parent: str | None = None,
        kind: Kind = "internal",
        attributes: Mapping[str, Attribute] | None = None,
    ) -> None:
        origin = (parse(parent) if parent else None) or _current.get()
        provider = _providers.get(service)
        self._recording = _recorded(provider, name, origin, kind, attributes or {}) if provider else None
        self._context = origin or new_trace()
        self._token: Token[TraceContext | None] | None = None

    def __enter__(self) -> TraceContext:
        if self._recording is not None:
            return self._recording.__enter__()
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._recording is not None:
            self._recording.__exit__(kind, error, at)
        elif self._token is not None:
            _current.reset(self._token)


@contextmanager
def consuming(service: str, events: Sequence[tuple[str, str, str | None]]) -> Generator[None]:
    """A batch at work: (key, type, traceparent) of each event. Of several events of one key, what is published goes on
    in the trace of the last.

    Each event goes on in its own trace; what is added to the outbox meanwhile finds its trace by its key. One event
    alone is also the current position.
    """
    provider = _providers.get(service)
    if provider is None:
        by_key = {key: traceparent for key, _, traceparent in events if traceparent}
        with use_traces(by_key), use_traceparent(events[0][2] if len(events) == 1 else None):
            yield
        return
    with ExitStack() as recordings:
        made = {
            key: recordings.enter_context(
                _recorded(provider, f"handle {kind}", parse(parent), "consumer", {})
            ).traceparent
            for key, kind, parent in events
        }
        with use_traces(made), use_traceparent(made[events[0][0]] if len(events) == 1 else None):
            yield


def published(service: str, kind: str, traceparent: str | None) -> str | None:
    """Record that an event of `kind` was handed to the broker; the traceparent that travels with it."""
    provider = _providers.get(service)
    if provider is None:
        return traceparent
    with _recorded(provider, f"publish {kind}", parse(traceparent), "producer", {}) as context:
        return context.traceparent


@contextmanager
def _recorded(
    provider: "TracerProvider",
    name: str,
    origin: TraceContext | None,
    kind: Kind,
    attributes: Mapping[str, Attribute],
) -> Generator[TraceContext]:
    from opentelemetry import trace
    from opentelemetry.context import Context

    if origin is None:
        above = Context()
    else:
        remote = trace.SpanContext(
            int(origin.trace_id, 16), int(origin.span_id, 16), True, trace.TraceFlags(int(origin.flags, 16))
        )
        above = trace.set_span_in_context(trace.NonRecordingSpan(remote), Context())
    recorder = provider.get_tracer("redress")
    with recorder.start_as_current_span(
        name, context=above, kind=trace.SpanKind[kind.upper()], attributes=dict(attributes)
    ) as recording:
        made = recording.get_span_context()
        context = TraceContext(f"{made.trace_id:032x}", f"{made.span_id:016x}", f"{int(made.trace_flags):02x}")
        token = _current.set(context)
        try:
            yield context
        finally:
            _current.reset(token)


def describe(service: str, name: str, attributes: Mapping[str, Attribute], *, failed: bool = False) -> None:
    """Name the present span, where one is recorded, when more of the work is known."""
    if service in _providers:
        from opentelemetry import trace

        recording = trace.get_current_span()
        recording.update_name(name)
        recording.set_attributes(dict(attributes))
        if failed:
            recording.set_status(trace.StatusCode.ERROR)


def start_tracing(service: str, endpoint: str | None) -> None:
    """Export the spans of `service` to `endpoint` (the base URL of an OTLP/HTTP collector); None: record nothing."""
    if endpoint is None or service in _providers:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"{service}-service"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    _providers[service] = provider


def stop_tracing(service: str) -> None:
    """Send what is left and stop. Blocks up to the exporter's time-out; call it in a thread."""
    provider = _providers.pop(service, None)
    if provider is not None:
        provider.shutdown()
