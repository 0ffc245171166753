"""Triage on a real PostgreSQL: heard, assessed, told; in any order, and nothing personal kept."""

import random
from typing import Any

import pytest

from shared.contracts import Event
from shared.contracts.intake import Demand
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, TeamChangedV1
from shared.contracts.vocabulary import CaseState, Kind, Language, Urgency
from shared.db import Migrations
from shared.ids import new_id
from tests.component.triage.town import LEAD, Town, move, statements, text_of
from tests.support.builders import erased, facts, received
from triage_service import data
from triage_service.usecases.roster import seed


async def test_a_received_complaint_is_classified_with_reasons_and_given_to_an_engineer(town: Town) -> None:
    complaint = facts()
    await town.hear(received(complaint))
    classified, assigned = await town.told()
    assert isinstance(classified, ComplaintClassifiedV1)
    assert isinstance(assigned, ComplaintAssignedV1)
    assert (classified.kind, classified.issue_type, classified.responsible) == (
        Kind.COMPLAINT,
        "product.function",
        "rnd",
    )
    assert (classified.facts.urgency, classified.facts.urgency_revision, classified.revision) == (Urgency.MEDIUM, 1, 1)
    assert classified.reasons
    assert classified.by == "rules"
    assert (assigned.team_id, assigned.revision, assigned.facts.urgency_revision) == ("engineers", 1, 1)
    assert assigned.agent is not None
    assert assigned.agent.staff_id == "he.jun"
    assert await town.load("he.jun") == 1


async def test_the_same_in_english_goes_to_an_engineer_who_speaks_it(town: Town) -> None:
    complaint = facts(language=Language.EN)
    english = received(
        complaint,
        symptom="In the order management system, the query of the last seven days' orders shows a load failure",
        scene="Since 10:15",
        impact="We cannot check stock, and shipping suffers",
        demands=(Demand(text="Repaired within 2 hours"), Demand(text="Compensation for the late shipping")),
    )
    await town.hear(english)
    classified, assigned = await town.told()
    assert isinstance(classified, ComplaintClassifiedV1)
    assert isinstance(assigned, ComplaintAssignedV1)
    assert (classified.issue_type, classified.responsible) == ("product.function", "rnd")
    assert classified.facts.urgency is Urgency.MEDIUM
    assert assigned.team_id == "engineers"


async def test_a_list_of_a_hundred_is_balanced_within_itself(town: Town) -> None:
    await town.hear_list([received(facts()) for _ in range(99)])
    assert len(await town.told()) == 198
    assert [await town.load(name) for name in ("he.jun", "ye.chen", "oliver.hart")] == [33, 33, 33]


async def test_the_number_of_statements_does_not_grow_with_the_list(town: Town) -> None:
    await town.hear_list([received(facts())])
    with statements(town.database) as few:
        await town.hear_list([received(facts()) for _ in range(2)])
    with statements(town.database) as many:
        await town.hear_list([received(facts()) for _ in range(100)])
    assert len(few) == len(many) <= 12


async def test_the_same_customers_next_complaint_goes_to_the_same_agent(town: Town) -> None:
    person = new_id()
    await town.hear(received(facts()), received(facts()), received(facts(person_id=person)))
    await town.hear_list([received(facts(person_id=person)), received(facts(person_id=person))])
    given = [event.agent for event in await town.told() if isinstance(event, ComplaintAssignedV1)]
    assert [agent.staff_id if agent else None for agent in given] == [
        "he.jun",
        "oliver.hart",
        "ye.chen",
        "ye.chen",
        "ye.chen",
    ]


async def test_hearing_of_a_complaint_twice_makes_one_classification_and_one_load(town: Town) -> None:
    event = received(facts())
    await town.hear(event)
    first = [await town.rows(table) for table in ("cases", "classifications", "assignments", "agents")]
    await town.told()
    await town.hear(event)
    assert [await town.rows(table) for table in ("cases", "classifications", "assignments", "agents")] == first
    assert await town.told() == []


@pytest.mark.parametrize("end", [CaseState.CLOSED, CaseState.WITHDRAWN, CaseState.REJECTED, CaseState.MERGED])
async def test_an_ended_case_is_no_load_and_a_reopened_one_is_again(town: Town, end: CaseState) -> None:
    complaint = facts()
    await town.hear(received(complaint), move(complaint, CaseState.IN_PROGRESS, 3, CaseState.ASSESSED))
    assert await town.load("he.jun") == 1
    await town.hear(move(complaint, end, 6, CaseState.CONFIRMED))
    assert await town.load("he.jun") == 0
    assert (await town.get("/v1/queue"))["data"] == []
    await town.hear(move(complaint, CaseState.REOPENED, 7, end), move(complaint, CaseState.IN_PROGRESS, 8))
    assert await town.load("he.jun") == 1
    assert [entry["complaint_id"] for entry in (await town.get("/v1/queue"))["data"]] == [str(complaint.complaint_id)]


async def test_any_order_of_arrival_with_doubles_ends_in_the_same_rows(town: Town) -> None:
    complaint = facts()
    events: list[Event] = [
        received(complaint),
        move(complaint, CaseState.ACKNOWLEDGED, 1),
        move(complaint, CaseState.IN_PROGRESS, 3, CaseState.ASSESSED),
        move(complaint, CaseState.CLOSED, 5, CaseState.CONFIRMED),
        move(complaint, CaseState.REOPENED, 6, CaseState.CLOSED),
        move(complaint, CaseState.CLOSED, 9, CaseState.CONFIRMED),
        erased(complaint),
    ]
    seen: set[str] = set()
    for number in range(30):
        order = random.Random(number)
        arrivals = [*events, *order.sample(events, 3)]
        order.shuffle(arrivals)
        for event in arrivals:
            await town.hear(event)
        tables = ("cases", "classifications", "assignments", "agents", "erased")
        seen.add(text_of([await town.rows(table) for table in tables]))
        assert len(seen) == 1, f"seed {number}"
        await town.run("delete from assignments", "delete from classifications", "delete from cases")
        await town.run("delete from erased", "delete from outbox", "update agents set load = 0")


@pytest.mark.parametrize("erased_first", [True, False])
async def test_after_an_erasure_nothing_personal_stays(town: Town, erased_first: bool) -> None:
    complaint = facts()
    events = [received(complaint), erased(complaint)]
    for event in reversed(events) if erased_first else events:
        await town.hear(event)
    kept = text_of([await town.rows(name) for name in ("cases", "classifications", "assignments", "erased")])
    for personal in ("138****1234", "某网店公司", "加载失败", "赔偿延误", "无法核对库存"):
        assert personal not in kept


async def test_the_text_of_a_complaint_is_never_kept(town: Town) -> None:
    await town.hear(received(facts()))
    kept = text_of([await town.rows(name) for name in ("cases", "classifications", "assignments")])
    for words in ("加载失败", "赔偿延误", "核对库存", "10:15"):
        assert words not in kept


async def test_while_nobody_is_on_duty_the_teams_queue_holds_it_and_who_comes_on_duty_gets_it(town: Town) -> None:
    agents = {agent["agent_id"]: agent for agent in (await town.get("/v1/agents"))["data"]}
    engineers = [agents[name] for name in ("he.jun", "ye.chen", "oliver.hart")]
    for agent in engineers:
        await _on_duty(town, agent, False)
    complaint = facts()
    await town.hear(received(complaint))
    assert (await town.assignment(complaint.complaint_id))["agent_id"] is None
    waiting = await town.get("/v1/queue?team=engineers&waiting=true")
    assert [entry["complaint_id"] for entry in waiting["data"]] == [str(complaint.complaint_id)]
    await town.told()
    await _on_duty(town, engineers[1], True)
    (assigned,) = await town.told()
    assert isinstance(assigned, ComplaintAssignedV1)
    assert (assigned.revision, assigned.agent and assigned.agent.staff_id) == (2, "ye.chen")
    assert await town.load("ye.chen") == 1


async def _on_duty(town: Town, agent: dict[str, Any], on_duty: bool) -> None:
    body = {name: agent[name] for name in ("name", "email", "wecom", "teams", "skills", "languages")}
    answer = await town.http.put(f"/v1/agents/{agent['agent_id']}", json={**body, "on_duty": on_duty}, headers=LEAD)
    assert answer.status_code == 200, answer.text


async def test_seeding_tells_of_every_team_once_and_keeps_what_was_changed(town: Town) -> None:
    deps = town.service.deps
    await town.run("truncate teams, agents, taxonomy_entries")
    await seed(data.read("taxonomy"), data.read("roster"), deps)
    told = await town.told()
    departments = ["brand", "executive", "finance", "logistics", "product", "rnd"]
    assert sorted(event.team_id for event in told if isinstance(event, TeamChangedV1)) == sorted(
        ["customer-service", "engineers", "senior-engineers", *departments]
    )
    rnd = next(event for event in told if isinstance(event, TeamChangedV1) and event.team_id == "rnd")
    assert rnd.contact is not None
    assert rnd.manager is not None
    assert rnd.executive is not None
    await seed(data.read("taxonomy"), data.read("roster"), deps)
    assert await town.told() == []


async def test_the_tables_and_the_migrations_agree(town: Town) -> None:
    migrations = Migrations("triage_service", town.database)
    await migrations.check()
