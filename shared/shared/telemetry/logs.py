"""Structured logs: one JSON object a line on standard error, with service, trace id and complaint.

Never a body, a contact or free text (A6). The messages of errors from the database and from validation quote what they
were given, so only the class, the SQLSTATE and the stack of such an error are written.
"""

import logging
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars
from structlog.types import EventDict, Processor, WrappedLogger

from shared.telemetry.tracing import current_trace_id

_QUOTE_THEIR_INPUT = ("sqlalchemy", "asyncpg", "pydantic", "pydantic_core")


def configure_logging(level: Literal["debug", "info", "warning", "error"], form: Literal["json", "console"]) -> None:
    """For the whole process, the libraries' loggers included. Call it once, in `main`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_trace,
        describe_exception,
    ]
    rendered: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = current_trace_id()
    if trace_id:
        event.setdefault("trace_id", trace_id)
    return event


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    elif isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        event["exception"] = describe(given)
    return event


def describe(error: BaseException) -> str:
    """The stack of an error and of what caused it, without what it quotes from requests or rows."""
    parts = []
    at: BaseException | None = error
    seen: set[int] = set()
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        parts.append("".join(traceback.format_tb(at.__traceback__)) + said(at))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\ncaused by\n".join(parts)


def said(error: BaseException) -> str:
    """Class and message; for errors that quote their input, class and SQLSTATE."""
    name = type(error).__qualname__
    if not type(error).__module__.startswith(_QUOTE_THEIR_INPUT):
        return f"{name}: {error}"
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    return f"{name}: SQLSTATE {state}" if state else name


def bind_complaint(complaint_id: UUID, number: str = "") -> None:
    """Name the complaint in every log line of this request from here on."""
    bind_contextvars(complaint_id=str(complaint_id), **({"complaint": number} if number else {}))


@contextmanager
def service_named(service: str) -> Generator[None]:
    """Name the service in the log lines of this block."""
    with bound_contextvars(service=service):
        yield
