"""What remains of a clock, in plain and in working time."""

from datetime import timedelta

import httpx

from shared.contracts.vocabulary import CaseState, Metric
from sla_service.clocks.calendar import Calendar, CalendarSpec
from sla_service.domain.changes import view_at
from sla_service.domain.remaining import Remaining, remaining
from tests.component.sla.world import World
from tests.unit.sla.history import Story, at, clock


async def shown(agent: httpx.AsyncClient, story: Story, **more: str) -> dict[str, tuple[str | None, str | None]]:
    told = (await agent.get("/v1/clocks", params={"complaint": str(story.id), **more})).json()["data"]
    return {one["metric"]: (one["remaining"], one["business_remaining"]) for one in told}


async def test_what_remains_is_told_in_plain_and_in_working_time(world: World, agent: httpx.AsyncClient) -> None:
    """Eight working hours from Friday 10:20 end on Saturday the 11th, a make-up working day, at 10:20. The hour of noon
    is not working time."""
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("14:00"))
    assert await shown(agent, story) == {
        "first_response": ("-PT3H10M", "-PT2H10M"),
        "periodic_update": ("PT3H", "PT3H"),
        "resolution": ("PT20H20M", "PT5H20M"),
    }
    assert (await shown(agent, story, as_of=at("10:30").isoformat()))["first_response"] == ("PT20M", "PT20M")
    detail = (await agent.get(f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}")).json()
    assert (detail["remaining"], detail["business_remaining"]) == ("PT20H20M", "PT5H20M")
    assert detail["remaining_seconds"] == 73200.0


async def test_nothing_remains_of_a_clock_that_does_not_run(world: World, agent: httpx.AsyncClient) -> None:
    story = Story()
    await world.hear(
        story.received(), story.wrote("10:25", inbound=False), story.moved("10:30", CaseState.WAITING_CUSTOMER, 2)
    )
    told = await shown(agent, story)
    assert (told["first_response"], told["resolution"]) == ((None, None), (None, None))


def test_working_time_is_left_out_where_the_calendar_does_not_know_the_days() -> None:
    story = Story(received="10:20")
    story.received()
    view = view_at(clock(story, Metric.FIRST_RESPONSE), 1, 0)
    spec = CalendarSpec.model_validate(
        {
            "calendar_id": "c",
            "title": {"zh": "…", "en": "…"},
            "zone": "Asia/Shanghai",
            "week": {"fri": ["09:00-18:00"]},
            "arrangement": "cn",
            "make_up_hours": ["09:00-18:00"],
        }
    )
    far = view.model_copy(update={"due_at": at("2199-01-01 10:00")})
    assert remaining(view, Calendar(spec), at("10:20")) == Remaining(timedelta(minutes=30), timedelta(minutes=30))
    left = remaining(far, Calendar(spec), at("10:20"))
    assert left is not None
    assert left.business is None
