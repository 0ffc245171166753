"""Pure ASGI middleware around every service: what is seen of a request, its size, what protects its pages."""

import re
import time
from collections.abc import Mapping

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from shared.telemetry import tracing
from shared.telemetry.logs import describe
from shared.telemetry.metrics import Metrics
from shared.web.errors import TooLarge
from shared.web.handlers import of_exception, problem_response

log = structlog.get_logger()

#: Asked every second by machines: not worth a log line, never limited.
PROBES = ("/livez", "/readyz", "/metrics")
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
        parent = header_of(scope, b"traceparent")
        with tracing.span(self.service, scope["method"], parent=parent, kind="server") as context:
            self.metrics.in_flight += 1
            try:
                await self._observed(scope, receive, send, context.trace_id.encode())
            finally:
                self.metrics.in_flight -= 1

    async def _observed(self, scope: Scope, receive: Receive, send: Send, trace_id: bytes) -> None:
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", trace_id)]
                protect(message["headers"])
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            status = status or 499
        except Exception as error:
            problem = of_exception(error)
            if problem.status >= 500:
                log.error("request failed", slug=problem.slug, route=route_of(scope), exception=describe(error))
            if status:
                raise  # the answer has begun: only the broken connection can tell
            await problem_response(problem)(scope, receive, watched)
        finally:
            self._told(scope, status or 499, time.perf_counter() - started)

    def _told(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = scope["method"]
        self.metrics.request(method, route, status, seconds)
        tracing.describe(
            self.service,
            f"{method} {route}",
            {"http.request.method": method, "http.route": route, "http.response.status_code": status},
            failed=status >= 500,
        )
        if not is_quiet(scope):
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def is_quiet(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.endswith(PROBES) and path.removeprefix(scope.get("root_path", "")) in PROBES


def header_of(scope: Scope, name: bytes) -> str | None:
    """One header of a request; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def protect(headers: list[tuple[bytes, bytes]]) -> None:
    """What every answer has: no sniffing, no caching unless it says so, and for pages a strict policy."""
    given = dict(headers)
    headers.append((b"x-content-type-options", b"nosniff"))
    if b"cache-control" not in given:
        headers.append((b"cache-control", b"no-store"))
    if given.get(b"content-type", b"").startswith(b"text/html"):
        if b"content-security-policy" not in given:
            headers.append((b"content-security-policy", CONTENT_SECURITY.encode()))
        headers += [(b"referrer-policy", b"no-referrer"), (b"x-frame-options", b"DENY")]


class LimitBody:
    """413 for a body of more than `limit` bytes: at once where its length is told, else as soon as it is passed.
    `limits` are those of single paths whose bodies are streamed; `{…}` in one stands for any part of a path."""

    def __init__(self, app: ASGIApp, *, limit: int, limits: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.limits = [(_pattern(path), most) for path, most in (limits or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = next((most for pattern, most in self.limits if pattern.fullmatch(path)), self.limit)
        told = header_of(scope, b"content-length") or "0"
        if told.isdigit() and int(told) > limit:
            await problem_response(_too_large(limit))(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                # FastAPI turns any other exception into 400 while it reads a body.
                raise HTTPException(413, _too_large(limit).detail)
            return message

        await self.app(scope, counted, send)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", path)))


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"At most {limit} bytes are taken.")
