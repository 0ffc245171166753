"""Pure ASGI middleware around every service: what is seen of a request, its size, what protects its pages."""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from shared.telemetry import tracing
from shared.telemetry.metrics import Metrics
from shared.web.errors import TooLarge
from shared.web.handlers import of_exception, problem_response

log = structlog.get_logger()

#: Asked every second by machines: not worth a log line, never limited.
QUIET = frozenset({"/livez", "/readyz", "/metrics"})
CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def route_of(scope: Scope) -> str:
    """The template of the route that was taken, never the path itself: a path may hold a survey's secret token."""
    effective = (
        scope.get("fastapi", {}).get("effective_route_context") if isinstance(scope.get("fastapi"), dict) else None
    )
    for candidate in (effective, scope.get("route")):
        template = getattr(candidate, "path_format", None) or getattr(candidate, "path", None)
        if template:
            return str(template)
    return "unmatched"


class Observe:
    """Trace context, access log, metrics, and the answer to what nobody caught."""

    def __init__(self, app: ASGIApp, *, service: str, metrics: Metrics) -> None:
        self.app = app
        self.service = service
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clear_contextvars()
        bind_contextvars(service=self.service)
        scope.setdefault("state", {})
        headers = Headers(scope=scope)
        with (
            tracing.span(self.service, scope["method"], parent=headers.get("traceparent"), kind="server") as context,
            self.metrics.in_flight.track_inprogress(),
        ):
            await self._observed(scope, receive, send, context.trace_id)

    async def _observed(self, scope: Scope, receive: Receive, send: Send, trace_id: str) -> None:
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                protect(message, trace_id)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:
            problem = of_exception(error)
            if problem.status >= 500:
                log.error("request failed", slug=problem.slug, route=route_of(scope), exc_info=error)
            if status:
                raise  # the answer has begun: only the broken connection can tell
            await problem_response(problem)(scope, receive, watched)
        finally:
            self._told(scope, status or 499, time.perf_counter() - started)

    def _told(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self.metrics.request(scope["method"], route, status, seconds)
        tracing.describe(
            self.service,
            f"{scope['method']} {route}",
            {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status},
            failed=status >= 500,
        )
        if scope["path"].removeprefix(scope.get("root_path", "")) not in QUIET:
            log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def protect(message: Message, trace_id: str) -> None:
    """Headers that every answer has: no sniffing, no caching unless it says so, and for pages a strict policy."""
    headers = MutableHeaders(raw=message.setdefault("headers", []))
    headers["X-Request-Id"] = trace_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY)
        headers["Referrer-Policy"] = "no-referrer"
        headers["X-Frame-Options"] = "DENY"
    message["headers"] = headers.raw


class LimitBody:
    """413 for a body of more than `limit` bytes: at once where its length is told, else as soon as it is passed."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdigit() and int(told) > self.limit:
            await problem_response(self._too_large())(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.limit:
                # FastAPI turns any other exception into 400 while it reads a body.
                raise HTTPException(413, self._too_large().detail)
            return message

        await self.app(scope, counted, send)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"At most {self.limit} bytes are taken.")
