"""Who is given a complaint (B5)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.vocabulary import Kind, Language, Urgency
from triage_service import data
from triage_service.domain.assignment import Balance
from triage_service.domain.roster import Agent, seeded

TEAMS, AGENTS = seeded(data.read("roster"))
BY_ID = {team.team_id: team for team in TEAMS}


def engineers(**changes: dict[str, Any]) -> list[Agent]:
    """The seeded agents with some changed: ``engineers(he_jun={"load": 3})``."""
    return [replace(agent, **changes.get(agent.agent_id.replace(".", "_"), {})) for agent in AGENTS]


def chosen(balance: Balance, team: str = "engineers", issue: str = "product.function", **how: object) -> str | None:
    agent, _ = balance.choose(BY_ID[team], issue, how.get("language", Language.ZH), how.get("earlier"))  # type: ignore[arg-type]
    return agent.agent_id if agent else None


@pytest.mark.parametrize(
    ("kind", "urgency", "team"),
    [
        (Kind.COMPLAINT, Urgency.HIGH, "senior-engineers"),
        (Kind.COMPLAINT, Urgency.MEDIUM, "engineers"),
        (Kind.AFTER_SALES, Urgency.LOW, "customer-service"),
        (Kind.ENQUIRY, Urgency.LOW, "customer-service"),
        (Kind.SUGGESTION, Urgency.LOW, "product"),
        (Kind.SUGGESTION, Urgency.HIGH, "product"),
    ],
)
def test_the_team_follows_from_kind_and_urgency(kind: Kind, urgency: Urgency, team: str) -> None:
    found = Balance(TEAMS, AGENTS).team_for(kind, urgency)
    assert found is not None
    assert found[0].team_id == team
    assert found[1].text.zh
    assert found[1].text.en


def test_where_no_team_takes_a_complaint_a_team_gets_it_all_the_same() -> None:
    idle = [replace(team, takes_kinds=frozenset(), takes_urgencies=frozenset()) for team in TEAMS]
    found = Balance(idle, AGENTS).team_for(Kind.COMPLAINT, Urgency.HIGH)
    assert found is not None
    assert found[1].rule == "fallback-team"
    assert Balance([], []).team_for(Kind.COMPLAINT, Urgency.HIGH) is None


def test_the_least_loaded_agent_is_chosen_and_on_equal_load_the_first_by_id() -> None:
    assert chosen(Balance(TEAMS, AGENTS)) == "he.jun"
    assert chosen(Balance(TEAMS, engineers(he_jun={"load": 2}, ye_chen={"load": 1}))) == "oliver.hart"


def test_skill_goes_before_language_and_language_before_load() -> None:
    deep = engineers(ye_chen={"skills": frozenset({"product.function"}), "load": 9})
    assert chosen(Balance(TEAMS, deep)) == "ye.chen"
    speaks = engineers(
        he_jun={"languages": frozenset({Language.ZH})},
        ye_chen={"languages": frozenset({Language.ZH})},
        oliver_hart={"load": 9},
    )
    assert chosen(Balance(TEAMS, speaks), language=Language.EN) == "oliver.hart"


def test_the_customers_earlier_agent_is_preferred_while_on_duty_in_the_team() -> None:
    busy = engineers(ye_chen={"load": 9})
    assert chosen(Balance(TEAMS, busy), earlier="ye.chen") == "ye.chen"
    assert chosen(Balance(TEAMS, engineers(ye_chen={"on_duty": False})), earlier="ye.chen") == "he.jun"
    assert chosen(Balance(TEAMS, AGENTS), earlier="shen.bo") == "he.jun"


def test_without_anybody_on_duty_the_teams_queue_holds_it() -> None:
    away = [replace(agent, on_duty=False) for agent in AGENTS]
    agent, reasons = Balance(TEAMS, away).choose(BY_ID["engineers"], "price", Language.ZH)
    assert agent is None
    assert [reason.rule for reason in reasons] == ["nobody-on-duty"]


@given(st.integers(min_value=0, max_value=60), st.lists(st.integers(0, 5), min_size=3, max_size=3))
def test_a_batch_is_balanced_within_itself(cases: int, loads: list[int]) -> None:
    balance = Balance(
        TEAMS,
        engineers(he_jun={"load": loads[0]}, ye_chen={"load": loads[1]}, oliver_hart={"load": loads[2]}),
    )
    for _ in range(cases):
        chosen(balance)
    after = [balance.agents[name].load for name in ("he.jun", "ye.chen", "oliver.hart")]
    assert sum(after) == sum(loads) + cases
    assert max(after) - min(after) <= max(1, max(loads) - min(loads))
