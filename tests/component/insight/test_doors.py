"""insight-service's API on a real PostgreSQL."""

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text

from insight_service.events import CONSUMES
from insight_service.main import service
from insight_service.settings import Settings
from shared.clock import SimulatedClock
from shared.contracts import BY_TYPE, Event
from shared.ids import new_id
from shared.web.auth import Role
from tests.support.builders import at, facts, received, resolved
from tests.support.door import SIGNER, door, signed_in

AGENT, QUALITY, ADMIN = (signed_in(role) for role in (Role.AGENT, Role.QUALITY, Role.ADMIN))
OWNER = {"staff_id": "rd-wang", "name": "王经理", "email": "wang@example.com"}


class House:
    def __init__(self, built, clock, http):
        self.service, self.clock, self.http = built, clock, http

    async def hear(self, *events: Event) -> None:
        for event in events:
            async with self.service.database.session() as tx:
                await CONSUMES[type(event)]([event], tx, self.service.deps)

    async def told(self) -> list[Event]:
        async with self.service.database.reading() as tx:
            rows = await tx.execute(text("select type, payload from outbox order by id"))
            return [BY_TYPE[row.type].model_validate_json(row.payload) for row in rows]


@pytest.fixture
async def house(schema_of) -> AsyncGenerator[House]:
    database = await schema_of("insight")
    clock = SimulatedClock(at(100))
    built = service(Settings(database_url=database.url, auth_jwks=SIGNER.jwks), clock, None)
    async with door(built) as http:
        yield House(built, clock, http)


def action(**changes):
    return {
        "title": "升级检查单加入索引校验",
        "kind": "process",
        "owner": OWNER,
        "aim": "同类投诉降为每月0起",
        "due_at": at(300).isoformat(),
    } | changes


async def test_the_archive_is_read_in_order_and_personal_parts_are_for_those_who_may_see_them(house):
    of = facts()
    await house.hear(received(of), resolved(of))
    path = f"/v1/archive?complaint={of.complaint_id}&limit=1"
    first = (await house.http.get(path, headers=AGENT)).json()
    second = (await house.http.get(first["links"]["next"], headers=AGENT)).json()
    assert [page["data"][0]["type"] for page in (first, second)] == [
        "redress.complaint.received.v1",
        "redress.case.resolved.v1",
    ]
    assert first["data"][0]["data"]["symptom"] == "订单管理系统查询近7天订单时加载失败"
    seen = (await house.http.get(path, headers=QUALITY)).json()["data"][0]
    assert seen["data"]["symptom"].keys() == {"sha256"}
    assert seen["source"] == "intake"
    assert second["links"]["next"] is None


async def test_a_review_finds_its_cause_and_plans_actions_whose_clocks_start(house):
    one, two = facts(), facts(number="C-20240510-000002")
    await house.hear(received(one), received(two))
    body = {
        "title": "订单查询加载失败",
        "severity": "serious",
        "complaint_ids": [str(one.complaint_id), str(two.complaint_id)],
        "five_w_one_h": {"what": "近7天订单查询失败", "where": "订单管理系统"},
        "five_whys": ["查询超时", "索引失效"],
        "fishbone": {"method": ["发布检查单缺少索引校验"]},
    }
    opened = await house.http.post("/v1/reviews", json=body, headers=QUALITY)
    assert opened.status_code == 201
    assert await house.told() == []
    path = f"/v1/reviews/{opened.json()['review_id']}"
    found = await house.http.put(path, json=body | {"root_cause": "升级脚本未重建索引"}, headers=QUALITY)
    assert found.headers["etag"] == '"2"'
    planned = await house.http.post(f"{path}/actions", json=action(), headers=QUALITY)
    assert planned.status_code == 201
    cause, plan = await house.told()
    assert (cause.root_cause, set(cause.complaint_ids)) == ("升级脚本未重建索引", {one.complaint_id, two.complaint_id})
    assert (plan.due_at, plan.owner.staff_id, plan.revision) == (at(300), "rd-wang", 1)
    listed = (await house.http.get(f"/v1/reviews?complaint={two.complaint_id}", headers=AGENT)).json()["data"]
    assert [review["version"] for review in listed] == [2]


async def test_two_who_change_one_review_do_not_overwrite_each_other(house):
    body = {"title": "t"}
    opened = (await house.http.post("/v1/reviews", json=body, headers=QUALITY)).json()
    path, seen = f"/v1/reviews/{opened['review_id']}", {"If-Match": '"1"'}
    first = await house.http.put(path, json={"title": "first"}, headers=QUALITY | seen)
    second = await house.http.put(path, json={"title": "second"}, headers=QUALITY | seen)
    assert (first.status_code, second.status_code) == (200, 412)
    assert (await house.http.get(path, headers=QUALITY)).json()["title"] == "first"


async def test_an_action_is_planned_anew_done_and_not_done_twice(house):
    made = (await house.http.post("/v1/actions", json=action(), headers=QUALITY)).json()
    path = f"/v1/actions/{made['action_id']}"
    moved = await house.http.post(f"{path}/plan", json={"due_at": at(400).isoformat()}, headers=QUALITY)
    assert (moved.json()["revision"], moved.json()["owner"]["name"]) == (2, "王经理")
    open_ = (await house.http.get("/v1/actions?open=true", headers=AGENT)).json()["data"]
    assert [each["action_id"] for each in open_] == [made["action_id"]]
    assert (await house.http.post(f"{path}/done", json={"note": "已上线"}, headers=AGENT)).status_code == 200
    again = await house.http.post(f"{path}/done", json={}, headers=AGENT)
    assert again.json()["type"] == "urn:redress:problem:action-done"
    assert [type(event).__name__ for event in await house.told()] == [
        "ActionPlannedV1",
        "ActionPlannedV1",
        "ActionDoneV1",
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (action(due_at=at(1).isoformat()), "/due_at"),
        (action(due_at="2030-01-01T00:00:00"), "/due_at"),
        (action(kind="wish"), "/kind"),
        (action(complaint_ids=[str(new_id())]), "/complaint_ids/0"),
        (action(title="a\x00b"), "/title"),
        (action(owner={"staff_id": "x"}), "/owner/name"),
    ],
)
async def test_an_action_that_is_not_right_is_refused_with_the_field(house, body, pointer):
    refused = await house.http.post("/v1/actions", json=body, headers=QUALITY)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await house.told() == []


async def test_trends_and_similar_cases_are_read_by_staff_alone(house):
    of = facts()
    await house.hear(received(of))
    rows = (await house.http.get("/v1/trends?period=month&by=channel", headers=AGENT)).json()
    assert [(row["period"], row["value"], row["count"], row["share"]) for row in rows] == [
        ("2024-05-01", "hotline", 1, 1.0)
    ]
    similar = f"/v1/complaints/{of.complaint_id}/similar"
    assert (await house.http.get(similar, headers=AGENT)).json() == []
    assert (await house.http.get(similar, headers=signed_in(Role.ADAPTER))).status_code == 403
    assert (await house.http.get(f"/v1/complaints/{new_id()}/similar", headers=AGENT)).status_code == 404
    backwards = "/v1/trends?from=2024-06-01T00:00:00Z&to=2024-05-01T00:00:00Z"
    assert (await house.http.get(backwards, headers=AGENT)).status_code == 422


async def test_an_agent_does_not_open_reviews(house):
    assert (await house.http.post("/v1/reviews", json={"title": "t"}, headers=AGENT)).status_code == 403
    assert (await house.http.post("/v1/reviews", json={"title": "t"}, headers=ADMIN)).status_code == 201
