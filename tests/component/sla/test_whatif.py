"""A draft of policies tried on history, and one that runs in the shadow of what holds (F9, F11)."""

from typing import Any

import httpx
from sqlalchemy import text

from shared.contracts.vocabulary import Urgency
from shared.web.auth import Role
from sla_service.usecases import shadows
from tests.component.sla.world import World
from tests.unit.sla.history import CALENDARS, Story

#: The default pack gives a medium complaint half an hour for the first response.
TEN_MINUTES = {
    "policy_id": "hotline-fast",
    "title": {"zh": "热线十分钟", "en": "Hotline in ten minutes"},
    "position": 50,
    "calendar": "cn-office",
    "when": {"channels": ["hotline"]},
    "rules": {"first_response": {"every": {"due": {"kind": "elapsed", "time": "PT10M"}}}},
}
DAY = {"from": "2024-05-10T00:00:00+08:00", "to": "2024-05-11T00:00:00+08:00"}


async def history(world: World) -> tuple[Story, Story]:
    """One that was answered after twenty minutes, and one after five."""
    slow, quick = Story("slow"), Story("quick", received="10:21")
    await world.hear(slow.received(), quick.received())
    await world.hear(slow.classified("10:22", Urgency.MEDIUM), quick.told("10:26"), slow.told("10:40"))
    await world.advance("12:00")
    return slow, quick


async def simulated(client: httpx.AsyncClient, **draft: Any) -> dict[str, Any]:
    answer = await client.post("/v1/policies/simulate", json={**DAY, **draft})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_shorter_promise_shows_the_breaches_that_it_would_have_brought(
    world: World, admin: httpx.AsyncClient
) -> None:
    slow, _ = await history(world)
    before = len(await world.told())
    made = await simulated(admin, policies=[TEN_MINUTES])
    assert (made["complaints"], made["total"]["breaches_before"], made["total"]["breaches_after"]) == (2, 0, 1)
    late = [one for one in made["differing"] if one["after"]["breached_at"]]
    assert [(one["complaint_id"], one["metric"], one["number"]) for one in late] == [
        (str(slow.id), "first_response", "C-20240510-000001")
    ]
    dues = (late[0]["before"]["due_at"], late[0]["after"]["due_at"])
    assert dues == ("2024-05-10T02:50:00Z", "2024-05-10T02:30:00Z")
    assert made["total"]["differing"] == 2, "the quick one is due earlier too"
    hours = {group["group"]: group["tally"] for group in made["groups"] if group["kind"] == "hour"}
    assert (hours["10"]["breaches_before"], hours["10"]["breaches_after"]) == (0, 1)
    metrics = {group["group"] for group in made["groups"] if group["kind"] == "metric"}
    assert {"first_response", "resolution"} <= metrics
    assert len(await world.told()) == before, "a simulation tells nobody anything"


async def test_the_draft_of_what_holds_differs_in_nothing(world: World, admin: httpx.AsyncClient) -> None:
    await history(world)
    office = CALENDARS[0].model_dump(mode="json")
    assert office["calendar_id"] == "cn-office"
    made = await simulated(admin, calendars=[office])
    assert made["total"]["clocks_before"] == made["total"]["clocks_after"] > 0
    assert (made["total"]["differing"], made["differing"]) == (0, [])


async def test_a_holiday_in_a_draft_moves_what_is_counted_on_working_time(
    world: World, admin: httpx.AsyncClient
) -> None:
    await history(world)
    office = {**CALENDARS[0].model_dump(mode="json"), "closed": {"2024-05-11": "停工"}}
    made = await simulated(admin, calendars=[office])
    assert {one["metric"] for one in made["differing"]} == {"resolution", "periodic_update"}


async def test_what_cannot_be_simulated_is_refused_with_the_field(world: World, admin: httpx.AsyncClient) -> None:
    async def refused(**body: Any) -> tuple[int, str]:
        answer = await admin.post("/v1/policies/simulate", json=body)
        return answer.status_code, answer.json()["errors"][0]["pointer"]

    backwards = {"from": DAY["to"], "to": DAY["from"]}
    assert await refused(**backwards, policies=[TEN_MINUTES]) == (422, "/to")
    assert await refused(**DAY, policies=[{**TEN_MINUTES, "calendar": "none"}]) == (422, "/policies/0/calendar")
    standard = {**TEN_MINUTES, "policy_id": "standard"}
    assert await refused(**DAY, policies=[standard]) == (422, "/policies")
    assert (await refused(**DAY))[0] == 422
    assert (await refused(**DAY, policies=[TEN_MINUTES, TEN_MINUTES]))[0] == 422


async def test_a_shadow_counts_what_comes_in_after_it_and_tells_nothing_else(
    world: World, admin: httpx.AsyncClient
) -> None:
    await world.hear(Story("before", received="10:10").received())
    body = {"shadow_id": "fast", "policies": [TEN_MINUTES], "reason": "试行"}
    begun = await admin.post("/v1/shadows", json=body, headers={"Idempotency-Key": "k"})
    assert begun.status_code == 201, begun.text
    assert (await admin.post("/v1/shadows", json=body, headers={"Idempotency-Key": "k"})).json() == begun.json()
    assert (await admin.post("/v1/shadows", json=body)).status_code == 409
    await history(world)
    told = len(await world.told())
    while await shadows.count_one(world.deps):
        pass
    assert not await shadows.count_one(world.deps), "not counted again before its time"
    shown = (await admin.get("/v1/shadows/fast")).json()
    assert (shown["complaints"], shown["total"]["breaches_before"], shown["total"]["breaches_after"]) == (2, 0, 1)
    assert len(await world.told()) == told
    await shadows.show(world.deps)
    [family] = world.deps.shadow_breaches.collect()
    assert {sample.labels["rules"]: sample.value for sample in family.samples} == {"holding": 0, "draft": 1}


async def test_a_shadow_that_was_ended_counts_nothing_that_comes_later(world: World, admin: httpx.AsyncClient) -> None:
    body = {"shadow_id": "fast", "policies": [TEN_MINUTES], "reason": "试行"}
    assert (await admin.post("/v1/shadows", json=body)).status_code == 201
    await world.clock.advance_to(Story(received="10:21").facts.received_at)
    assert (await admin.post("/v1/shadows/fast/end")).json()["until"] == "2024-05-10T02:21:00Z"
    await world.hear(Story("later", received="10:30").received())
    assert await shadows.count_one(world.deps)
    assert (await admin.get("/v1/shadows")).json()["data"][0]["complaints"] == 0
    assert (await admin.get("/v1/shadows/none")).status_code == 404


async def test_a_shadow_that_no_longer_fits_the_book_says_so_and_keeps_its_figures(
    world: World, admin: httpx.AsyncClient
) -> None:
    body = {"shadow_id": "fast", "policies": [TEN_MINUTES], "reason": "试行"}
    await admin.post("/v1/shadows", json=body)
    assert await shadows.count_one(world.deps)
    async with world.database.session() as tx:
        await tx.execute(text("update shadows set draft = jsonb_set(draft, '{policies,0,calendar}', '\"gone\"')"))
    await world.clock.advance_to(Story(received="12:00").facts.received_at)
    assert await shadows.count_one(world.deps)
    shown = (await admin.get("/v1/shadows/fast")).json()
    assert (shown["complaints"], "no calendar 'gone'" in shown["problem"]) == (0, True)


async def test_agents_neither_simulate_nor_see_shadows(world: World, agent: httpx.AsyncClient) -> None:
    assert (await agent.post("/v1/policies/simulate", json={**DAY, "policies": [TEN_MINUTES]})).status_code == 403
    assert (await agent.get("/v1/shadows")).status_code == 403
    async with world.client(Role.QUALITY) as quality:
        assert (await quality.get("/v1/shadows")).status_code == 200
