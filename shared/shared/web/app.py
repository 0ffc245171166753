"""The FastAPI application that every service is: problems, sign-in, limits, health, metrics, documents."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html

from shared.telemetry.metrics import Metrics
from shared.web import handlers, openapi
from shared.web.auth import Authenticator
from shared.web.errors import DEFAULT_RESPONSES
from shared.web.health import Health, health_router
from shared.web.middleware import LimitBody, Observe
from shared.web.ratelimit import Buckets, RateLimit
from shared.web.settings import ServiceSettings

VERSION = "0.1.0"
#: `/docs` is a convenience that loads Swagger UI from a CDN; `/openapi.json` needs nothing.
_DOCS_SECURITY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; script-src https://cdn.jsdelivr.net 'unsafe-inline'"
)


def create_app(
    name: str,
    *,
    title: str,
    description: str,
    settings: ServiceSettings,
    authenticator: Authenticator,
    health: Health,
    metrics: Metrics,
    routers: Sequence[APIRouter],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    state: dict[str, Any] | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """`state` becomes `request.app.state`; `authenticator` is always there. `body_limits` are bytes by path, where
    bodies are streamed and other limits hold than `max_body_bytes`."""
    app = FastAPI(
        title=title,
        description=description,
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=DEFAULT_RESPONSES,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.authenticator = authenticator
    for key, value in (state or {}).items():
        setattr(app.state, key, value)
    for router in (*routers, health_router(health, metrics.registry)):
        app.include_router(router)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    handlers.install(app)
    openapi.install(app, api_keys=authenticator.takes_api_keys)
    # The last added is the outermost.
    app.add_middleware(LimitBody, limit=settings.max_body_bytes, limits=body_limits)
    buckets = Buckets(settings.rate_limit_per_second, settings.rate_limit_burst)
    app.add_middleware(RateLimit, buckets=buckets, known=authenticator.known)
    app.add_middleware(Observe, service=name, metrics=metrics)
    return app


async def _docs(request: Request) -> Response:
    app: FastAPI = request.app
    root = request.scope.get("root_path", "").rstrip("/")
    page = get_swagger_ui_html(openapi_url=f"{root}{app.openapi_url}", title=app.title)
    page.headers["Content-Security-Policy"] = _DOCS_SECURITY
    return page
