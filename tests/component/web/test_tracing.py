"""With an OTLP endpoint a trace is recorded: from the request, over the bus, to the handler in another service."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.clock import SystemClock
from shared.service.run import listen, server_for
from shared.telemetry import tracing
from shared.web.auth import Role
from tests.support.sample_service.main import service
from tests.support.sample_service.settings import Settings
from tests.support.web import AUTH, client_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@asynccontextmanager
async def collector() -> AsyncGenerator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A real OTLP/HTTP receiver: its address, and what it got."""
    got: list[ExportTraceServiceRequest] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body", False):
            body += message["body"]
        body += message["body"]
        if scope["path"] == "/v1/traces":
            got.append(ExportTraceServiceRequest.FromString(body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    listening = listen("127.0.0.1", 0)
    server = server_for(app)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", got
    finally:
        server.should_exit = True
        await task


def spans_of(got: list[ExportTraceServiceRequest]) -> dict[str, tuple[str, Any]]:
    """Span name -> service and span."""
    found = {}
    for request in got:
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    found[span.name] = (names["service.name"], span)
    return found


async def test_the_spans_of_one_trace_hang_together_across_services(sample_url: str) -> None:
    async with collector() as (endpoint, got):
        made = service(Settings(database_url=sample_url, otlp_endpoint=endpoint, **AUTH), SystemClock(), None)
        await made.start()
        tracing.start_tracing("other", endpoint)
        async with client_of(made.app, Role.AGENT) as client:
            answer = await client.get("/v1/notes", headers={"traceparent": PARENT})
            assert answer.headers["x-request-id"] == TRACE
        sent = tracing.published("sample", "note.added", PARENT)
        two = [("a", "note.added", sent), ("b", "note.changed", None)]
        with tracing.consuming("other", two):
            inside = tracing.traceparent_of("a") or ""
            assert tracing.traceparent_of("b") not in (None, inside)
        await made.stop()
        await asyncio.to_thread(tracing.stop_tracing, "other")
    spans = spans_of(got)
    asked = spans["GET /v1/notes"]
    assert asked[0] == "sample-service"
    assert asked[1].trace_id.hex() == TRACE
    assert asked[1].parent_span_id.hex() == "b7ad6b7169203331"
    assert {each.key for each in asked[1].attributes} >= {"http.route", "http.response.status_code"}
    handled = spans["handle note.added"]
    assert handled[0] == "other-service"
    assert handled[1].trace_id.hex() == TRACE
    assert handled[1].parent_span_id == spans["publish note.added"][1].span_id
    assert handled[1].span_id.hex() == inside.split("-")[2]
    assert spans["handle note.changed"][1].trace_id.hex() != TRACE


def test_without_an_endpoint_the_sdk_is_not_even_imported() -> None:
    code = "import sys, shared.service; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
