"""`/livez`, `/readyz`, `/metrics`.

Alive: the process answers and its loops make progress; otherwise it should be restarted. Ready: each thing that it
needs, told apart; otherwise it should get no requests. What was found is believed for a second: probes cost nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from shared.telemetry.logs import said
from shared.web.body import answer
from shared.web.errors import Documented


class Finding(BaseModel):
    """What one check found. `facts` are for the operator who looks."""

    ok: bool
    detail: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


class Report(BaseModel):
    status: str
    service: str
    checks: dict[str, Finding]


Check = Callable[[], Awaitable[Finding]]


@dataclass
class _Seen:
    at: float
    report: Report


class Health:
    def __init__(self, service: str, *, believed: float = 1.0, timeout: float = 2.0) -> None:
        """Times in seconds."""
        self.service = service
        self._believed = believed
        self._timeout = timeout
        self._ready: dict[str, Check] = {}
        self._alive: dict[str, Check] = {}
        self._seen: _Seen | None = None
        self._looking = asyncio.Lock()

    def ready_when(self, name: str, check: Check) -> None:
        self._ready[name] = check

    def alive_when(self, name: str, check: Check) -> None:
        self._alive[name] = check

    def forget(self) -> None:
        """Look anew at the next question (the state changed: started, stopping)."""
        self._seen = None

    async def ready(self) -> Report:
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen.at > self._believed:
                report = await self._report(self._ready, "ready", "not ready")
                self._seen = _Seen(time.monotonic(), report)
            return self._seen.report

    async def alive(self) -> Report:
        return await self._report(self._alive, "alive", "stuck")

    async def _report(self, checks: dict[str, Check], good: str, bad: str) -> Report:
        found = dict(zip(checks, await asyncio.gather(*map(self._look, checks.values())), strict=True))
        status = good if all(finding.ok for finding in found.values()) else bad
        return Report(status=status, service=self.service, checks=found)

    async def _look(self, check: Check) -> Finding:
        try:
            return await asyncio.wait_for(check(), self._timeout)
        except TimeoutError:
            return Finding(ok=False, detail=f"no answer within {self._timeout:g} s")
        except Exception as error:
            return Finding(ok=False, detail=said(error))


def _status(report: Report, good: str) -> int:
    return 200 if report.status == good else 503


def health_router(health: Health, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(tags=["operation"])
    down: Documented = {503: {"model": Report, "description": "One of the checks failed"}}

    @router.get("/livez", response_model=Report, responses=dict(down))
    async def livez() -> Response:
        """Whether the process and its loops make progress."""
        report = await health.alive()
        return answer(report, status=_status(report, "alive"))

    @router.get("/readyz", response_model=Report, responses=dict(down))
    async def readyz() -> Response:
        """Whether requests can be served: each dependency told apart."""
        report = await health.ready()
        return answer(report, status=_status(report, "ready"))

    @router.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
