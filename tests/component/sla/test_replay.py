"""Every kept clock follows from its facts; one that does not is found with its field."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
from prometheus_client import Counter
from sqlalchemy import text

from shared.contracts.vocabulary import CaseState, Metric
from shared.web.auth import Role
from sla_service.usecases import replay
from tests.component.sla.world import World
from tests.unit.sla.history import Story, at, clock
from tests.unit.sla.own_case import own_case


@pytest.fixture
async def quality(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client(Role.QUALITY) as client:
        yield client


async def tamper(world: World, statement: str) -> None:
    async with world.database.session() as tx:
        await tx.execute(text(statement))


async def everything(world: World) -> object:
    return await world.rows("histories", "facts", "clocks", "escalations", "outbox")


async def test_a_system_with_the_users_own_case_verifies_clean_and_nothing_is_changed(
    world: World, quality: httpx.AsyncClient
) -> None:
    story = own_case()
    for event in story.events:
        await world.hear(event)
        assert (await replay.verify(story.id, world.deps)).differing == 0
    before = await everything(world)
    answer = await quality.post("/v1/clocks/verify")
    assert (answer.status_code, answer.json()) == (
        200,
        {"histories": 1, "clocks": 8, "differing": 0, "found": [], "after": None},
    )
    assert await everything(world) == before
    metrics = (await quality.get("/metrics")).text
    assert "sla_replay_mismatch_total 0.0" in metrics


async def test_what_timers_warned_of_and_breached_verifies_clean_too(world: World) -> None:
    story = Story()
    await world.roster()
    await world.hear(story.received(), story.transfer("10:20"))
    for when in ("10:44", "10:51", "13:30", "14:21", "16:30"):
        await world.advance(when)
        assert (await replay.verify(None, world.deps)).differing == 0, when
    await world.hear(story.moved("16:40", CaseState.WAITING_CUSTOMER, revision=2))
    await world.hear(story.transfer_answered("14:10", recorded="16:45"))
    await world.advance("05-13 09:00")
    await world.hear(story.wrote("17:00"))
    await world.advance("05-13 09:01")
    verdict = await replay.verify(None, world.deps)
    assert (verdict.histories, verdict.differing, verdict.found) == (1, 0, [])


@pytest.mark.parametrize(
    ("change", "field", "kept", "folded"),
    [
        ("due_at = due_at + interval '1 microsecond'", "due_at", "2024-05-10T02:50:00.000001Z", "2024-05-10T02:50:00Z"),
        ("status = 'cancelled'", "status", "cancelled", "fulfilled"),
        ("status = 'asleep'", "status", "asleep", "fulfilled"),
        ("fulfilled_at = started_at", "fulfilled_at", "2024-05-10T02:20:00Z", "2024-05-10T02:27:00Z"),
        ("breached_at = due_at", "breached_at", "2024-05-10T02:50:00Z", None),
        ("on_time = false", "on_time", False, True),
        ("warn_at = null", "warn_at", None, "2024-05-10T02:44:00Z"),
        ("policy_version = 7", "policy_version", 7, 1),
        ("calendar = 'mars'", "calendar", "mars", "cn-office"),
        ("owner_team = 'rnd'", "owner_team", "rnd", "support"),
        ("steps = array[due_at]", "steps", ["2024-05-10T02:50:00Z"], []),
    ],
)
async def test_a_tampered_row_is_found_with_its_field(
    world: World, quality: httpx.AsyncClient, change: str, field: str, kept: object, folded: object
) -> None:
    story = own_case()
    await world.hear(*story.events)
    await tamper(world, f"update clocks set {change} where metric = 'first_response'")  # noqa: S608
    told = (await quality.post("/v1/clocks/verify", params={"complaint": str(story.id)})).json()
    (found,) = told["found"]
    assert (told["clocks"], told["differing"]) == (8, 1)
    assert (found["history_id"], found["clock_id"]) == (
        str(story.id),
        str(clock(story, Metric.FIRST_RESPONSE).clock_id),
    )
    assert found["differences"] == [{"field": field, "kept": kept, "folded": folded}]
    assert "sla_replay_mismatch_total 1.0" in (await quality.get("/metrics")).text


async def test_a_row_that_is_gone_is_found_and_the_next_event_brings_it_back(
    world: World,
) -> None:
    one, other = Story("one"), Story("other")
    await world.hear(one.received(), other.received())
    lost = clock(one, Metric.FIRST_RESPONSE).clock_id
    await tamper(world, f"delete from clocks where clock_id = '{lost}'")  # noqa: S608
    verdict = await replay.verify(None, world.deps)
    assert (verdict.histories, verdict.clocks, verdict.differing) == (2, 6, 1)
    assert [(each.field, each.kept, each.folded) for each in verdict.found[0].differences] == [("clock_id", None, lost)]
    await world.hear(one.assigned("10:21"))
    assert (await replay.verify(None, world.deps)).differing == 0


async def test_a_period_that_a_late_resolution_leaves_no_place_for_is_cancelled_and_comes_back_with_a_reopening(
    world: World,
) -> None:
    """Told at 13:00, the second period is due at 17:00 of the Saturday; the resolution of 12:00 is heard on Monday."""
    story = Story()
    await world.hear(story.received(), story.told("13:00"))
    second = clock(story, Metric.PERIODIC_UPDATE, cycle=2).clock_id
    await world.advance("05-13 09:00")
    alarms = ["activated", "warned", "breached", "raised", "raised"]
    assert await world.told_of(second) == alarms
    await world.hear(story.resolved("12:00"))
    assert await world.told_of(second) == [*alarms, "breach-withdrawn", "cancelled"]
    raised = (await world.rows("escalations"))["escalations"]
    assert [row["withdrawn"] for row in raised if row["clock_id"] == second] == [True, True]
    assert (await replay.verify(None, world.deps)).differing == 0
    await world.hear(story.resolved("12:00"))
    await world.advance("05-14 09:00")
    assert len(await world.told_of(second)) == 7
    await world.hear(story.moved("05-14 10:00", CaseState.REOPENED, revision=5, cycle=2))
    assert (await world.told_of(second))[7:] == ["resumed"]
    assert (await replay.verify(None, world.deps)).differing == 0


async def test_page_by_page_all_are_counted_and_the_first_hundred_told(world: World) -> None:
    stories = [Story(f"story {number}") for number in range(120)]
    await world.hear_together([story.received() for story in stories])
    await tamper(world, "update clocks set owner_team = 'x' where metric = 'resolution'")
    verdict = await replay.verify(None, world.deps)
    assert (verdict.histories, verdict.clocks, verdict.differing, len(verdict.found)) == (120, 360, 120, 100)


async def test_while_events_come_in_no_fact_is_seen_without_its_clocks(world: World) -> None:
    stories = [Story(f"story {number}") for number in range(30)]
    for story in stories:
        story.received()
        story.assigned("10:21")
        story.wrote("10:25", inbound=False)

    async def hear(some: list[Story]) -> None:
        for story in some:
            await world.hear(*story.events)

    hearing = asyncio.gather(hear(stories[:15]), hear(stories[15:]))
    looks = 0
    while not hearing.done():
        assert (await replay.verify(None, world.deps)).differing == 0
        looks += 1
    await hearing
    assert looks > 3


async def test_a_request_looks_at_so_many_and_says_where_the_next_goes_on(world: World) -> None:
    stories = sorted((Story(name) for name in ("one", "two", "three")), key=lambda story: story.id)
    await world.hear(*(story.received() for story in stories))
    async with world.client(Role.QUALITY) as quality:
        first = (await quality.post("/v1/clocks/verify", params={"limit": 2})).json()
        assert (first["histories"], first["after"]) == (2, str(stories[1].id))
        rest = (await quality.post("/v1/clocks/verify", params={"limit": 2, "after": first["after"]})).json()
        assert (rest["histories"], rest["after"], rest["differing"]) == (1, None, 0)


async def test_an_unknown_complaint_is_a_problem_and_an_agent_may_not_verify(
    world: World, quality: httpx.AsyncClient
) -> None:
    answer = await quality.post("/v1/clocks/verify", params={"complaint": "00000000-0000-0000-0000-000000000001"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:redress:problem:no-such-history")
    assert answer.json()["errors"][0]["parameter"] == "complaint"
    async with world.client(Role.AGENT) as agent:
        assert (await agent.post("/v1/clocks/verify")).status_code == 403


async def test_every_night_one_of_the_replicas_verifies(world: World) -> None:
    story = own_case()
    await world.hear(*story.events)
    await tamper(world, "update clocks set due_at = started_at where metric = 'first_response'")
    replicas = [world.replica() for _ in range(3)]
    loops = [asyncio.create_task(partial(replay.verify_nightly, deps)()) for deps in replicas]
    await asyncio.sleep(0)
    for nights in (1, 2):
        await world.clock.advance_to(at(f"05-{10 + nights} 03:00"), settle_seconds=0.2)
        assert sum(_count(deps.mismatches) for deps in replicas) == nights
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


def _count(counter: Counter) -> float:
    return float(next(iter(counter.collect())).samples[0].value)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2024-05-10T18:59:59", "2024-05-10T19"),
        ("2024-05-10T19:00", "2024-05-11T19"),
        ("2024-05-31T23", "2024-06-01T19"),
    ],
)
def test_the_next_night_is_at_the_full_hour_and_never_now(now: str, night: str) -> None:
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert replay.next_night(instant, 19) == datetime.fromisoformat(f"{night}:00").replace(tzinfo=UTC)
    assert replay.next_night(instant, 19) - instant <= timedelta(days=1)
