"""Every error answer is a problem document that says what to do and gives nothing away."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import pytest
from httpx import AsyncClient
from sqlalchemy import text
from structlog.testing import capture_logs

from shared.clock import SystemClock
from shared.db import Database
from shared.service import Service
from shared.web.auth import Role
from tests.support.sample_service.main import service
from tests.support.sample_service.settings import Settings
from tests.support.web import AUTH, client_of


def told(answer: httpx.Response, status: int, slug: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["type"] == f"urn:redress:problem:{slug}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["trace_id"] == answer.headers["x-request-id"]
    return document


async def test_an_unknown_path_is_a_problem(agent: AsyncClient) -> None:
    told(await agent.get("/v1/nothing"), 404, "not-found")


async def test_a_method_that_is_not_known_is_a_problem_that_says_which_are(agent: AsyncClient) -> None:
    answer = await agent.delete("/v1/notes")
    told(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST", "those of both routes of the path"


async def test_what_breaks_a_rule_is_named_by_json_pointer(agent: AsyncClient) -> None:
    answer = await agent.post("/v1/notes", json={"text": "", "answers": "x", "wrong/~name": 1})
    errors = told(answer, 422, "invalid")["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors} == {"/text", "/answers", "/wrong~1~0name"}


async def test_a_body_that_fastapi_reads_is_held_to_the_same_rules(agent: AsyncClient) -> None:
    path = f"/v1/notes/{uuid4()}"
    errors = told(await agent.patch(path, json={"text": 5}), 422, "invalid")["errors"]
    assert errors == [{"detail": "Input should be a valid string", "pointer": "/text"}]
    told(await agent.patch(path, content=b"{", headers={"content-type": "application/json"}), 400, "malformed-json")
    told(await agent.patch(path, content=b"text=a"), 415, "unsupported-media-type")
    told(await agent.patch(path, content=b"\xff", headers={"content-type": "application/json"}), 400, "bad-request")
    told(await agent.patch(path), 422, "invalid")


async def test_a_stranger_is_told_to_sign_in_before_anything_about_the_body(sample: Service) -> None:
    headers = {"content-type": "application/json"}
    async with client_of(sample.app) as stranger:
        for body in (b"{", b"\xff", b"{}"):
            told(await stranger.patch(f"/v1/notes/{uuid4()}", content=body, headers=headers), 401, "unauthorized")
            told(await stranger.post("/v1/notes", content=body, headers=headers), 401, "unauthorized")


async def test_a_parameter_is_named(agent: AsyncClient) -> None:
    errors = told(await agent.get("/v1/notes?limit=0"), 422, "invalid")["errors"]
    assert isinstance(errors, list)
    assert errors[0]["parameter"] == "limit"
    errors = told(await agent.patch("/v1/notes/17", json={"text": "a"}), 422, "invalid")["errors"]
    assert isinstance(errors, list)
    assert errors[0]["parameter"] == "note_id"


async def test_a_body_that_is_not_json_is_a_bad_request(agent: AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    told(await agent.post("/v1/notes", content=b'{"text": ', headers=headers), 400, "malformed-json")
    told(await agent.post("/v1/notes", content=b"\xff\xfe", headers=headers), 400, "malformed-json")


async def test_another_media_type_is_refused(agent: AsyncClient) -> None:
    told(await agent.post("/v1/notes", content=b"text=a"), 415, "unsupported-media-type")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end(agent: AsyncClient) -> None:
    told(await agent.post("/v1/notes", content=b"x" * 1_048_577), 413, "content-too-large")
    given = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal given
        while given < 50_000_000:
            given += 65536
            yield b"x" * 65536

    headers = {"content-type": "application/json"}
    told(await agent.post("/v1/notes", content=endless(), headers=headers), 413, "content-too-large")
    assert given <= 1_048_576 + 2 * 65536
    given = 0
    told(await agent.patch(f"/v1/notes/{uuid4()}", content=endless(), headers=headers), 413, "content-too-large")
    assert given <= 1_048_576 + 2 * 65536


async def test_a_text_that_cannot_be_stored_is_the_callers_error(agent: AsyncClient) -> None:
    told(await agent.post("/v1/notes", json={"text": "a\x00b"}), 422, "cannot-be-stored")


async def test_a_bug_gives_nothing_away_but_the_trace_id(agent: AsyncClient) -> None:
    with capture_logs() as logged:
        answer = await agent.get("/v1/notes/broken/by-a-bug")
    document = told(answer, 500, "internal-error")
    assert "1381234" not in answer.text
    assert "trace_id" in str(document["detail"])
    assert [entry["log_level"] for entry in logged if entry["event"] == "request failed"] == ["error"]


async def test_a_lost_race_is_412_and_tells_the_present_version(agent: AsyncClient) -> None:
    made = await agent.post("/v1/notes", json={"text": "a"})
    path = f"/v1/notes/{made.json()['note_id']}"
    told(await agent.patch(path, json={"text": "b"}), 428, "precondition-required")
    changed = await agent.patch(path, json={"text": "b"}, headers={"If-Match": made.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    late = await agent.patch(path, json={"text": "c"}, headers={"If-Match": made.headers["etag"]})
    told(late, 412, "precondition-failed")
    assert late.headers["etag"] == '"2"'
    told(await agent.patch(f"/v1/notes/{uuid4()}", json={"text": "c"}, headers={"If-Match": "*"}), 404, "no-such-note")


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/redress", "postgresql://nobody@/x?host=/nowhere"])
async def test_without_its_database_a_service_asks_to_come_back(url: str) -> None:
    made = service(Settings(database_url=url, **AUTH), SystemClock(), None)
    async with client_of(made.app, Role.AGENT) as client:
        answer = await client.post("/v1/notes", json={"text": "a"}, headers={"Idempotency-Key": "k"})
        told(answer, 503, "database-away")
        assert answer.headers["retry-after"] == "2"
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"]["ok"] is False
    await made.database.close()


async def test_a_connection_that_is_cut_in_the_middle_is_503_and_the_next_request_works(
    sample: Service, agent: AsyncClient, admin_url: str
) -> None:
    assert (await agent.get("/v1/notes")).status_code == 200
    async with sample.database.session() as tx:
        await tx.execute(text("select 1"))
        await _cut(admin_url, "redress-sample", besides=await tx.scalar(text("select pg_backend_pid()")))
    statuses = [(await agent.get("/v1/notes")).status_code for _ in range(6)]
    assert set(statuses) <= {200, 503}
    assert statuses[-1] == 200


async def _cut(admin_url: str, application: str, besides: object) -> None:
    admin = Database(admin_url, "public", application_name="test")
    async with admin.session() as tx:
        await tx.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = :application and pid <> :besides"
            ),
            {"application": application, "besides": besides},
        )
    await admin.close()
