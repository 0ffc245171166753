"""The HTTP door of sla-service."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter

from shared.clock import SimulatedClock
from shared.contracts.vocabulary import CaseState, Metric, Urgency
from shared.db import Database
from shared.web.auth import Role
from sla_service.main import service
from sla_service.settings import Settings
from tests.component.sla.world import World
from tests.support.web import AUTH, client_of
from tests.unit.sla.history import STANDARD, Story, at, clock

SPAN: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def policy(**changes: Any) -> dict[str, Any]:
    return {**STANDARD[0].model_dump(mode="json"), **changes}


async def test_the_clocks_of_a_complaint_are_listed_by_their_due_instant(
    world: World, agent: httpx.AsyncClient
) -> None:
    story, other = Story(), Story("other", received="10:19")
    await world.hear(story.received(), story.assigned("10:20"), other.received())
    answer = await agent.get("/v1/clocks", params={"complaint": str(story.id)})
    assert answer.status_code == 200
    assert [one["metric"] for one in answer.json()["data"]] == ["first_response", "periodic_update", "resolution"]
    first = answer.json()["data"][0]
    assert first["due_at"] == "2024-05-10T02:50:00Z"
    assert (first["complaint_number"], first["owner_team"]) == ("C-20240510-000001", "support")
    assert (first["remaining_seconds"], first["holder"]["staff_id"]) == (1800.0, "li")
    assert first["title"] == {"zh": "首次响应", "en": "First response"}
    one = await agent.get(f"/v1/clocks/{first['clock_id']}")
    assert {name: value for name, value in one.json().items() if name not in ("why", "pause_findings")} == first


async def test_the_list_is_filtered_and_goes_on_by_cursor(world: World, agent: httpx.AsyncClient) -> None:
    stories = [Story(f"story {number}", received=f"10:{number:02}") for number in range(5)]
    await world.hear(*[story.received() for story in stories], stories[0].wrote("10:10", inbound=False))
    seen: list[str] = []
    url: str | None = "/v1/clocks?metric=first_response&status=running&limit=2"
    while url:
        answer = (await agent.get(url)).json()
        seen += [one["due_at"] for one in answer["data"]]
        url = answer["links"]["next"]
    assert seen == [f"2024-05-10T02:3{minute}:00Z" for minute in (1, 2, 3, 4)]
    before = await agent.get("/v1/clocks", params={"due_before": "2024-05-10T10:32:00+08:00"})
    assert len(before.json()["data"]) == 2
    for wrong in (
        {"status": "sleeping"},
        {"due_before": "noon"},
        {"due_before": "0001-01-01T00:00:00+12:00"},
        {"complaint": "C-1"},
        {"cursor": "?"},
    ):
        refused = await agent.get("/v1/clocks", params=wrong)
        assert refused.status_code in (400, 422)
        assert refused.headers["content-type"] == "application/problem+json"


async def test_the_ledger_explains_the_clock_and_adds_up(world: World, agent: httpx.AsyncClient) -> None:
    story = Story(urgency=Urgency.HIGH)
    await world.hear(
        story.received(), story.moved("10:50", CaseState.WAITING_CUSTOMER, revision=2), story.wrote("11:30")
    )
    await world.clock.advance_to(at("12:00"))
    told = (await agent.get(f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}/ledger")).json()
    assert [(one["kind"], one["counted"], one["text"]["zh"]) for one in told["segments"]] == [
        ("ran", "PT30M", "计时"),
        ("paused", "PT0S", "暂停：等待客户"),
        ("ran", "PT30M", "恢复计时"),
    ]
    assert (told["elapsed"], told["until"], told["due_at"]) == (
        "PT1H",
        "2024-05-10T04:00:00Z",
        "2024-05-10T05:00:00Z",
    )
    assert sum((SPAN.validate_python(one["counted"]) for one in told["segments"]), timedelta()) == timedelta(hours=1)
    assert (told["calendar"], told["calendar_version"], told["policy"]) == ("cn-office", 1, "standard")


async def test_an_unknown_clock_is_a_problem_that_says_what_to_do(agent: httpx.AsyncClient) -> None:
    for path in ("", "/ledger"):
        answer = await agent.get(f"/v1/clocks/00000000-0000-0000-0000-000000000001{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:redress:problem:no-such-clock")


async def test_escalations_are_listed_the_newest_first(world: World, agent: httpx.AsyncClient) -> None:
    story = Story()
    await world.roster()
    await world.hear(story.received(), story.transfer("10:20"))
    await world.advance("16:30")
    answer = await agent.get("/v1/escalations", params={"complaint": str(story.id), "limit": 3})
    newest = answer.json()["data"][0]
    assert (newest["role"], newest["recipient"]["staff_id"], newest["raised_at"]) == (
        "executive",
        "chen",
        "2024-05-10T08:20:00Z",
    )
    rest = await agent.get(answer.json()["links"]["next"])
    assert rest.json()["data"][0]["raised_at"] <= answer.json()["data"][-1]["raised_at"]


async def test_the_promise_is_open_to_everybody_in_both_languages(world: World) -> None:
    async with world.client() as anybody:
        told = (await anybody.get("/v1/promise")).json()["data"]
        assert (await anybody.get("/v1/clocks")).status_code == 401
    lines = {line["metric"]: line["within"] for line in told[0]["lines"]}
    assert lines["first_response"]["high"] == {"zh": "15 分钟内", "en": "within 15 minutes"}
    assert lines["resolution"]["medium"] == {"zh": "8 小时工作时间内", "en": "within 8 hours of working time"}
    assert lines["periodic_update"]["medium"] == {"zh": "工作日 17:00 前", "en": "by 17:00 of the working day"}
    assert "transfer_response" not in lines


async def test_a_new_policy_version_holds_from_then_on_and_running_clocks_keep_theirs(
    world: World, admin: httpx.AsyncClient
) -> None:
    before, after = Story("before"), Story("after", received="10:31")
    await world.hear(before.received())
    await world.clock.advance_to(at("10:30"))
    rules = {**policy()["rules"], "first_response": {"every": {"due": {"kind": "elapsed", "time": "PT10M"}}}}
    body = {"policy": policy(rules=rules), "reason": "faster"}
    answer = await admin.post("/v1/policies", json=body, headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 201
    assert (answer.json()["version"], answer.json()["valid_from"]) == (2, "2024-05-10T02:30:00Z")
    assert answer.json()["created_by"]["id"] == "admin-wu"
    again = await admin.post("/v1/policies", json=body, headers={"Idempotency-Key": "k1"})
    assert again.json() == answer.json()
    await world.hear(before.told("10:35"), after.received())
    due = {
        (row["history_id"], row["policy_version"]): row["due_at"]
        for row in (await world.rows("clocks"))["clocks"]
        if row["metric"] == "first_response"
    }
    assert due == {(before.id, 1): at("10:50"), (after.id, 2): at("10:41")}
    listed = (await admin.get("/v1/policies")).json()["data"]
    assert [(one["policy_id"], one["version"]) for one in listed] == [("standard", 2), ("standard", 1)]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"policy": policy(calendar="mars"), "reason": "x"}, 422, "/policy/calendar"),
        ({"policy": policy(rules={}), "reason": "x"}, 422, "/policy/rules"),
        (
            {
                "policy": policy(rules={"survey": {"every": {"due": {"kind": "elapsed", "time": "-PT1H"}}}}),
                "reason": "x",
            },
            422,
            "/policy/rules/survey/every/due/elapsed/time",
        ),
        (
            {"policy": policy(rules={"survey": {"high": {"due": {"kind": "own"}}}}), "reason": "x"},
            422,
            "/policy/rules/survey",
        ),
        ({"policy": policy(when={"moods": ["angry"]}), "reason": "x"}, 422, "/policy/when/moods"),
        ({"policy": policy(when={"levels": ["vip"]}), "reason": "x"}, 422, "/policy/rules"),
        ({"policy": policy(), "reason": "x", "valid_from": "2024-05-10T10:00:00+08:00"}, 422, "/valid_from"),
        ({"policy": policy()}, 422, "/reason"),
        ({"policy": policy(), "reason": "a\x00b"}, 422, "/reason"),
        ({"policy": policy(when={"levels": ["a\x00b"]}), "reason": "x"}, 422, "/policy"),
        ({"policy": policy(), "reason": "x", "valid_from": "9999-12-31T23:59:59-12:00"}, 422, "/valid_from"),
    ],
)
async def test_a_policy_that_cannot_hold_is_refused_with_a_pointer(
    admin: httpx.AsyncClient, body: dict[str, Any], status: int, pointer: str
) -> None:
    answer = await admin.post("/v1/policies", json=body)
    assert answer.status_code == status, answer.text
    assert pointer in [error.get("pointer") for error in answer.json()["errors"]]


async def test_only_an_admin_changes_policies(agent: httpx.AsyncClient) -> None:
    answer = await agent.post("/v1/policies", json={"policy": policy(), "reason": "x"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["clocks", f"clocks/{UUID(int=1)}", "escalations", "policies", "calendars"])
async def test_an_adapter_reads_nothing(world: World, path: str) -> None:
    async with world.client(Role.ADAPTER) as adapter:
        answer = await adapter.get(f"/v1/{path}")
    assert answer.status_code == 403, answer.text


async def test_the_calendars_are_told_as_they_were_written(agent: httpx.AsyncClient) -> None:
    told = (await agent.get("/v1/calendars")).json()["data"]
    office = next(one for one in told if one["calendar_id"] == "cn-office")
    assert office["calendar"]["week"]["mon"] == ["09:00-12:00", "13:00-18:00"]
    assert office["calendar"]["zone"] == "Asia/Shanghai"


async def test_the_service_starts_seeds_its_pack_runs_its_timers_and_stops(
    schema_of: Callable[[str], Awaitable[Database]],
) -> None:
    database = await schema_of("sla")
    for pack, versions in (("default", [1]), ("default", [1]), ("seconds", [2, 1])):
        made = service(Settings(database_url=database.url, policy_pack=pack, **AUTH), SimulatedClock(at("10:20")), None)
        await made.start()
        async with client_of(made.app, Role.AGENT) as client:
            listed = (await client.get("/v1/policies")).json()["data"]
            ready = await client.get("/readyz")
        await made.stop()
        assert [one["version"] for one in listed] == versions
        assert ready.status_code == 200, ready.text
