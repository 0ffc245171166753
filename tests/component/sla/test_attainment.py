"""Attainment (F11): counts, shares and times worked out by hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from shared.contracts.vocabulary import CaseState
from shared.db import Database
from shared.web.auth import Role
from tests.component.sla.world import World
from tests.unit.sla.history import Story

DAY = {"from": "2024-05-10T00:00:00+08:00", "to": "2024-05-11T00:00:00+08:00"}


@pytest.fixture
async def world(schema_of: Callable[[str], Awaitable[Database]]) -> World:
    """At 12:00 four first responses are decided: after 10 and 30 minutes in time (the second at its due instant), after
    100 minutes late, and one is open for 96 minutes. A fifth was withdrawn in time, a sixth is not due yet."""
    world = await World(await schema_of("sla"), "12:00").seeded()
    quick, exact, late = (Story(name, received="10:00") for name in ("quick", "exact", "late"))
    silent, gone, young = Story("silent", "10:24"), Story("gone", "10:00"), Story("young", "11:50")
    await world.hear(
        *(story.received() for story in (quick, exact, late, silent, gone, young)),
        quick.assigned("10:01"),
        quick.wrote("10:10", inbound=False),
        exact.assigned("10:01"),
        exact.wrote("10:30", inbound=False),
        late.wrote("11:40", inbound=False),
        gone.moved("10:05", CaseState.WITHDRAWN, revision=2),
    )
    return world


@pytest.fixture
async def lead(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async with world.client(Role.LEAD) as client:
        yield client


def seconds(told: dict[str, Any]) -> tuple[float, float, float]:
    return told["average_seconds"], told["median_seconds"], told["p90_seconds"]


async def test_a_late_answer_and_an_open_late_clock_stay_in_the_average(lead: httpx.AsyncClient) -> None:
    told = (await lead.get("/v1/attainment", params=DAY)).json()
    (group,) = told["groups"]
    assert group["group"] == "first_response"
    assert (group["clocks"], group["on_time"], group["share"], group["open_overdue"]) == (4, 2, 0.5, 1)
    # 600, 1800, 5760 (open) and 6000 s: the median is halfway between the middle two, p90 seven tenths of the way
    # from the third to the fourth.
    assert seconds(group) == (3540.0, 3780.0, 5928.0)
    assert told["total"] == {name: value for name, value in group.items() if name != "group"}
    assert (told["from"], told["as_of"]) == (DAY["from"], "2024-05-10T04:00:00Z")


async def test_a_team_answers_for_its_own_clocks_and_the_rest_have_none(lead: httpx.AsyncClient) -> None:
    told = (await lead.get("/v1/attainment", params={**DAY, "group_by": "team"})).json()
    assert [(one["group"], one["clocks"], one["on_time"], seconds(one)) for one in told["groups"]] == [
        ("support", 2, 2, (1200.0, 1200.0, 1680.0)),
        (None, 2, 0, (5880.0, 5880.0, 5976.0)),
    ]
    assert told["total"]["clocks"] == 4
    by_policy = (await lead.get("/v1/attainment", params={**DAY, "group_by": "policy"})).json()
    assert [(one["group"], one["clocks"]) for one in by_policy["groups"]] == [("standard", 4)]


async def test_each_clock_counts_in_one_stretch_alone(lead: httpx.AsyncClient) -> None:
    """The late answer belongs to its due instant, 10:30, which is also the other's end."""
    counts = []
    for since, until in (("10:00", "10:30"), ("10:30", "10:54"), ("10:54", "12:00")):
        stretch = {"from": f"2024-05-10T{since}:00+08:00", "to": f"2024-05-10T{until}:00+08:00"}
        counts.append((await lead.get("/v1/attainment", params=stretch)).json()["total"]["clocks"])
    assert counts == [1, 2, 1]


async def test_a_late_clock_that_was_cancelled_counts_without_a_time(world: World, lead: httpx.AsyncClient) -> None:
    story = Story("given up", "10:00")
    await world.hear(story.received(), story.moved("11:00", CaseState.WITHDRAWN, revision=2))
    told = (await lead.get("/v1/attainment", params=DAY)).json()["total"]
    assert (told["clocks"], told["on_time"], told["open_overdue"], told["average_seconds"]) == (5, 2, 1, 3540.0)


async def test_where_nothing_was_decided_there_is_no_share(lead: httpx.AsyncClient) -> None:
    stretch = {"from": "2024-01-01T00:00:00Z", "to": "2024-02-01T00:00:00Z"}
    told = (await lead.get("/v1/attainment", params=stretch)).json()
    assert told["groups"] == []
    assert (told["total"]["clocks"], told["total"]["share"], told["total"]["p90_seconds"]) == (0, None, None)


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"from": "2024-05-10T00:00:00"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": None}, "from"),
        ({"to": "9999-12-31T00:00:00Z"}, "to"),
        ({"to": DAY["from"]}, "to"),
        ({"to": "2025-05-12T00:00:00+08:00"}, "to"),
        ({"group_by": "mood"}, "group_by"),
    ],
)
async def test_a_bad_stretch_is_refused_with_its_parameter(
    lead: httpx.AsyncClient, changes: dict[str, str | None], parameter: str
) -> None:
    given = {name: value for name, value in {**DAY, **changes}.items() if value is not None}
    answer = await lead.get("/v1/attainment", params=given)
    assert answer.status_code == 422, answer.text
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


async def test_an_agent_does_not_see_attainment(world: World) -> None:
    async with world.client(Role.AGENT) as agent:
        assert (await agent.get("/v1/attainment", params=DAY)).status_code == 403
