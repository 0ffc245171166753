"""Which policy holds and why, kept with the clock and shown at the door."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.sla import ClockRepricedV1, ClockResumedV1
from shared.contracts.vocabulary import CaseState, Metric, Urgency
from shared.web.auth import Role
from sla_service.usecases import replay
from tests.component.sla.world import World
from tests.unit.sla.history import STANDARD, Story, at, clock


@pytest.fixture
async def admin(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client(Role.ADMIN, Role.LEAD, subject="admin-wu") as client:
        yield client


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


async def with_terms(admin: httpx.AsyncClient, **terms: Any) -> None:
    """The default policies with these terms for the pauses of the resolution, from now on."""
    spec = STANDARD[0].model_dump(mode="json")
    spec["rules"]["resolution"]["pause_terms"] = terms
    answer = await admin.post("/v1/policies", json={"policy": spec, "reason": "x"})
    assert answer.status_code == 201, answer.text


async def test_a_pause_that_used_up_its_longest_time_ends_by_the_timer_at_its_own_instant(
    world: World, admin: httpx.AsyncClient
) -> None:
    await with_terms(admin, longest="PT30M")
    story = Story(urgency=Urgency.HIGH, received="10:20")
    await world.hear(story.received())
    await world.clock.advance_to(at("11:00"))
    await world.hear(story.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2))
    clock_id = clock(story, Metric.RESOLUTION).clock_id
    paused = (await admin.get(f"/v1/clocks/{clock_id}")).json()
    assert (paused["status"], paused["due_at"], paused["remaining_seconds"]) == ("paused", "2024-05-10T04:50:00Z", None)
    assert await world.told_of(clock_id) == ["activated", "paused", "repriced"]
    (repriced,) = [one for one in await world.told() if isinstance(one, ClockRepricedV1)]
    assert (repriced.due_before, repriced.clock.due_at, repriced.reason) == (
        at("12:20"),
        at("12:50"),
        "paused_at_longest",
    )
    await world.advance("11:29")
    assert await world.told_of(clock_id) == ["activated", "paused", "repriced"]
    await world.advance("11:31")
    assert (await admin.get(f"/v1/clocks/{clock_id}")).json()["status"] == "running"
    (resumed,) = [one for one in await world.told() if isinstance(one, ClockResumedV1)]
    assert (resumed.occurred_at, resumed.clock.due_at) == (at("11:30"), at("12:50"))
    await world.hear(story.wrote("11:40"))
    await world.advance("13:00")
    assert (await world.told_of(clock_id))[3:] == ["resumed", "warned", "breached", "raised"]
    assert (await replay.verify(None, world.deps)).differing == 0


async def test_pauses_without_a_question_are_counted_by_team_and_given_back_where_the_policy_says_so(
    world: World, admin: httpx.AsyncClient
) -> None:
    lax, asked = Story("lax", urgency=Urgency.HIGH), Story("asked", urgency=Urgency.HIGH)
    await world.hear(
        *[lax.received(), lax.assigned("10:20"), lax.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2)],
        *[asked.received(), asked.assigned("10:20"), asked.wrote("10:59", inbound=False)],
        *[asked.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2)],
    )
    await world.clock.advance_to(at("11:05"))
    await with_terms(admin, evidence=True, give_back=True)
    strict = Story("strict", received="11:05", urgency=Urgency.HIGH)
    await world.hear(strict.received(), strict.assigned("11:05"))
    await world.clock.advance_to(at("11:30"))
    await world.hear(
        strict.moved("11:10", CaseState.WAITING_CUSTOMER, revision=2), strict.wrote("11:20"), lax.wrote("11:25")
    )
    answer = await admin.get("/v1/pauses/findings", params={"from": "2024-05-10T00:00:00+08:00"})
    assert answer.status_code == 200, answer.text
    (team,) = answer.json()["data"]
    assert sorted(team.pop("complaints")) == sorted([str(lax.id), str(strict.id)])
    assert team == {
        "team_id": "support",
        "pauses": 2,
        "minutes": 35.0,
        "given_back_minutes": 10.0,
        "no_question": 2,
        "near_deadline": 0,
    }
    clock_id = clock(strict, Metric.RESOLUTION).clock_id
    shown = (await admin.get(f"/v1/clocks/{clock_id}")).json()
    assert (shown["status"], shown["due_at"]) == ("running", "2024-05-10T05:05:00Z")
    assert [(one["wrong"], one["given_back"], one["end"]) for one in shown["pause_findings"]] == [
        (["no_question"], True, "2024-05-10T03:20:00Z")
    ]
    told = (await admin.get(f"/v1/clocks/{clock_id}/ledger")).json()
    assert [one["text"]["zh"] for one in told["segments"]] == ["计时", "照常计时：暂停前未向客户提问", "恢复计时"]
    assert (await replay.verify(None, world.deps)).differing == 0


async def test_the_findings_are_for_those_who_oversee_and_the_stretch_must_not_be_empty(
    world: World, admin: httpx.AsyncClient
) -> None:
    async with world.client(Role.AGENT) as agent:
        refused = await agent.get("/v1/pauses/findings", params={"from": "2024-05-10T00:00:00Z"})
    assert refused.status_code == 403
    empty = await admin.get("/v1/pauses/findings", params={"from": "2024-05-10T12:00:00+08:00"})
    assert (empty.status_code, empty.json()["type"]) == (422, "urn:redress:problem:empty-stretch")
    nothing = await admin.get("/v1/pauses/findings", params={"from": "2024-05-09T12:00:00+08:00"})
    assert nothing.json() == {"data": []}
