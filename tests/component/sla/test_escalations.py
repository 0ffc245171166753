"""Escalation chains (F10): steps that nobody has taken on, and people who take them on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.sla import EscalationAcknowledgedV1, EscalationRaisedV1
from shared.contracts.vocabulary import CaseState, Metric
from shared.db import Database
from shared.web.auth import Role
from sla_service.domain.changes import INSTANT
from sla_service.usecases import replay, timers
from tests.component.sla.world import World
from tests.unit.sla.history import Story, at, clock
from tests.unit.sla.test_escalation_chains import spec_with

CHAIN: tuple[dict[str, Any], ...] = (
    {"role": "agent"},
    {"role": "team_lead", "after": "PT15M", "unless_acknowledged": True},
    {"role": "department_manager", "after": "PT1H", "unless_acknowledged": True},
    {"role": "executive", "after": "PT4H"},
)
NOBODY = UUID(int=7)


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    world = await World(await schema_of("sla")).seeded()
    await world.publish(spec_with(*CHAIN).model_dump(mode="json"))
    await world.roster()
    return world


async def late(world: World, until: str) -> Story:
    """A promise for 10:30 to a complaint of agent li's, not kept by `until`."""
    story = Story()
    await world.hear(
        story.received(),
        story.assigned("10:20", team="rnd"),
        story.wrote("10:20", inbound=False),
        story.promised("10:20", due="10:30"),
    )
    await world.advance(until)
    return story


async def raised(world: World) -> list[tuple[str, str]]:
    told = [one for one in await world.told() if isinstance(one, EscalationRaisedV1)]
    return [(one.role, one.occurred_at.isoformat()) for one in told]


def step(role: str, when: str) -> tuple[str, str]:
    return role, at(when).isoformat()


async def first_step(world: World) -> str:
    async with world.client(Role.LEAD) as lead:
        return str((await lead.get("/v1/escalations")).json()["data"][-1]["escalation_id"])


async def test_steps_that_ask_whether_anybody_has_taken_it_on_are_raised_while_nobody_has(world: World) -> None:
    await late(world, "14:31")
    assert await raised(world) == [
        step("agent", "10:30"),
        step("team_lead", "10:45"),
        step("department_manager", "11:30"),
        step("executive", "14:30"),
    ]


async def test_who_takes_a_step_on_is_recorded_and_spares_the_next_but_not_the_one_that_does_not_ask(
    world: World,
) -> None:
    story = await late(world, "10:31")
    first = await first_step(world)
    await world.advance("10:40")
    async with world.client(Role.AGENT, subject="li") as li:
        answer = await li.post(f"/v1/escalations/{first}/acknowledge")
        assert answer.status_code == 200, answer.text
        assert answer.json()["acknowledged_at"] == "2024-05-10T02:40:00Z"
        assert answer.json()["acknowledged_by"]["id"] == "li"
        (listed,) = (await li.get("/v1/escalations", params={"complaint": str(story.id)})).json()["data"]
        assert listed == answer.json()
    await world.advance("14:31")
    assert await raised(world) == [step("agent", "10:30"), step("executive", "14:30")]
    (told,) = [one for one in await world.told() if isinstance(one, EscalationAcknowledgedV1)]
    assert (told.actor.id, told.occurred_at, told.step, told.role) == ("li", at("10:40"), 1, "agent")
    assert told.clock.clock_id == clock(story, Metric.PROMISE).clock_id


async def test_the_first_who_takes_it_on_stays_recorded_whoever_asks_again(world: World) -> None:
    await late(world, "10:31")
    first = await first_step(world)
    async with world.client(Role.LEAD, subject="lead-qian") as lead:
        answers = await asyncio.gather(*[lead.post(f"/v1/escalations/{first}/acknowledge") for _ in range(5)])
        await world.advance("10:35")
        async with world.client(Role.MANAGER, subject="zhao") as manager:
            answers.append(await manager.post(f"/v1/escalations/{first}/acknowledge"))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["acknowledged_by"]["id"] for answer in answers} == {"lead-qian"}
    assert len([one for one in await world.told() if isinstance(one, EscalationAcknowledgedV1)]) == 1


async def test_only_the_recipient_a_lead_or_a_manager_takes_it_on(world: World) -> None:
    await late(world, "10:31")
    first = await first_step(world)
    for role, status in ((Role.AGENT, 403), (Role.QUALITY, 403), (Role.ADAPTER, 403), (Role.MANAGER, 200)):
        async with world.client(role, subject="someone-else") as other:
            answer = await other.post(f"/v1/escalations/{first}/acknowledge")
            assert answer.status_code == status, answer.text


async def test_an_unknown_step_and_a_withdrawn_one_are_problems(world: World) -> None:
    story = await late(world, "10:31")
    first = await first_step(world)
    await world.hear(story.promise_kept("10:29"))
    async with world.client(Role.LEAD) as lead:
        for escalation, status, slug in (
            (NOBODY, 404, "no-such-escalation"),
            (first, 409, "escalation-withdrawn"),
        ):
            answer = await lead.post(f"/v1/escalations/{escalation}/acknowledge")
            assert (answer.status_code, answer.json()["type"]) == (status, f"urn:redress:problem:{slug}")


async def test_an_outage_of_the_timers_loses_no_step_that_was_due_before_somebody_took_the_chain_on(
    world: World,
) -> None:
    await late(world, "10:31")
    first = await first_step(world)
    await world.clock.advance_to(at("10:50"), settle_seconds=0)  # the timers sleep past the step of 10:45
    async with world.client(Role.LEAD) as lead:
        assert (await lead.post(f"/v1/escalations/{first}/acknowledge")).status_code == 200
    await world.advance("12:00")
    assert await raised(world) == [step("agent", "10:30"), step("team_lead", "10:45")]


async def test_what_was_taken_on_outlives_later_facts_and_the_clocks_still_follow_from_their_facts(
    world: World,
) -> None:
    story = await late(world, "10:31")
    first = await first_step(world)
    async with world.client(Role.LEAD, subject="lead-qian") as lead:
        await lead.post(f"/v1/escalations/{first}/acknowledge")
    await world.hear(*story.events, story.wrote("10:33"), story.assigned("10:34", agent="sun", revision=2))
    await world.advance("12:00")
    assert await raised(world) == [step("agent", "10:30")]
    (kept,) = (await world.rows("escalations"))["escalations"]
    assert (kept["acknowledged_at"], kept["acknowledged_by"]["id"]) == (at("10:31"), "lead-qian")
    verdict = await replay.verify(None, world.deps)
    assert (verdict.differing, verdict.clocks > 0) == (0, True)


async def test_a_kept_promise_stops_the_chain_whether_it_was_taken_on_or_not(world: World) -> None:
    story = await late(world, "10:31")
    await world.hear(story.promise_kept("10:40"))
    await world.advance("15:00")
    assert await raised(world) == [step("agent", "10:30")]


async def test_a_step_that_was_withdrawn_and_is_due_again_at_the_same_instant_is_raised_anew(world: World) -> None:
    story = Story()
    await world.hear(story.received(), story.assigned("10:20", team="rnd"))
    resolution = clock(story, Metric.RESOLUTION).clock_id

    async def kept() -> list[tuple[UUID, bool, bool]]:
        rows = (await world.rows("escalations"))["escalations"]
        mine = [row for row in rows if row["clock_id"] == resolution]
        return [(row["escalation_id"], row["withdrawn"], row["acknowledged_at"] is not None) for row in mine]

    await world.advance("05-11 10:21")
    ((first, _, _),) = await kept()
    async with world.client(Role.LEAD) as lead:
        assert (await lead.post(f"/v1/escalations/{first}/acknowledge")).status_code == 200
    assert await kept() == [(first, False, True)]
    # A pause is heard of late, and then that it was over at once.
    await world.hear(story.moved("11:00", CaseState.WAITING_CUSTOMER, revision=2))
    assert await kept() == [(first, True, True)]
    await world.hear(story.moved("11:00", CaseState.IN_PROGRESS, revision=3, leaving=CaseState.WAITING_CUSTOMER))
    await world.advance("05-11 10:22")
    assert await kept() == [(first, False, False)]


async def test_a_timer_and_somebody_who_takes_it_on_at_the_same_instant_agree(world: World) -> None:
    """Whoever comes first: a step is raised where it was due before it was taken on, and only then."""
    story = await late(world, "10:31")
    first = UUID(await first_step(world))
    await world.clock.advance_to(at("10:45") + INSTANT)
    async with world.client(Role.LEAD) as lead:
        _, answer = await asyncio.gather(timers.fire_due(world.deps), lead.post(f"/v1/escalations/{first}/acknowledge"))
    assert answer.status_code == 200
    await world.advance("12:00")
    assert await raised(world) == [step("agent", "10:30"), step("team_lead", "10:45")]
    promise = clock(story, Metric.PROMISE).clock_id
    assert (await world.told_of(promise)).count("acknowledged") == 1
