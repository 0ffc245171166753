"""Rules of the feedback stage."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_service import domain
from shared.contracts.vocabulary import CaseState, Channel, VisitOutcome
from tests.support.builders import AGENT, SYSTEM, at, facts, resolved

PERIODS = domain.Periods(timedelta(days=14), timedelta(days=1), timedelta(days=3))
SECRET = "a secret of the tests"


@given(st.uuids())
def test_a_token_leads_back_to_its_survey_and_only_with_its_secret(survey_id):
    token = domain.token_of(survey_id, SECRET)
    assert domain.survey_of_token(token, SECRET) == survey_id
    with pytest.raises(domain.SurveyNotFound):
        domain.survey_of_token(token, "another secret")


@given(st.text(max_size=80))
def test_whatever_stands_in_a_link_is_refused_and_never_crashes(text):
    with pytest.raises(domain.SurveyNotFound):
        domain.survey_of_token(text, SECRET)


def test_a_survey_is_open_two_weeks_and_the_visit_one_to_three_days_from_the_resolution():
    event = resolved(facts())
    offered = domain.survey_offered(event, url="u", periods=PERIODS, actor=SYSTEM, recorded_at=at(2.1))
    planned = domain.follow_up_planned(event, periods=PERIODS, actor=SYSTEM, recorded_at=at(2.1))
    assert offered.expires_at == at(2 + 14 * 24)
    assert (planned.earliest_at, planned.due_at) == (at(2 + 24), at(2 + 72))
    assert planned.means == "phone"


@pytest.mark.parametrize(
    ("channel", "means"),
    [(Channel.HOTLINE, "phone"), (Channel.EMAIL, "email"), (Channel.SMS, "sms"), (Channel.WECOM, "wecom")],
)
def test_the_visit_is_made_by_the_means_that_the_customer_prefers(channel, means):
    assert domain.means_of_visit(channel) == means


def test_an_answer_needs_its_first_question():
    with pytest.raises(domain.AnswerIncomplete) as refused:
        domain.read_answer({"speed": "4"}, [], "")
    assert refused.value.errors[0].pointer == "/answers/satisfaction"


@pytest.mark.parametrize("level", ["0", "6", "x", "4.5", "-1", 7, "五五"])
def test_a_level_lies_between_one_and_five(level):
    with pytest.raises(domain.AnswerIncomplete):
        domain.read_answer({"satisfaction": level}, [], "")


def test_an_unknown_reason_is_refused_and_control_characters_of_a_comment_are_dropped():
    with pytest.raises(domain.AnswerIncomplete):
        domain.read_answer({"satisfaction": 1}, ["weather"], "")
    read = domain.read_answer({"satisfaction": "1"}, ["too_slow", "too_slow"], " 太慢\x00了 ")
    assert (read.satisfaction, read.reasons, read.comment) == (1, ("too_slow",), "太慢了")


@pytest.mark.parametrize(("level", "satisfied"), [(5, True), (4, True), (3, True), (2, False), (1, False)])
def test_two_and_less_is_not_satisfied(level, satisfied):
    answer = domain.Answer({"satisfaction": level}, (), "")
    event = domain.survey_answered(
        facts(), 1, answer, satisfied_from=3, actor=AGENT, occurred_at=at(3), recorded_at=at(3)
    )
    assert event.satisfied is satisfied


def test_survey_and_visit_of_one_cycle_make_one_dissatisfaction():
    known = facts()
    answered = domain.survey_answered(
        known,
        1,
        domain.Answer({"satisfaction": 2}, ("too_slow",), ""),
        satisfied_from=3,
        actor=AGENT,
        occurred_at=at(3),
        recorded_at=at(3),
    )
    done = domain.follow_up_done(
        known,
        1,
        earliest_at=at(26),
        outcome=VisitOutcome.DISSATISFIED,
        note="still broken",
        actor=AGENT,
        occurred_at=at(30),
        recorded_at=at(30),
    )
    assert domain.dissatisfied_by_survey(answered).event_id == domain.dissatisfied_by_visit(done).event_id
    assert domain.dissatisfied_by_survey(answered).reason == "too_slow"


@pytest.mark.parametrize(("occurred", "recorded"), [(10, 30), (31, 30)])
def test_a_visit_is_done_inside_its_window_and_not_in_the_future(occurred, recorded):
    with pytest.raises(domain.FollowUpTooEarly):
        domain.follow_up_done(
            facts(),
            1,
            earliest_at=at(26),
            outcome=VisitOutcome.SATISFIED,
            note="",
            actor=AGENT,
            occurred_at=at(occurred),
            recorded_at=at(recorded),
        )


def _close(*, reason=None, **standing):
    given: dict[str, Any] = {
        "facts": facts(),
        "cycle": 1,
        "state": CaseState.CONFIRMED,
        "satisfied": True,
        "visit_open": False,
        "closed": False,
    }
    return domain.close(
        domain.Standing(**(given | standing)),
        summary="done",
        other_wishes="",
        closed_with_reason=reason,
        actor=AGENT,
        at=at(50),
    )


def test_a_satisfied_and_visited_complainant_lets_the_case_close():
    assert _close().satisfied is True


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        ({"closed": True}, domain.CaseAlreadyClosed),
        ({"state": CaseState.IN_PROGRESS}, domain.CaseNotResolved),
        ({"state": CaseState.REOPENED}, domain.CaseNotResolved),
        ({"satisfied": None}, domain.ClosingNeedsReason),
        ({"satisfied": False}, domain.ClosingNeedsReason),
        ({"visit_open": True}, domain.ClosingNeedsReason),
    ],
)
def test_a_case_does_not_close_before_its_loop_is_closed(standing, refusal):
    with pytest.raises(refusal):
        _close(**standing)


@pytest.mark.parametrize("standing", [{"satisfied": None}, {"satisfied": False}, {"visit_open": True}])
def test_a_reason_closes_a_case_that_nobody_is_satisfied_with(standing):
    event = _close(reason="客户三次未接电话", **standing)
    assert event.closed_with_reason == "客户三次未接电话"
