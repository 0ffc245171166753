"""What sla-service hears becomes clocks: in any order, however often, a hundred at a time."""

import random
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import text

from shared.contracts.intake import PersonErasedV1
from shared.contracts.sla import (
    BreachWithdrawnV1,
    ClockActivatedV1,
    ClockEvent,
    ClockFulfilledV1,
    ClockPausedV1,
    ClockRepricedV1,
    ClockResumedV1,
)
from shared.contracts.vocabulary import CaseState, ClockStatus, Metric, Purpose, Urgency
from shared.db import Database
from shared.ids import new_id
from tests.component.sla.world import World
from tests.unit.sla.history import ACTOR, Story, at, clock

KEPT = ("histories", "facts", "clocks", "escalations", "teams")


@pytest.fixture
async def database(schema_of: Callable[[str], Awaitable[Database]]) -> Database:
    return await schema_of("sla")


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).seeded()


def whole_case() -> Story:
    story = Story()
    story.received(made="05-10 09:00")
    story.classified("10:21", Urgency.MEDIUM)
    story.assigned("10:21")
    story.delivered("10:25", Purpose.ACKNOWLEDGEMENT)
    story.transfer("10:30")
    story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=3)
    story.wrote("10:50")
    story.promised("11:00", due="12:00")
    story.told("11:00")
    story.transfer_answered("15:00")
    story.promise_kept("12:05")
    story.resolved("12:30")
    story.delivered("12:31", Purpose.SURVEY, cycle=1)
    story.visit("12:30")
    story.moved("13:00", CaseState.REOPENED, revision=6, cycle=2)
    story.classified("13:05", Urgency.HIGH, revision=2)
    story.resolved("14:00", cycle=2)
    story.delivered("14:01", Purpose.SURVEY, cycle=2)
    story.visit("14:00", cycle=2)
    story.visited("05-12 12:00", cycle=2)
    story.moved("05-12 12:30", CaseState.CLOSED, revision=9, cycle=2)
    return story


async def test_a_receipt_starts_three_clocks_and_an_acknowledgement_ends_the_first(world: World) -> None:
    story = Story()
    await world.hear(story.received(), story.delivered("10:25", Purpose.ACKNOWLEDGEMENT))
    told = await world.told()
    activated = [event for event in told if isinstance(event, ClockActivatedV1)]
    assert {event.clock.metric for event in activated} == {
        Metric.FIRST_RESPONSE,
        Metric.RESOLUTION,
        Metric.PERIODIC_UPDATE,
    }
    (fulfilled,) = [event for event in told if isinstance(event, ClockFulfilledV1)]
    assert fulfilled.occurred_at == fulfilled.clock.fulfilled_at == at("10:25")
    assert (fulfilled.clock.on_time, fulfilled.clock.revision) == (True, 2)
    assert fulfilled.facts is not None
    assert fulfilled.facts.number == "C-20240510-000001"


async def test_the_same_facts_leave_the_same_rows_in_whatever_order_and_however_often_they_come(
    database: Database,
) -> None:
    story = whole_case()
    world = await World(database, now="05-13 09:00").seeded()
    await world.hear(*story.events)
    expected = await world.rows(*KEPT)
    assert len(expected["clocks"]) == 13
    for seed in range(6):
        async with database.session() as tx:
            await tx.execute(text("truncate histories, facts, clocks, escalations, outbox"))
        shuffled = story.events * 2
        random.Random(seed).shuffle(shuffled)
        await world.hear(*shuffled)
        assert await world.rows(*KEPT) == expected, f"seed {seed}"


async def test_an_event_heard_twice_tells_nothing_twice(world: World) -> None:
    story = whole_case()
    await world.hear(*story.events)
    once = await world.told()
    await world.hear(*story.events)
    assert await world.told() == once
    assert len({event.event_id for event in once}) == len(once)


async def test_a_higher_urgency_reprices_the_running_clocks_and_tells_the_due_instant_before(world: World) -> None:
    story = Story()
    await world.hear(story.received(), story.classified("10:21", Urgency.HIGH))
    repriced = {e.clock.metric: e for e in await world.told() if isinstance(e, ClockRepricedV1)}
    assert set(repriced) == {Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE}
    first = repriced[Metric.FIRST_RESPONSE]
    assert (first.due_before, first.clock.due_at, first.reason) == (at("10:50"), at("10:35"), "urgency_changed")
    assert repriced[Metric.RESOLUTION].clock.due_at == at("12:20")


async def test_waiting_for_the_customer_pauses_and_the_reply_resumes_at_its_own_time(world: World) -> None:
    story = Story(urgency=Urgency.HIGH)
    await world.hear(
        story.received(), story.moved("10:50", CaseState.WAITING_CUSTOMER, revision=2), story.wrote("11:30")
    )
    told = await world.told()
    (paused,) = [event for event in told if isinstance(event, ClockPausedV1)]
    (resumed,) = [event for event in told if isinstance(event, ClockResumedV1)]
    assert (paused.occurred_at, paused.reason, paused.clock.status) == (
        at("10:50"),
        "waiting_customer",
        ClockStatus.PAUSED,
    )
    assert (resumed.occurred_at, resumed.clock.due_at) == (at("11:30"), at("13:00"))


async def test_an_answer_learned_after_the_sweep_but_given_in_time_withdraws_the_breach(world: World) -> None:
    story = Story()
    await world.roster()
    await world.hear(story.received(), story.transfer("10:20"))
    task = clock(story, Metric.TRANSFER_RESPONSE).clock_id
    await world.advance("14:21")
    assert await world.told_of(task) == ["activated", "warned", "breached", "raised"]
    await world.hear(story.transfer_answered("14:10", recorded="14:22"))
    assert await world.told_of(task) == ["activated", "warned", "breached", "raised", "breach-withdrawn", "fulfilled"]
    (withdrawn,) = [event for event in await world.told() if isinstance(event, BreachWithdrawnV1)]
    assert (withdrawn.reason, withdrawn.clock.on_time, withdrawn.clock.breached_at) == ("answered_in_time", True, None)
    await world.advance("18:00")
    raised = [row for row in (await world.rows("escalations"))["escalations"] if row["clock_id"] == task]
    assert [(row["role"], row["recipient"]["staff_id"], row["withdrawn"]) for row in raised] == [
        ("department_manager", "zhao", True)
    ]


async def test_an_answer_that_came_late_and_was_never_swept_is_told_as_late(world: World) -> None:
    story = Story()
    await world.clock.advance_to(at("16:00"))
    await world.hear(story.received(), story.transfer("10:20"), story.transfer_answered("15:00"))
    task = clock(story, Metric.TRANSFER_RESPONSE).clock_id
    assert await world.told_of(task) == ["activated", "breached", "fulfilled"]
    view = [e.clock for e in await world.told() if isinstance(e, ClockEvent) and e.clock.clock_id == task][-1]
    assert (view.on_time, view.breached_at, view.fulfilled_at) == (False, at("14:20"), at("15:00"))


async def test_a_catch_up_after_an_outage_raises_no_alarm_for_what_its_next_event_answers(world: World) -> None:
    story = Story()
    await world.clock.advance_to(at("16:00"))
    await world.hear(story.received(), story.transfer("10:20"))
    await world.advance("16:00:01")
    await world.hear(story.transfer_answered("11:00"))
    await world.advance("16:00:05")
    assert await world.told_of(clock(story, Metric.TRANSFER_RESPONSE).clock_id) == ["activated", "fulfilled"]


async def test_a_hundred_complaints_take_a_handful_of_statements(world: World, database: Database) -> None:
    stories = [Story(f"story {number}") for number in range(100)]
    received = [story.received() for story in stories]
    acknowledged = [story.delivered("10:25", Purpose.ACKNOWLEDGEMENT) for story in stories]
    statements: list[str] = []
    sa_event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *of: statements.append(of[2][:80]))
    await world.hear_together(received)
    assert len(statements) <= 15, statements
    statements.clear()
    await world.hear_together(acknowledged)
    assert len(statements) <= 10, statements
    rows = await world.rows("clocks")
    assert len(rows["clocks"]) == 300
    assert sum(row["status"] == "fulfilled" for row in rows["clocks"]) == 100


async def test_an_erased_person_leaves_no_name_whichever_is_heard_first(world: World) -> None:
    for name, erased_first in (("one", True), ("two", False)):
        story = Story(name)
        received = story.received()
        erased = PersonErasedV1(
            event_id=new_id(),
            occurred_at=at("11:00"),
            recorded_at=at("11:00"),
            actor=ACTOR,
            person_id=story.facts.customer.person_id,
            complaint_ids=(story.id,),
        )
        await world.hear(*([erased, received] if erased_first else [received, erased]))
        await world.hear(story.told("11:10"))
    kept = (await world.rows("histories"))["histories"]
    assert [row["complaint"]["customer"]["display"] for row in kept] == ["", ""]


async def test_a_clock_that_cannot_be_priced_is_kept_in_sight_and_the_others_run(world: World) -> None:
    await world.hear(Story(received="2098-05-10 10:20:00").received())
    rows = await world.rows("histories", "clocks")
    assert [row["metric"] for row in rows["clocks"]] == ["first_response"]
    assert {one["metric"] for one in rows["histories"][0]["unpriced"]} == {"resolution", "periodic_update"}
