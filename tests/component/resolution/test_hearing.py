"""What resolution-service hears: one row per complaint whichever event comes first, and the same rows in any order."""

import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import select, text

from resolution_service.store import tables
from resolution_service.usecases import Deps
from shared.contracts.envelope import ComplaintFacts, Event
from shared.contracts.sla import ClockBreachedV1, ClockFulfilledV1
from shared.contracts.vocabulary import ClockStatus, LinkRelation, Metric, Purpose, Urgency
from shared.db import Database
from tests.component.resolution import builders as b
from tests.support.builders import at, erased, facts, received

#: What legitimately tells the arrival: counters of moves that were told.
ARRIVAL = {"revision", "version"}


@pytest.fixture
async def database(schema_of: Callable[[str], Awaitable[Database]]) -> Database:
    return await schema_of("resolution")


@pytest.fixture
def deps(database: Database) -> Deps:
    return b.deps_of(database, at(100))


async def case_row(deps: Deps, of: Any) -> dict[str, Any]:
    async with deps.reading() as tx:
        found = (await tx.execute(select(tables.cases).where(tables.cases.c.id == of.complaint_id))).one()
    return dict(found._mapping)


async def rows(deps: Deps) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept, without what tells the order of arrival."""
    kept: dict[str, list[dict[str, Any]]] = {}
    async with deps.reading() as tx:
        for name in ("cases", "entries", "clocks", "teams", "actions", "erasures"):
            table = tables.metadata.tables[name]
            found = await tx.execute(select(table).order_by(*table.primary_key.columns))
            kept[name] = [
                {key: value for key, value in row._mapping.items() if name != "cases" or key not in ARRIVAL}
                for row in found
            ]
    return kept


async def outbox(deps: Deps) -> list[dict[str, Any]]:
    async with deps.reading() as tx:
        found = await tx.execute(text("select type, payload from outbox order by id"))
        return [{"type": row.type, **json.loads(row.payload)} for row in found]


async def empty(deps: Deps) -> None:
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    async with deps.session() as tx:
        await tx.execute(text(f"truncate {names}"))


async def test_the_case_is_made_by_whatever_is_heard_of_it_first(deps: Deps) -> None:
    makers: list[Callable[[ComplaintFacts], Event]] = [
        received,
        b.classified,
        b.assigned,
        b.acknowledged,
        lambda of: b.clock(of, Metric.RESOLUTION, 2),
        lambda of: b.message(of, 1),
        lambda of: b.escalated(of, 3),
        lambda of: b.offered(of, 3),
    ]
    for make in makers:
        of = facts()
        await b.hear(deps, make(of))
        row = await case_row(deps, of)
        assert (row["number"], row["channel"], row["received_at"]) == (of.number, "hotline", of.received_at)


async def test_the_state_is_the_furthest_milestone_and_each_step_is_told_once(deps: Deps) -> None:
    of = facts()
    await b.hear(
        deps, b.classified(of, 0.02), received(of), b.acknowledged(of, 0.05), b.classified(of, 0.5, revision=2)
    )
    row = await case_row(deps, of)
    assert (row["state"], row["since"]) == ("assessed", at(0.02))
    told = await outbox(deps)
    assert [(event["from_state"], event["to_state"], event["revision"]) for event in told] == [
        ("received", "assessed", 1)
    ]


async def test_acknowledged_comes_from_the_delivered_acknowledgement_alone(deps: Deps) -> None:
    of = facts()
    await b.hear(
        deps,
        received(of),
        b.outgoing(of, Purpose.PROGRESS, 0.1),
        b.outgoing(of, Purpose.ACKNOWLEDGEMENT, 0.1, failed=True),
        b.outgoing(of, Purpose.ACKNOWLEDGEMENT, 0.1, audience="staff"),
        b.outgoing(None, Purpose.ACTION_TASK, 0.1, audience="staff"),
    )
    assert (await case_row(deps, of))["state"] == "received"
    await b.hear(deps, b.acknowledged(of, 0.2))
    assert (await case_row(deps, of))["state"] == "acknowledged"


async def test_the_highest_revision_of_classification_assignment_and_clock_wins(deps: Deps) -> None:
    of = facts()
    await b.hear(
        deps,
        b.classified(of, 0.5, revision=2, responsible="product", urgency=Urgency.HIGH),
        b.classified(of, 0.02, revision=1, responsible="rnd", urgency=Urgency.LOW),
        b.assigned(of, 0.6, revision=2, team="senior", agent=None),
        b.assigned(of, 0.03, revision=1),
        b.clock(of, Metric.RESOLUTION, 3, revision=2),
        b.clock(of, Metric.RESOLUTION, 2, revision=1),
    )
    row = await case_row(deps, of)
    assert (row["responsible"], row["urgency"], row["urgency_rank"]) == ("product", "high", 0)
    assert (row["team_id"], row["agent_id"]) == ("senior", None)
    assert row["next_due_at"] == at(3)


async def test_the_next_due_instant_is_that_of_the_earliest_running_clock(deps: Deps) -> None:
    of = facts()
    await b.hear(deps, *b.first_leg(of))
    row = await case_row(deps, of)
    assert (row["next_due_at"], row["next_warn_at"]) == (at(0.5), at(0.4))
    await b.hear(
        deps,
        b.clock(of, Metric.FIRST_RESPONSE, 0.5, revision=2, kind=ClockFulfilledV1, status=ClockStatus.FULFILLED),
    )
    assert (await case_row(deps, of))["next_due_at"] == at(2)
    await b.hear(
        deps, b.clock(of, Metric.RESOLUTION, 2, revision=2, kind=ClockFulfilledV1, status=ClockStatus.FULFILLED)
    )
    assert (await case_row(deps, of))["next_due_at"] is None


async def test_a_duplicate_is_merged(deps: Deps) -> None:
    of, other = facts(), facts()
    await b.hear(deps, received(of), received(other), b.linked(of, other, 1))
    assert (await case_row(deps, of))["state"] == "merged"
    assert (await case_row(deps, other))["state"] == "received"


def whole_story(of: Any, other: Any) -> list[Event]:
    return [
        *b.first_leg(of),
        received(other),
        b.classified(of, 0.5, revision=2, urgency=Urgency.HIGH),
        b.assigned(of, 0.6, revision=2, team="senior"),
        b.message(of, 0.7),
        b.message(of, 0.8, "正在处理", inbound=False),
        b.note(of, 0.9),
        b.linked(of, other, 1, LinkRelation.RELATED_TO),
        b.clock(
            of,
            Metric.RESOLUTION,
            2,
            revision=2,
            kind=ClockBreachedV1,
            hours=2,
            breached=2,
            detected_at=at(2.1),
        ),
        b.escalated(of, 2),
        b.offered(of, 3),
        b.answered(of, 4, 1),
        b.dissatisfied(of, 4),
        b.planned(of, 3),
        b.visit_assigned(of, 3),
        b.visited(of, 30),
        b.summary(of, 31, 2),
        b.outgoing(of, Purpose.SURVEY, 3),
        b.outgoing(of, Purpose.RESULT, 3, failed=True),
        b.team(),
        b.team(name=b.SUPPORT, revision=2),
        b.action([of.complaint_id], 40),
        b.action_done([of.complaint_id], 50),
        b.clock(None, Metric.IMPROVEMENT_ACTION, 300),
    ]


@pytest.mark.parametrize("with_erasure", [False, True])
async def test_any_order_of_arrival_with_doubles_leaves_the_same_rows(deps: Deps, with_erasure: bool) -> None:
    of, other = facts(), facts()
    story = whole_story(of, other) + ([erased(of)] if with_erasure else [])
    await b.hear(deps, *story)
    expected = await rows(deps)
    assert len(expected["cases"]) == 2
    for seed in range(8):
        chance = random.Random(seed)
        shuffled = [*story, *chance.sample(story, 6)]
        chance.shuffle(shuffled)
        await empty(deps)
        await b.hear(deps, *shuffled)
        assert await rows(deps) == expected, f"seed {seed}"


async def test_an_erasure_leaves_the_facts_and_takes_what_is_personal_then_and_later(deps: Deps) -> None:
    of = facts()
    await b.hear(deps, *b.first_leg(of), b.message(of, 1, "我的电话是13812341234"), b.answered(of, 4), erased(of))
    await b.hear(deps, b.note(of, 101, "我们给13812341234打了电话"), b.classified(of, 102, revision=2))
    async with deps.reading() as tx:
        kept = (await tx.execute(select(tables.entries))).all()
    assert {str(row.personal) for row in kept} == {"{}"}
    assert {row.actor_name for row in kept if row.actor_kind == "complainant"} == {""}
    assert {row.data["satisfaction"] for row in kept if "satisfaction" in row.data} == {5}
    row = await case_row(deps, of)
    assert row["facts"]["customer"]["display"] == ""
    assert row["facts"]["organisation"] is None
    assert row["search"] == of.number.lower()
    assert row["facts"]["product"] == "订单管理系统"


async def test_a_hundred_complaints_cost_a_handful_of_statements(deps: Deps, database: Database) -> None:
    many = [facts(number=f"C-20240510-{n:06d}") for n in range(100)]
    counted: list[str] = []
    sa_event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda _, __, statement, *___: counted.append(statement)
    )
    costs = {}
    batches: dict[str, list[Event]] = {
        "received": [received(of) for of in many],
        "classified": [b.classified(of) for of in many],
        "assigned": [b.assigned(of) for of in many],
        "clocks": [b.clock(of, Metric.RESOLUTION, 2) for of in many],
        "delivered": [b.acknowledged(of) for of in many],
    }
    for name, batch in batches.items():
        counted.clear()
        await b.hear_together(deps, batch)
        costs[name] = len(counted)
    assert costs == {"received": 2, "classified": 4, "assigned": 2, "clocks": 3, "delivered": 2}
    assert len(await outbox(deps)) == 100
