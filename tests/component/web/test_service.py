"""The life of a service, its health, its documents, and what its answers carry."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from jsonschema import Draft202012Validator
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.routing import Mount
from structlog.testing import capture_logs

from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.db import async_url, provision
from shared.service import CannotStart, Service
from shared.web.auth import Role
from tests.support.postgres import url_as
from tests.support.sample_service.main import service
from tests.support.sample_service.settings import Settings
from tests.support.web import AUTH, SIGNER, client_of, signed_in


async def test_a_service_on_the_bus_is_ready_and_tells_each_dependency_apart(sample_url: str) -> None:
    bus = LocalBus({"sample"})
    made = service(Settings(database_url=sample_url, **AUTH), SystemClock(), bus)
    async with client_of(made.app) as client:
        before = await client.get("/readyz")
        assert (before.status_code, before.json()["checks"]["started"]["ok"]) == (503, False)
        await made.start()
        after = await client.get("/readyz")
        assert after.status_code == 200, after.text
        assert set(after.json()["checks"]) == {"started", "database", "background", "bus relay", "bus consumer"}
        assert (await client.get("/livez")).status_code == 200
        await made.stop()
        assert (await client.get("/readyz")).status_code == 503
    await bus.close()


async def test_a_schema_behind_the_code_is_a_clear_refusal_to_start(provisioned: str) -> None:
    admin = create_async_engine(async_url(provisioned), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text("create database not_migrated"))
    await admin.dispose()
    other = make_url(provisioned).set(database="not_migrated").render_as_string(hide_password=False)
    await provision(other, ("sample",))
    settings = Settings(database_url=url_as(other, "sample"), **AUTH)
    made = service(settings, SystemClock(), None)
    with pytest.raises(CannotStart, match=r"at migration none, the code needs 0001\. Run `redress migrate`"):
        await made.start()
    assert not made.running
    at_once = service(settings.model_copy(update={"migrate_on_start": True}), SystemClock(), None)
    await at_once.start()
    assert at_once.running
    await at_once.stop()


async def test_a_database_that_is_away_at_the_start_is_told(provisioned: str) -> None:
    made = service(Settings(database_url="postgresql://x@127.0.0.1:1/x", **AUTH), SystemClock(), None)
    with pytest.raises(CannotStart, match="cannot be reached"):
        await made.start()


async def test_only_who_may_is_let_in(sample: Service) -> None:
    async with client_of(sample.app) as stranger:
        answer = await stranger.get("/v1/notes")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="redress"'
        bad = await stranger.get("/v1/notes", headers={"Authorization": "Bearer x"})
        assert (bad.status_code, bad.json()["type"]) == (401, "urn:redress:problem:unauthorized")
        quality = signed_in(Role.QUALITY)
        assert (await stranger.get("/v1/notes", headers=quality)).status_code == 200
        refused = await stranger.post("/v1/notes", json={"text": "a"}, headers=quality)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:redress:problem:forbidden")
        assert "agent, lead" in refused.json()["detail"]
        assert (await stranger.post("/v1/notes", json={"text": "a"}, headers=signed_in(Role.ADMIN))).status_code == 201
        for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs"):
            assert (await stranger.get(path)).status_code == 200, path


async def test_pages_follow_one_another_to_the_end(agent: AsyncClient) -> None:
    for number in range(5):
        await agent.post("/v1/notes", json={"text": str(number)})
    seen: list[str] = []
    url: str | None = "/v1/notes?limit=2"
    while url:
        answer = (await agent.get(url)).json()
        seen += [note["text"] for note in answer["data"]]
        url = answer["links"]["next"]
    assert seen == ["0", "1", "2", "3", "4"]
    bad = await agent.get("/v1/notes?cursor=nonsense")
    assert (bad.status_code, bad.json()["type"]) == (400, "urn:redress:problem:bad-cursor")


async def test_a_request_is_logged_by_its_route_with_its_trace_and_without_its_content(agent: AsyncClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with capture_logs() as logged:
        answer = await agent.post(
            "/v1/notes?phone=13812341234",
            json={"text": "13812341234"},
            headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
        )
        await agent.get("/livez")
    assert answer.headers["x-request-id"] == trace
    (line,) = [entry for entry in logged if entry["event"] == "request"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/notes", 201)
    assert "13812341234" not in str(logged)


async def test_metrics_count_requests_by_route_template(agent: AsyncClient) -> None:
    await agent.patch("/v1/notes/0192f0c1-2345-7000-8000-000000000001", json={"text": "a"}, headers={"If-Match": "*"})
    await agent.get("/wp-admin.php")
    told = (await agent.get("/metrics")).text
    assert 'redress_http_requests_total{method="PATCH",route="/v1/notes/{note_id}",status="404"} 1.0' in told
    assert 'redress_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in told
    assert 'redress_http_request_seconds_count{method="PATCH",route="/v1/notes/{note_id}"} 1.0' in told


async def test_too_many_requests_are_refused_and_say_when_to_come_back(sample_url: str) -> None:
    settings = Settings(database_url=sample_url, rate_limit_per_second=0.1, rate_limit_burst=2, **AUTH)
    made = service(settings, SystemClock(), None)
    async with client_of(made.app, Role.AGENT) as client:
        answers = [await client.get("/v1/nothing") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert answers[0].headers["ratelimit"].startswith('"default";r=1;')
        assert answers[2].headers["retry-after"] == "10"
        assert answers[2].headers["content-type"] == "application/problem+json"
        assert (await client.get("/livez")).status_code == 200
    await made.database.close()


async def test_answers_are_not_cached_nor_sniffed_and_pages_are_protected(agent: AsyncClient) -> None:
    answer = await agent.get("/v1/notes")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    docs = await agent.get("/docs")
    assert "cdn.jsdelivr.net" in docs.headers["content-security-policy"]
    assert docs.headers["x-frame-options"] == "DENY"


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


async def test_the_openapi_document_tells_the_truth(sample: Service, agent: AsyncClient) -> None:
    document = (await agent.get("/openapi.json")).json()
    for operation in operations(document):
        for status in ("4XX", "5XX"):
            schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}
        assert "422" not in operation["responses"] or "problem+json" in str(operation["responses"]["422"])
    add = document["paths"]["/v1/notes"]["post"]
    assert add["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewNote"}
    assert document["components"]["schemas"]["NewNote"]["properties"]["text"]["maxLength"] == 200
    assert add["security"] == [{"bearer": []}]
    assert add["x-roles"] == ["agent", "lead"]
    assert {"401", "403", "400", "409", "422", "201"} <= set(add["responses"])
    assert "HTTPValidationError" not in document["components"]["schemas"]
    problem = (await agent.get("/v1/nothing")).json()
    whole = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    Draft202012Validator(whole).validate(problem)


async def test_under_another_application_links_and_documents_know_where_they_are(sample: Service) -> None:
    origin = FastAPI()
    origin.mount("/sample", sample.app)
    plain = Starlette(routes=[Mount("/sample", app=sample.app)])
    for outer in (origin, plain):
        async with AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://redress.test") as client:
            document = (await client.get("/sample/openapi.json")).json()
            assert document["servers"] == [{"url": "/sample"}]
            listed = await client.get("/sample/v1/notes", headers=signed_in(Role.AGENT))
            assert listed.json()["links"]["self"] == "/sample/v1/notes"
            missing = await client.get("/sample/v1/nothing")
            assert missing.headers["content-type"] == "application/problem+json"
            with capture_logs() as logged:
                await client.get("/sample/readyz")
            assert logged == [], "probes are quiet here too"


async def test_workers_end_when_their_parent_was_killed(sample_url: str) -> None:
    parent = await _process(sample_url, workers=2)
    url = await _url_of(parent, 2)
    parent.kill()
    assert parent.stderr is not None
    rest = (await asyncio.wait_for(parent.stderr.read(), 20)).decode()
    await parent.wait()
    assert rest.count("service stopped") == 2, rest
    with pytest.raises(httpx.ConnectError):
        async with AsyncClient(base_url=url) as client:
            await client.get("/livez")


async def _process(sample_url: str, *, workers: int) -> asyncio.subprocess.Process:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.getcwd(),
        "DATABASE_URL": sample_url,
        "AUTH_JWKS": SIGNER.jwks,
        "SAMPLE_PORT": "0",
        "WORKERS": str(workers),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.sample_service", env=env, stderr=subprocess.PIPE
    )


async def _url_of(process: asyncio.subprocess.Process, workers: int) -> str:
    """Where it listens, once all workers do."""
    assert process.stderr is not None
    listening: list[str] = []
    while len(listening) < workers:
        line = (await process.stderr.readline()).decode()
        assert line, "it ended before it listened"
        if '"event": "listening"' in line:
            listening.append(line)
    return str(json.loads(listening[0])["url"])


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_process_serves_until_it_is_told_to_end(sample_url: str, workers: int) -> None:
    process = await _process(sample_url, workers=workers)
    try:
        async with AsyncClient(base_url=await _url_of(process, workers), headers=signed_in(Role.AGENT)) as client:
            assert (await client.post("/v1/notes", json={"text": "a"})).status_code == 201
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        rest = (await asyncio.wait_for(process.stderr.read(), 20)).decode()
        assert await process.wait() == 0, rest
        assert rest.count("service stopped") == workers
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
