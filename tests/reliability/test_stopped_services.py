"""Any one service is stopped, people go on with the others, it is started again: the case ends as ever."""

from typing import Any

import pytest

from shared.contracts import SERVICES
from tests.support.house import House
from tests.support.journey import Journey

pytestmark = pytest.mark.kafka

#: The steps of the journey during which a service is away: up to the first that has to go through its own door.
AWAY = {
    "intake": ("handle", "close"),
    "triage": ("receive", "receive"),
    "resolution": ("receive", "receive"),
    "sla": ("receive", "close"),
    "feedback": ("receive", "tell_result"),
    "insight": ("receive", "close"),
    "notify": ("receive", "tell_result"),
}
STEPS = ("receive", "handle", "tell_result", "answer_survey", "visit", "close")


async def travel(house: House, number: int, away: str | None) -> dict[str, Any]:
    journey = Journey(house.world(), number)
    first, last = AWAY[away] if away else ("", "")
    for step in STEPS:
        if away and step == first:
            await house.stop(away)
        await getattr(journey, step)()
        if away and step == last:
            await everybody_else_is_done(house, away)
            await house.start(away)
    await journey.becomes("closed")
    await house.settled()
    return await journey.ending()


async def everybody_else_is_done(house: House, away: str) -> None:
    """The others work off all that reached them, and are well without it."""
    assert not house.fleet.running(away)
    await house.settled(ignoring=away)
    for name in SERVICES:
        if name != away:
            await house.fleet.ready(name)


@pytest.fixture(scope="module")
async def undisturbed(house: House) -> dict[str, Any]:
    return await travel(house, 100, None)


async def test_the_case_of_which_the_others_are_measured_goes_round(undisturbed: dict[str, Any]) -> None:
    assert undisturbed["state"] == "closed"
    assert undisturbed["survey"] == [(1, 5, True, "处理很快")]
    assert False not in {on_time for *_, on_time in undisturbed["sla"]}


@pytest.mark.parametrize("away", SERVICES)
async def test_a_service_that_was_away_catches_up_and_the_case_ends_the_same(
    house: House, undisturbed: dict[str, Any], away: str
) -> None:
    ending = await travel(house, 101 + SERVICES.index(away), away)
    assert ending == undisturbed
    assert await house.dead_letters() == []
