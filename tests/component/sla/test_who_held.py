"""Who held a clock, through the HTTP door."""

import httpx

from shared.contracts.vocabulary import Metric
from tests.component.sla.world import World
from tests.unit.sla.history import at, clock
from tests.unit.sla.own_case import own_case


async def test_the_users_own_case_by_who_held_it(world: World, agent: httpx.AsyncClient) -> None:
    story = own_case()
    await world.hear(*story.events)
    await world.clock.advance_to(at("05-13 09:00"))
    path = f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}"
    told = (await agent.get(f"{path}/holders")).json()
    assert [(one["kind"], one["name"]["zh"], one["wall"], one["counted"]) for one in told["holders"]] == [
        ("queue", "待分派", "PT1M", "PT1M"),
        ("agent", "Li", "PT1H9M", "PT39M"),
        ("asked", "研发部", "PT1H", "PT1H"),
    ]
    assert (told["wall"], told["counted"], told["until"]) == ("PT2H10M", "PT1H40M", "2024-05-10T04:30:00Z")
    assert told["counted"] == (await agent.get(f"{path}/ledger")).json()["elapsed"]
    assert told["holders"][1]["person"]["staff_id"] == "li"


async def test_a_clock_that_nobody_knows_is_a_problem(agent: httpx.AsyncClient) -> None:
    answer = await agent.get("/v1/clocks/00000000-0000-0000-0000-000000000001/holders")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:redress:problem:no-such-clock")
