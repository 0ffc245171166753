"""Timers wake at the instant, miss nothing, and do nothing twice."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pytest

from shared.contracts.insight import ActionPlannedV1
from shared.contracts.sla import ClockBreachedV1, ClockEvent, ClockWarnedV1, EscalationRaisedV1
from shared.contracts.vocabulary import Metric, Urgency
from shared.db import Database
from shared.ids import new_id
from sla_service.domain.changes import INSTANT
from sla_service.store import due
from sla_service.usecases import Deps, timers
from tests.component.sla.world import World
from tests.unit.sla.history import ACTOR, Story, at, clock, person


@pytest.fixture
async def database(schema_of: Callable[[str], Awaitable[Database]]) -> Database:
    return await schema_of("sla")


@pytest.fixture
async def world(database: Database) -> World:
    world = await World(database).seeded()
    await world.roster()
    return world


@asynccontextmanager
async def running(world: World, replica: Deps) -> AsyncGenerator[None]:
    """The timers of one process, asleep until the next armed instant."""
    task = asyncio.create_task(timers.run_timers(replica))
    try:
        await asleep(world, replica)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def asleep(world: World, replica: Deps) -> None:
    """Wait (in real time) until the timers have fired what is due and sleep until the next instant."""
    async with asyncio.timeout(20):
        while True:
            async with world.database.reading() as tx:
                coming = await due.next_wake(tx)
            if replica.alarm.at == coming and (coming is None or coming > world.clock.now()):
                return
            await asyncio.sleep(0.01)


def just_after(instant: str) -> datetime:
    """When a breach shows: an answer at the due instant itself is in time."""
    return at(instant) + INSTANT


async def drive(world: World, replica: Deps, until: str) -> None:
    """Move the clock from one armed instant to the next; the timers must wake by themselves."""
    while True:
        await asleep(world, replica)
        if replica.alarm.at is None or replica.alarm.at > at(until):
            await world.clock.advance_to(at(until), settle_seconds=0)
            return
        await world.clock.advance_to(replica.alarm.at, settle_seconds=0)


async def told_of_transfer(world: World, story: Story) -> list[tuple[str, str]]:
    task = clock(story, Metric.TRANSFER_RESPONSE).clock_id
    return [
        (event.TYPE.split(".")[2], event.occurred_at.isoformat())
        for event in await world.told()
        if isinstance(event, ClockEvent) and event.clock.clock_id == task
    ]


async def test_an_unanswered_transfer_warns_breaches_and_goes_up_to_the_manager_each_at_its_instant(
    world: World,
) -> None:
    story = Story()
    await world.hear(story.received(), story.transfer("10:20"))
    async with running(world, world.deps):
        await drive(world, world.deps, until="16:59")
    assert await told_of_transfer(world, story) == [
        ("activated", at("10:20").isoformat()),
        ("warned", at("13:20").isoformat()),
        ("breached", at("14:20").isoformat()),
        ("raised", at("14:20").isoformat()),
        ("raised", at("16:20").isoformat()),
    ]
    mine = [e for e in await world.told() if isinstance(e, ClockEvent) and e.clock.subject.value == "transfer"]
    warned = next(event for event in mine if isinstance(event, ClockWarnedV1))
    breached = next(event for event in mine if isinstance(event, ClockBreachedV1))
    raised = [event for event in mine if isinstance(event, EscalationRaisedV1)]
    assert (warned.detected_at, warned.recipient) == (at("13:20"), person("wang"))
    assert (breached.detected_at, breached.clock.on_time) == (just_after("14:20"), False)
    assert [(one.step, one.role, one.recipient) for one in raised] == [
        (1, "department_manager", person("zhao")),
        (2, "executive", person("chen")),
    ]
    assert raised[0].reason.zh == "「转单响应：研发部」已超时，第 1/2 级升级至部门经理"
    assert [event.clock.revision for event in mine] == [1, 2, 3, 4, 5]


async def test_an_answer_at_the_due_instant_itself_is_in_time_and_raises_no_alarm(world: World) -> None:
    story = Story()
    await world.hear(story.received(), story.transfer("10:20"))
    async with running(world, world.deps):
        await drive(world, world.deps, until="14:20")
        await world.hear(story.transfer_answered("14:20"))
        await world.clock.advance_to(just_after("14:20"))
        await drive(world, world.deps, until="15:00")
    assert [what for what, _ in await told_of_transfer(world, story)] == ["activated", "warned", "fulfilled"]


async def test_a_sooner_clock_that_is_armed_meanwhile_wakes_the_timer(world: World) -> None:
    slow, fast = Story("slow", urgency=Urgency.LOW), Story("fast")
    await world.hear(slow.received())
    async with running(world, world.deps):
        await world.hear(fast.received(), fast.promised("10:20", due="10:21"))
        await drive(world, world.deps, until="10:22")
    told = [event for event in await world.told() if isinstance(event, ClockBreachedV1)]
    assert [(event.occurred_at, event.detected_at) for event in told] == [(at("10:21"), just_after("10:21"))]


async def test_what_another_replica_armed_is_found_by_the_poll(database: Database) -> None:
    world = await World(database, timer_poll_seconds=0.05).seeded()
    other = world.replica()
    story = Story()
    async with running(world, other):
        await world.hear(story.received(), story.promised("10:20", due="10:25"))
        await drive(world, other, until="10:26")
    assert [event.detected_at for event in await world.told() if isinstance(event, ClockBreachedV1)] == [
        just_after("10:25")
    ]


async def test_after_an_outage_everything_missed_is_fired_in_order_and_dated_at_its_instant(world: World) -> None:
    one, two = Story("one"), Story("two", received="11:00")
    await world.hear(one.received(), one.transfer("10:20"), two.received(), two.transfer("11:00"))
    await world.advance("20:00")
    told = [e for e in await world.told() if isinstance(e, ClockWarnedV1 | ClockBreachedV1 | EscalationRaisedV1)]
    assert [event.occurred_at for event in told] == sorted(event.occurred_at for event in told)
    assert {event.recorded_at for event in told} == {at("20:00")}
    breached = [event for event in told if isinstance(event, ClockBreachedV1)]
    assert [event.occurred_at for event in breached] == [
        at("10:50"),  # first response of one
        at("11:30"),  # and of two
        at("14:20"),
        at("15:00"),
        at("17:00"),  # the day's progress update of both
        at("17:00"),
    ]
    again = await world.told()
    await world.advance("20:01")
    assert await world.told() == again


async def test_of_several_workers_that_race_one_fires_each_clock(world: World) -> None:
    stories = [Story(f"story {number}") for number in range(60)]
    await world.hear_together([story.received() for story in stories])
    await world.clock.advance_to(just_after("10:50"))
    workers = [world.replica() for _ in range(4)]
    for deps in workers:
        object.__setattr__(deps, "settings", deps.settings.model_copy(update={"timer_batch": 7}))

    async def work(deps: Deps) -> None:
        while await timers.fire_due(deps):
            pass

    await asyncio.gather(*(work(deps) for deps in workers))
    while await timers.fire_due(world.deps):
        pass
    breached = [event for event in await world.told() if isinstance(event, ClockBreachedV1)]
    assert len(breached) == 60
    assert len({event.clock.clock_id for event in breached}) == 60
    assert len({event.event_id for event in await world.told()}) == len(await world.told())


async def test_an_answer_and_a_timer_at_the_same_instant_do_not_lose_each_others_word(world: World) -> None:
    stories = [Story(f"story {number}") for number in range(20)]
    await world.hear_together([story.received() for story in stories])
    await world.clock.advance_to(at("10:51"))
    answers = [story.wrote("10:49", inbound=False) for story in stories]
    await asyncio.gather(timers.fire_due(world.deps), *(world.hear(answer) for answer in answers[:10]))
    await world.hear_together(answers[10:])
    await world.advance("10:52")
    events = [e for e in await world.told() if isinstance(e, ClockEvent) and e.clock.metric is Metric.FIRST_RESPONSE]
    by_clock: dict[object, list[ClockEvent]] = {}
    for event in events:
        by_clock.setdefault(event.clock.clock_id, []).append(event)
    assert len(by_clock) == 20
    for told in by_clock.values():
        assert [event.clock.revision for event in told] == list(range(1, len(told) + 1))
        last = told[-1].clock
        assert (last.on_time, last.breached_at, last.status.value) == (True, None, "fulfilled")


async def test_a_fulfilled_clock_stops_its_chain_and_arms_nothing(world: World) -> None:
    story = Story()
    await world.hear(story.received(), story.promised("10:20", due="10:30"))
    await world.advance("10:31")
    await world.hear(story.promise_kept("10:40"), story.wrote("10:35", inbound=False), story.resolved("10:50"))
    await world.advance("10:55")
    raised = [event for event in await world.told() if isinstance(event, EscalationRaisedV1)]
    assert [(event.role, event.step) for event in raised] == [("agent", 1)]
    rows = await world.rows("clocks")
    assert {row["metric"]: row["status"] for row in rows["clocks"]}["promise"] == "fulfilled"


async def test_a_late_improvement_action_goes_to_its_owner_and_then_to_the_manager_of_the_owners_team(
    world: World,
) -> None:
    action = ActionPlannedV1(
        event_id=new_id(),
        occurred_at=at("10:20"),
        recorded_at=at("10:20"),
        actor=ACTOR,
        action_id=new_id(),
        revision=1,
        review_id=None,
        title="…",
        kind="process",
        owner=person("sun"),
        aim="…",
        due_at=at("05-17 18:00"),
    )
    await world.hear(action)
    await world.advance("05-20 09:00")
    raised = [event for event in await world.told() if isinstance(event, EscalationRaisedV1)]
    assert [(event.role, event.recipient) for event in raised] == [
        ("agent", person("sun")),
        ("department_manager", person("zhao")),
    ]
    assert {(event.facts, event.key) for event in raised} == {(None, str(action.action_id))}
