"""Metrics that only some policies ask for. Friday 2024-05-10 in Shanghai; expectations are worked out by hand."""

from typing import Any

import pytest

from shared.contracts.vocabulary import CaseState, ClockStatus, Metric, Purpose, Urgency
from shared.contracts.vocabulary import RegulatorStage as Stage
from sla_service.clocks.facts import FactKind
from sla_service.clocks.fold import ClockState
from sla_service.clocks.holders import HolderKind, holders
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import ledger, sentence
from sla_service.clocks.policy import Book, gap
from sla_service.domain.changes import view_at
from sla_service.domain.facts_of import fact_of
from sla_service.domain.titles import METRICS
from tests.unit.sla.history import BOOK, STANDARD, Story, at, book_with, folded, shown
from tests.unit.sla.own_case import own_case


def policy(track: str = "service", **rules: Any) -> dict[str, Any]:
    """One hour each, unless the rule says otherwise."""
    hour = {"every": {"due": {"kind": "elapsed", "time": "PT1H"}}}
    return {
        "policy_id": f"more-{track}",
        "title": {"zh": "补充约定", "en": "More"},
        "position": 50,
        "track": track,
        "calendar": "cn-office",
        "rules": {name: {**hour, **more} for name, more in rules.items()},
    }


def of(story: Story, metric: Metric, book: Book) -> list[tuple[str | None, str | None, str | None, str]]:
    """Start, due, end and status of its clocks of the metric."""
    found = [one for one in folded(story, book=book).clocks if one.run.metric is metric]
    return [
        (shown(one.run.start), shown(one.due), shown(one.run.end.at) if one.run.end else None, one.status.value)
        for one in sorted(found, key=lambda one: one.run.cycle)
    ]


def only(story: Story, metric: Metric, book: Book) -> ClockState:
    (found,) = [one for one in folded(story, book=book).clocks if one.run.metric is metric]
    return found


def test_a_metric_without_a_rule_has_no_clock_and_is_no_gap() -> None:
    story = own_case()
    story.wrote("12:00")
    before = folded(story)
    assert before.unpriced == ()
    assert BOOK.beside == frozenset()
    assert gap(STANDARD) is None
    wanting = [
        spec.model_copy(update={"rules": {Metric.FIRST_RESPONSE: spec.rules[Metric.FIRST_RESPONSE]}})
        for spec in STANDARD
    ]
    assert "acknowledge" not in str(gap(wanting))


def test_every_metric_has_a_name_in_both_languages() -> None:
    assert set(METRICS) == set(Metric)


def test_an_acknowledgement_is_the_message_that_says_so_and_an_answer_is_none() -> None:
    book = book_with(policy(acknowledge={}))
    story = Story()
    story.received()
    story.wrote("10:30", inbound=False)
    assert of(story, Metric.ACKNOWLEDGE, book) == [("05-10 10:20", "05-10 11:20", None, "running")]
    story.delivered("10:40", Purpose.ACKNOWLEDGEMENT)
    assert of(story, Metric.ACKNOWLEDGE, book) == [("05-10 10:20", "05-10 11:20", "05-10 10:40", "fulfilled")]


def test_the_result_makes_an_acknowledgement_needless() -> None:
    book = book_with(policy(acknowledge={}))
    story = Story()
    story.received()
    story.resolved("11:00")
    assert of(story, Metric.ACKNOWLEDGE, book)[0][2:] == ("05-10 11:00", "fulfilled")


def test_the_next_response_counts_from_the_first_message_without_an_answer() -> None:
    book = book_with(policy(next_response={}))
    story = Story()
    story.received()
    story.wrote("10:30")
    story.wrote("10:50")
    story.wrote("11:10", inbound=False)
    story.wrote("11:40")
    story.told("13:00")
    story.wrote("13:30")
    assert of(story, Metric.NEXT_RESPONSE, book) == [
        ("05-10 10:30", "05-10 11:30", "05-10 11:10", "fulfilled"),
        ("05-10 11:40", "05-10 12:40", "05-10 13:00", "fulfilled"),
        ("05-10 13:30", "05-10 14:30", None, "running"),
    ]


def test_an_acknowledgement_by_machine_answers_no_message() -> None:
    book = book_with(policy(next_response={}))
    story = Story()
    story.received()
    story.wrote("10:30")
    story.delivered("10:31", Purpose.ACKNOWLEDGEMENT)
    assert of(story, Metric.NEXT_RESPONSE, book)[0][2:] == (None, "running")


def test_thanks_after_the_resolution_await_nothing_unless_the_case_is_opened_again() -> None:
    book = book_with(policy(next_response={}))
    story = Story()
    story.received()
    story.resolved("11:00")
    story.wrote("11:10")
    assert of(story, Metric.NEXT_RESPONSE, book) == []
    story.moved("12:00", CaseState.REOPENED, revision=5, cycle=2)
    assert of(story, Metric.NEXT_RESPONSE, book) == [("05-10 12:00", "05-10 13:00", None, "running")]
    story.moved("12:30", CaseState.WITHDRAWN, revision=6, cycle=2)
    assert of(story, Metric.NEXT_RESPONSE, book)[0][2:] == ("05-10 12:30", "cancelled")
    story.moved("14:00", CaseState.REOPENED, revision=7, cycle=3)
    story.wrote("14:10")
    assert of(story, Metric.NEXT_RESPONSE, book)[1] == ("05-10 14:10", "05-10 15:10", None, "running")


def test_a_pausable_update_stands_still_while_the_customer_has_the_next_step() -> None:
    book = book_with(policy(pausable_update={}))
    story = Story()
    story.received()
    story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=1)
    story.wrote("11:40")
    story.told("12:10")
    assert of(story, Metric.PAUSABLE_UPDATE, book) == [
        ("05-10 10:20", "05-10 12:20", "05-10 12:10", "fulfilled"),
        ("05-10 12:10", "05-10 13:10", None, "running"),
    ]


def test_work_time_runs_from_the_assignment_and_only_with_the_team() -> None:
    """Assigned 10:30; with a department 10:45 to 11:45; with the customer 11:30 to 12:30. 15 minutes by 12:30, so an
    hour is used up at 13:15."""
    book = book_with(policy(agent_work_time={}))
    story = Story()
    story.received()
    story.assigned("10:30")
    story.transfer("10:45")
    story.moved("11:30", CaseState.WAITING_CUSTOMER, revision=1)
    story.transfer_answered("11:45")
    story.wrote("12:30")
    assert of(story, Metric.AGENT_WORK_TIME, book) == [("05-10 10:30", "05-10 13:15", None, "running")]
    state = only(story, Metric.AGENT_WORK_TIME, book)
    cut = ledger(state, micros(at("12:40")))
    assert [(shown(one.begin), one.kind.value, one.reason) for one in cut] == [
        ("05-10 10:30", "ran", "started"),
        ("05-10 10:45", "paused", "waiting_third_party"),
        ("05-10 11:45", "paused", "waiting_customer"),
        ("05-10 12:30", "ran", "resumed"),
    ]
    assert sum(one.counted for one in cut) == 25 * 60_000_000
    assert sentence(cut[1]).en == "Paused: waiting for the department or partner that was asked"
    facts = [one for one in map(fact_of, story.events) if one is not None]
    held = {one.holder.kind: one.wall // 60_000_000 for one in holders(state, facts, micros(at("12:40")))}
    assert held == {HolderKind.AGENT: 25, HolderKind.ASKED: 60, HolderKind.CUSTOMER: 45}


def test_work_time_stands_still_while_the_case_waits_for_a_third_party_and_until_it_is_assigned() -> None:
    book = book_with(policy(agent_work_time={}))
    story = Story()
    story.received()
    assert of(story, Metric.AGENT_WORK_TIME, book) == []
    story.assigned("10:30")
    story.moved("10:40", CaseState.WAITING_THIRD_PARTY, revision=1)
    state = only(story, Metric.AGENT_WORK_TIME, book)
    assert state.status is ClockStatus.PAUSED
    story.moved("11:40", CaseState.IN_PROGRESS, revision=2, leaving=CaseState.WAITING_THIRD_PARTY)
    story.resolved("12:00")
    assert of(story, Metric.AGENT_WORK_TIME, book) == [("05-10 10:30", "05-10 12:30", "05-10 12:00", "fulfilled")]


def test_a_partner_is_measured_by_its_contract_and_a_department_by_the_agreement() -> None:
    book = book_with(policy(third_party_response={}))
    story = Story(urgency=Urgency.MEDIUM)
    story.received()
    story.transfer("10:30", task="rnd")
    story.transfer("10:40", task="courier", external=True)
    assert of(story, Metric.TRANSFER_RESPONSE, book) == [("05-10 10:30", "05-10 14:30", None, "running")]
    assert of(story, Metric.THIRD_PARTY_RESPONSE, book) == [("05-10 10:40", "05-10 11:40", None, "running")]
    story.transfer_answered("11:00", task="courier")
    assert of(story, Metric.THIRD_PARTY_RESPONSE, book)[0][2:] == ("05-10 11:00", "fulfilled")


def test_without_a_rule_for_contracts_a_partner_is_measured_like_a_department() -> None:
    story = Story()
    story.received()
    story.transfer("10:40", task="courier", external=True)
    assert of(story, Metric.TRANSFER_RESPONSE, BOOK) == [("05-10 10:40", "05-10 14:40", None, "running")]


REGULATOR = policy("cn-12315", regulator_accept={}, regulator_decide={}, regulator_inform={})


def test_a_stage_runs_the_clocks_of_its_authority_alone() -> None:
    other = policy("us-cfpb", regulator_accept={}, regulator_final={})
    book = book_with(REGULATOR, other)
    story = Story()
    story.received()
    story.stage("10:00", Stage.RECEIVED)
    state = only(story, Metric.REGULATOR_ACCEPT, book)
    assert (state.priced.policy.spec.track, shown(state.run.start), shown(state.due)) == (
        "cn-12315",
        "05-10 10:00",
        "05-10 11:00",
    )
    assert not [one for one in folded(story, book=book).clocks if one.run.metric is Metric.REGULATOR_FINAL]
    assert view_at(state, 1, 0).title.en == "More: Acceptance or refusal by the authority"


@pytest.mark.parametrize("turned", [False, True])
def test_a_stage_that_was_taken_back_counts_for_nothing_in_whatever_order_it_is_heard(turned: bool) -> None:
    story = Story()
    story.received()
    told = [
        story.stage("10:00", Stage.RECEIVED),
        story.stage("10:30", Stage.RECEIVED),
        story.stage("10:40", Stage.ACCEPTED),
        story.stage_taken_back("12:00", "10:00", Stage.RECEIVED),
        story.stage_taken_back("12:05", "10:40", Stage.ACCEPTED),
    ]
    if turned:
        story.events[-len(told) :] = reversed(told)
    (state,) = [one for one in folded(story, book=book_with(REGULATOR)).clocks if one.run.authority]
    assert state.run.metric is Metric.REGULATOR_ACCEPT
    assert (shown(state.run.start), shown(state.due), state.run.end) == ("05-10 10:30", "05-10 11:30", None)


@pytest.mark.parametrize("turned", [False, True])
def test_a_proceeding_goes_from_receipt_to_notice_in_whatever_order_it_is_heard(turned: bool) -> None:
    book = book_with(REGULATOR)
    story = Story()
    story.received()
    story.moved("10:30", CaseState.CLOSED, revision=9)
    story.stage("11:00", Stage.RECEIVED)
    story.stage("11:30", Stage.ACCEPTED)
    story.stage("13:00", Stage.DECIDED)
    story.stage("13:20", Stage.DECIDED)
    story.stage("13:30", Stage.INFORMED)
    if turned:
        story.events.reverse()
    assert of(story, Metric.REGULATOR_ACCEPT, book) == [("05-10 11:00", "05-10 12:00", "05-10 11:30", "fulfilled")]
    assert of(story, Metric.REGULATOR_DECIDE, book) == [("05-10 11:30", "05-10 12:30", "05-10 13:00", "fulfilled")]
    assert of(story, Metric.REGULATOR_INFORM, book) == [("05-10 13:00", "05-10 14:00", "05-10 13:30", "fulfilled")]
    assert only(story, Metric.REGULATOR_DECIDE, book).late


def test_what_the_authority_lets_go_ends_its_clocks() -> None:
    book = book_with(REGULATOR)
    story = Story()
    story.received()
    story.stage("11:00", Stage.RECEIVED)
    story.stage("11:10", Stage.ACCEPTED)
    story.stage("11:20", Stage.WITHDRAWN)
    assert of(story, Metric.REGULATOR_DECIDE, book)[0][2:] == ("05-10 11:20", "cancelled")


def test_a_stage_of_an_authority_without_policies_is_kept_and_makes_no_clock() -> None:
    story = Story()
    story.received()
    event = story.stage("11:00", Stage.RECEIVED, authority="de-bafin")
    fact = fact_of(event)
    assert fact is not None
    assert (fact.kind, fact.team_id) == (FactKind.REGULATOR_RECEIVED, "de-bafin")
    assert folded(story, book=book_with(REGULATOR)).unpriced == ()
