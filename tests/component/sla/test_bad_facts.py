"""What cannot be as it is told is kept, counts by a rule, and is shown to people."""

import random

import httpx
from sqlalchemy import text

from shared.contracts.vocabulary import CaseState, Metric
from sla_service.usecases import replay
from tests.component.sla.world import World
from tests.unit.sla.history import Story, at, clock

KEPT = ("facts", "clocks")


def told_badly() -> Story:
    """A pause ended by a reply of next year, a resolution before the receipt, everything told twice under other ids."""
    story = Story()
    story.received()
    for _ in range(2):
        story.moved("10:30", CaseState.WAITING_CUSTOMER, revision=2)
        story.wrote("2025-05-10 10:40:00", recorded="10:40")
        story.transfer("10:41")
        story.transfer_answered("2025-01-01 00:00:00", recorded="10:50")
        story.resolved("09:00")
    return story


async def test_facts_that_cannot_be_so_leave_the_same_rows_in_any_order_and_follow_from_what_is_kept(
    world: World,
) -> None:
    await world.clock.advance_to(at("12:00"))
    seen = []
    for seed in range(4):
        story = told_badly()
        events = story.events * 2
        random.Random(seed).shuffle(events)
        async with world.database.session() as tx:
            await tx.execute(text("truncate histories, facts, clocks, escalations, outbox"))
        await world.hear(*events)
        seen.append(await world.rows(*KEPT))
        verdict = await replay.verify(None, world.deps)
        assert (verdict.differing, verdict.histories) == (0, 1)
    assert len(seen[0]["facts"]) == 11
    assert all(one == seen[0] for one in seen)


async def test_the_ledger_shows_which_facts_do_not_count_from_the_instant_they_were_told_for(
    world: World, agent: httpx.AsyncClient
) -> None:
    story = Story()
    await world.hear(
        story.received(),
        story.moved("10:30", CaseState.WAITING_CUSTOMER, revision=2),
        story.wrote("2025-05-10 10:40:00", recorded="10:40"),
    )
    await world.clock.advance_to(at("12:00"))
    path = f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}/ledger"
    told = (await agent.get(path)).json()
    assert [(one["kind"], one["end"]) for one in told["segments"]][1] == ("paused", "2024-05-10T02:40:00Z")
    (correction,) = told["corrections"]
    assert (correction["kind"], correction["told_at"], correction["counted_at"]) == (
        "customer_wrote",
        "2025-05-10T02:40:00Z",
        "2024-05-10T02:40:00Z",
    )
    assert correction["text"]["en"] == (
        "Told for 2025-05-10T02:40:00+00:00, after it was recorded; it counts from 2024-05-10T02:40:00+00:00"
    )
    before = (await agent.get(path, params={"as_of": "2024-05-10T10:35:00+08:00"})).json()
    after = (await agent.get(path, params={"as_of": "2024-05-10T10:45:00+08:00"})).json()
    assert (before["corrections"], after["corrections"]) == ([], [correction])
