"""The one origin of the standalone system: the services under `/intake`, `/triage`, …, and what belongs to none."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, Router

from redress import mailpages
from redress.mailbox import Mailbox
from shared.service import Service
from shared.telemetry.metrics import Metrics
from shared.web import handlers
from shared.web.auth import Authenticator
from shared.web.middleware import Observe

STAGES = {
    "intake": ("接收", "Receive"),
    "triage": ("评估", "Assess"),
    "resolution": ("处理", "Handle"),
    "sla": ("时限", "Service levels"),
    "feedback": ("反馈", "Feed back"),
    "insight": ("复盘", "Review"),
    "notify": ("通知", "Messages"),
}


def front(services: Mapping[str, Service], mailbox: Mailbox, authenticator: Authenticator) -> Router:
    """The ASGI application of all services. Their lives are not tied to it: start them before, stop them after."""

    async def start_page(request: Request) -> Response:
        listed = [{"name": name, "zh": STAGES[name][0], "en": STAGES[name][1]} for name in services]
        page = mailpages.TEMPLATES.get_template("start.html").render(services=listed)
        return HTMLResponse(page)

    async def livez(request: Request) -> Response:
        found = {name: await service.health.alive() for name, service in services.items()}
        return _told(found, good="alive", bad="stuck")

    async def readyz(request: Request) -> Response:
        found = {name: await service.health.ready() for name, service in services.items()}
        return _told(found, good="ready", bad="not ready")

    async def documents(request: Request) -> Response:
        data = [
            {"service": name, "title": service.app.title, "openapi": f"/{name}/openapi.json", "docs": f"/{name}/docs"}
            for name, service in services.items()
        ]
        return JSONResponse({"data": data})

    own = FastAPI(title="Redress", openapi_url=None, docs_url=None, redoc_url=None)
    own.router.routes.extend(
        [
            Route("/", start_page),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/openapi", documents),
            *mailpages.routes(mailbox, authenticator),
        ]
    )
    handlers.install(own)
    own.add_middleware(Observe, service="standalone", metrics=Metrics())
    return Router([*(Mount(f"/{name}", app=service.app) for name, service in services.items()), Mount("/", app=own)])


def _told(found: Mapping[str, Any], *, good: str, bad: str) -> Response:
    well = all(report.status == good for report in found.values())
    reports = {name: report.model_dump(mode="json") for name, report in found.items()}
    return JSONResponse({"status": good if well else bad, "services": reports}, status_code=200 if well else 503)
