"""Which policy holds and why, kept with the clock and shown at the door."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.vocabulary import Metric
from shared.db import Database
from shared.web.auth import Role
from sla_service.main import service
from sla_service.settings import Settings
from tests.component.sla.world import World
from tests.support.web import AUTH, client_of
from tests.unit.sla.history import Story, at, clock


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    return await World(await schema_of("sla")).seeded()


@pytest.fixture
async def admin(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    made = service(Settings(database_url=world.database.url, **AUTH), world.clock, None)
    async with client_of(made.app, Role.ADMIN, Role.LEAD, subject="admin-wu") as client:
        yield client
    await made.database.close()


def vip(**changes: Any) -> dict[str, Any]:
    rule = {"every": {"due": {"kind": "elapsed", "time": "PT10M"}}}
    title = {"zh": "贵宾承诺", "en": "VIP"}
    made = {"policy_id": "vip", "title": title, "position": 10, "calendar": "cn-office", "when": {"levels": ["vip"]}}
    return {**made, "rules": {"first_response": rule}, **changes}


async def test_a_clock_shows_why_its_policy_was_chosen_by_what_was_known_then(
    world: World, admin: httpx.AsyncClient
) -> None:
    published = await admin.post("/v1/policies", json={"policy": vip(), "reason": "x"})
    assert published.status_code == 201
    story = Story(received="10:21")
    await world.clock.advance_to(at("10:21"))
    await world.hear(story.received())
    clock_id = clock(story, Metric.FIRST_RESPONSE).clock_id
    shown = (await admin.get(f"/v1/clocks/{clock_id}")).json()
    assert shown["why"] == {
        "passed_over": [
            {
                "policy": "vip",
                "version": 1,
                "failed": {"condition": "levels", "asked": ["vip"], "has": "standard"},
            }
        ],
        "met": [],
        "text": {
            "zh": "未选用《贵宾承诺》：客户等级为standard，要求vip；选用《标准服务承诺》：没有条件。",
            "en": "VIP was passed over: customer level is standard, asked vip; "
            "Standard service levels was chosen: it asks nothing.",
        },
    }
    async with world.database.session() as tx:  # what is kept of the complaint changes; the reason that was told stays
        await tx.execute(
            text("""update histories set complaint = jsonb_set(complaint, '{customer,level}', '"gold"')""")
        )
    assert (await admin.get(f"/v1/clocks/{clock_id}")).json()["why"] == shown["why"]


async def test_a_clock_that_was_kept_without_its_reason_gets_it_at_its_next_fact_and_tells_nothing(
    world: World, admin: httpx.AsyncClient
) -> None:
    story = Story()
    await world.hear(story.received())
    async with world.database.session() as tx:
        await tx.execute(text("update clocks set why = null"))
    clock_id = clock(story, Metric.RESOLUTION).clock_id
    assert (await admin.get(f"/v1/clocks/{clock_id}")).json()["why"] is None
    told = await world.told_of(clock_id)
    await world.hear(story.wrote("10:25", inbound=False))
    assert (await admin.get(f"/v1/clocks/{clock_id}")).json()["why"]["met"] == []
    assert await world.told_of(clock_id) == told


async def test_an_unknown_condition_is_refused_with_a_pointer_to_it(admin: httpx.AsyncClient) -> None:
    body = {"policy": vip(when={"levels": ["vip"], "moods": ["angry"]}), "reason": "x"}
    answer = await admin.post("/v1/policies", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/policy/when/moods"]
