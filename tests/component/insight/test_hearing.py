"""Insight on a real PostgreSQL: whatever the order of arrival, the same rows; what is erased is gone."""

import os
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import select, text

from insight_service.domain.improving import ComplaintNotFound
from insight_service.events import CONSUMES
from insight_service.settings import Settings
from insight_service.store.tables import complaints
from insight_service.usecases import ask
from insight_service.usecases.deps import Deps
from shared.clock import SimulatedClock
from shared.contracts import Event
from shared.contracts.feedback import SurveyAnsweredV1
from shared.contracts.triage import ComplaintClassifiedV1
from shared.contracts.vocabulary import CaseState, Emotion, Kind, Urgency
from shared.ids import new_id
from tests.support.builders import SYSTEM, at, erased, facts, moved, received, resolved


@pytest.fixture
async def deps(schema_of) -> Deps:
    database = await schema_of("insight")
    return Deps(
        session=database.session,
        reading=database.reading,
        clock=SimulatedClock(at(200)),
        ids=new_id,
        salt=lambda: os.urandom(16),
        settings=Settings(database_url=database.url),
    )


async def hear(deps: Deps, *events: Event) -> None:
    """As the bus does it: one contract at a time, never two of one complaint in a list."""
    for (contract, _), group in groupby(events, lambda event: (type(event), getattr(event, "revision", 0))):
        async with deps.session() as tx:
            await CONSUMES[contract](list(group), tx, deps)


def classified(of: Any, urgency: Urgency, revision: int = 1) -> ComplaintClassifiedV1:
    return ComplaintClassifiedV1(
        event_id=new_id(),
        occurred_at=at(0.01 * revision),
        recorded_at=at(0.01 * revision),
        actor=SYSTEM,
        facts=of.model_copy(update={"urgency": urgency, "urgency_revision": revision}),
        revision=revision,
        kind=Kind.COMPLAINT,
        issue_type="product.function",
        responsible="rnd",
        emotion=Emotion.ANXIOUS,
        confidence=0.9,
        reasons=(),
        by="rules",
    )


def answered(of: Any, cycle: int, level: int) -> SurveyAnsweredV1:
    return SurveyAnsweredV1(
        event_id=new_id(),
        occurred_at=at(5),
        recorded_at=at(5),
        actor=SYSTEM,
        facts=of,
        survey_id=new_id(),
        cycle=cycle,
        satisfaction=level,
        satisfied=level >= 3,
    )


def a_life(of: Any) -> Sequence[Event]:
    return [
        received(of),
        classified(of, Urgency.LOW, 1),
        classified(of, Urgency.HIGH, 2),
        moved(of, CaseState.RESOLVED, 3),
        resolved(of, when=at(2)),
        answered(of, 1, 2),
        moved(of, CaseState.REOPENED, 4, cycle=2),
        resolved(of, cycle=2, when=at(4)),
        answered(of, 2, 5),
        moved(of, CaseState.CLOSED, 6, cycle=2),
    ]


async def rows(deps: Deps) -> list[dict[str, Any]]:
    async with deps.reading() as tx:
        found = await tx.execute(select(complaints).order_by(complaints.c.complaint_id))
        return [dict(row._mapping) for row in found]


async def test_the_row_of_a_complaint_does_not_depend_on_the_order_of_arrival(deps):
    one, other = facts(), facts(number="C-20240510-000002")
    await hear(deps, *a_life(one))
    await hear(deps, *reversed(a_life(other)))
    first, second = await rows(deps)
    same = {key for key in first if key not in {"complaint_id", "number", "person_id"}}
    assert {key: first[key] for key in same} == {key: second[key] for key in same}
    assert (first["urgency"], first["state"], first["cycle"], first["satisfaction"]) == ("high", "closed", 2, 5)
    assert (first["first_resolved_at"], first["last_resolved_at"]) == (at(2), at(4))


async def test_a_batch_of_many_complaints_is_heard_at_once_and_a_double_changes_nothing(deps):
    many = [received(facts(number=f"C-20240510-{number:06}")) for number in range(200)]
    await hear(deps, *many)
    await hear(deps, *many)
    assert len(await rows(deps)) == 200
    async with deps.reading() as tx:
        assert await tx.scalar(text("select count(*) from archive")) == 200


async def test_erasure_deletes_what_is_personal_even_what_comes_late_and_leaves_the_facts(deps):
    of = facts()
    await hear(deps, received(of), erased(of), resolved(of))
    events = await ask.read_archive(
        complaint_id=of.complaint_id, subject=None, type_=None, after=0, limit=10, personal=True, deps=deps
    )
    assert [event.data.get("symptom") for event in events] == [None, None]
    assert events[1].data["result"]["cause"] is None
    assert (await rows(deps))[0]["resolved_cycle"] == 1
    async with deps.reading() as tx:
        assert await tx.scalar(text("select count(*) from archive_personal")) == 0
        assert await tx.scalar(text("select count(*) from complaint_terms")) == 0


async def test_similar_cases_come_with_what_was_done_about_them(deps):
    one, two, three = (facts(number=f"C-20240510-00000{number}") for number in (1, 2, 3))
    await hear(
        deps,
        received(one),
        received(two, symptom="近7天订单查询加载失败,页面报错", scene="", impact="", demands=()),
        received(three, symptom="快递员态度差", scene="", impact="", demands=()),
        resolved(two, measure_kinds=("repair", "compensation")),
    )
    found = await ask.similar_cases(one.complaint_id, 5, deps)
    assert [case.number for case in found] == ["C-20240510-000002"]
    assert found[0].measure_kinds == ("compensation", "repair")
    with pytest.raises(ComplaintNotFound):
        await ask.similar_cases(new_id(), 5, deps)


async def test_trends_count_by_the_weeks_of_shanghai_with_shares_and_times(deps):
    # Sunday 2024-05-12 23:59 and Monday 2024-05-13 00:01 in Shanghai fall into two weeks.
    sunday, monday, early = (
        facts(number=f"C-20240512-00000{number}", received_at=at(hours))
        for number, hours in ((1, 61.65), (2, 61.7), (3, 0))
    )
    await hear(deps, *(received(of) for of in (sunday, monday, early)))
    await hear(deps, classified(early, Urgency.HIGH), resolved(early, when=at(2)), answered(early, 1, 4))
    found = await ask.count_trends(period="week", dimension="urgency", start=at(-100), end=at(300), deps=deps)
    assert [(row.period, row.value, row.count, row.share) for row in found] == [
        ("2024-05-06", "high", 1, 0.5),
        ("2024-05-06", "medium", 1, 0.5),
        ("2024-05-13", "medium", 1, 1.0),
    ]
    assert (found[0].mean_seconds_to_resolve, found[0].mean_satisfaction) == (7200.0, 4.0)


def test_insight_hears_everything_but_the_contacts():
    assert all(contract.TOPIC != "redress.intake.contacts" for contract in CONSUMES)
    assert len(CONSUMES) > 35
