"""Nine failures that users of other engines have published, each played through the doors of this one."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.contracts.sla import ClockEvent
from shared.contracts.vocabulary import CaseState, Metric
from shared.web.auth import Role
from tests.component.sla.world import World
from tests.unit.sla.history import SHANGHAI, Story, at

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def every_day(*hours: str) -> dict[str, list[str]]:
    return {day: list(hours) for day in WEEK}


def policy(policy_id: str = "tried", **more: Any) -> dict[str, Any]:
    """Before all others, with one rule for the resolution."""
    return {
        "policy_id": policy_id,
        "title": {"zh": "试", "en": "Tried"},
        "position": 1,
        "calendar": "tried",
        "rules": {"resolution": {"every": {"due": {"kind": "business", "time": "PT4H"}}}},
        **more,
    }


async def on_hours(admin: httpx.AsyncClient, week: dict[str, list[str]], **rule: Any) -> None:
    """A calendar of these hours, and four hours of it for the resolution."""
    spec = {"calendar_id": "tried", "title": {"zh": "试", "en": "Tried"}, "zone": "Asia/Shanghai", "week": week}
    assert (await admin.post("/v1/calendars", json={"calendar": spec, "reason": "…"})).status_code == 201
    made = policy()
    made["rules"]["resolution"] |= rule
    assert (await admin.post("/v1/policies", json={"policy": made, "reason": "…"})).status_code == 201


async def clock_of(client: httpx.AsyncClient, story: Story, metric: Metric = Metric.RESOLUTION) -> dict[str, Any]:
    told = (await client.get("/v1/clocks", params={"complaint": str(story.id)})).json()["data"]
    return next(one for one in told if one["metric"] == metric)


def wall(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(SHANGHAI).strftime("%m-%d %H:%M")


async def test_1_a_reply_between_the_deadline_and_the_sweep_does_not_hide_the_breach(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    """First response due at 10:50, nobody looks before 11:30, and the reply came at 11:00."""
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("11:30"))
    await world.hear(story.wrote("11:00", inbound=False))
    clock = await clock_of(agent, story, Metric.FIRST_RESPONSE)
    assert (wall(clock["breached_at"]), wall(clock["fulfilled_at"])) == ("05-10 10:50", "05-10 11:00")
    assert clock["on_time"] is False


async def test_2_a_late_reply_stays_in_the_average(world: World, agent: httpx.AsyncClient) -> None:
    """One reply after ten minutes, one after 110: the average is an hour, not ten minutes."""
    quick, late = Story("quick"), Story("late")
    await world.hear(quick.received(), quick.wrote("10:30", inbound=False), late.received())
    await world.advance("12:10")
    await world.hear(late.wrote("12:10", inbound=False))
    stretch = {"from": "2024-05-10T00:00:00+08:00", "to": "2024-05-11T00:00:00+08:00"}
    async with world.client(Role.MANAGER) as manager:
        groups = (await manager.get("/v1/attainment", params=stretch)).json()["groups"]
    told = next(one for one in groups if one["group"] == "first_response")
    assert (told["clocks"], told["on_time"], told["average_seconds"]) == (2, 1, 3600.0)


async def test_3_round_the_clock_loses_no_minute_at_midnight(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    """Four hours from 22:00 end at 02:00, to the second."""
    await on_hours(admin, every_day("00:00-24:00"))
    await world.clock.advance_to(at("22:00"))
    story = Story(received="22:00")
    await world.hear(story.received())
    due = datetime.fromisoformat((await clock_of(agent, story))["due_at"])
    assert due - story.facts.received_at == timedelta(hours=4)


async def test_4_an_overnight_shift_is_one_shift(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    """From 23:00 on a shift of 22:00 to 06:00, without an end at midnight."""
    await on_hours(admin, {"fri": ["22:00-06:00"]})
    await world.clock.advance_to(at("23:00"))
    story = Story(received="23:00")
    await world.hear(story.received())
    assert wall((await clock_of(agent, story))["due_at"]) == "05-11 03:00"


async def test_5_a_day_has_two_intervals(world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient) -> None:
    """From 10:30: an hour and a half before noon, and two and a half after the break."""
    await on_hours(admin, every_day("09:00-12:00", "14:00-18:00"))
    await world.clock.advance_to(at("10:30"))
    story = Story(received="10:30")
    await world.hear(story.received())
    assert wall((await clock_of(agent, story))["due_at"]) == "05-10 16:30"


async def test_6_a_pause_is_not_forgotten_at_a_change_of_policy(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    """Half an hour of waiting counts under the version that comes after it too."""
    pausing = {"pauses": ["waiting_customer"]}
    await on_hours(admin, every_day("00:00-24:00"), **pausing)
    await world.clock.advance_to(at("10:30"))
    story = Story(received="10:30")
    await world.hear(story.received(), story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=2))
    await world.clock.advance_to(at("11:30"))
    await world.hear(story.wrote("11:10"))
    shorter = policy(rules={"resolution": {"every": {"due": {"kind": "elapsed", "time": "PT2H"}}, **pausing}})
    body = {"policy": shorter, "change": "rebase", "reason": "…"}
    assert (await admin.post("/v1/policies", json=body)).status_code == 201
    await world.reprice()
    clock = await clock_of(agent, story)
    assert (clock["policy_version"], wall(clock["due_at"])) == (2, "05-10 13:00")


async def test_7_the_target_of_updates_does_not_overrule_the_first_response(
    world: World, agent: httpx.AsyncClient
) -> None:
    """A word on progress at 10:30 is the first response, and the cadence goes on with its own next due time."""
    story = Story()
    await world.hear(story.received())
    due = {metric: wall((await clock_of(agent, story, metric))["due_at"]) for metric in _BOTH}
    assert due == {Metric.FIRST_RESPONSE: "05-10 10:50", Metric.PERIODIC_UPDATE: "05-10 17:00"}
    await world.hear(story.told("10:30"))
    answered = await clock_of(agent, story, Metric.FIRST_RESPONSE)
    assert (answered["on_time"], wall(answered["due_at"])) == (True, "05-10 10:50")


_BOTH = (Metric.FIRST_RESPONSE, Metric.PERIODIC_UPDATE)


async def test_8_a_policy_that_was_ended_nags_no_more(world: World, admin: httpx.AsyncClient) -> None:
    """Its clock is due at 11:30 with a warning before and a chain behind; it ends at 11:00."""
    nagging = {
        "every": {"due": {"kind": "elapsed", "time": "PT1H10M"}},
        "warn": {"share": 0.9},
        "escalation": [{"role": "agent"}, {"role": "executive", "after": "PT10M"}],
    }
    spec = policy(track="agreement", calendar="cn-office", rules={"resolution": nagging})
    assert (await admin.post("/v1/policies", json={"policy": spec, "reason": "…"})).status_code == 201
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("11:00"))
    assert (await admin.post("/v1/policies/tried/end", json={"reason": "…"})).status_code == 201
    await world.advance("18:00")
    told = [one for one in await world.told() if isinstance(one, ClockEvent) and one.clock.policy == "tried"]
    assert [one.TYPE.split(".")[2] for one in told] == ["activated", "cancelled"]


async def test_9_a_holiday_that_is_hidden_in_a_calendar_is_named_by_the_ledger(
    world: World, agent: httpx.AsyncClient
) -> None:
    """Received on the eve of National Day; nobody has to guess why seven days are missing."""
    await world.clock.advance_to(at("2024-10-08 17:00"))
    story = Story(received="2024-09-30 16:00")
    await world.hear(story.received())
    clock = await clock_of(agent, story)
    segments = (await agent.get(f"/v1/clocks/{clock['clock_id']}/ledger")).json()["segments"]
    assert "National Day" in [one["reason"] for one in segments if one["kind"] == "closed"]
