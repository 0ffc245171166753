"""The clocks of a complaint, F1 to F8, with the default policies. Expectations are worked out by hand."""

from uuid import UUID

import pytest

from shared.contracts.envelope import Actor, ActorKind
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.vocabulary import CaseState, Channel, ClockStatus, Metric, Purpose, Urgency
from shared.ids import new_id
from sla_service.clocks.fold import fold
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.domain.facts_of import fact_of
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story, at, clock, folded, person, shown
from tests.unit.sla.own_case import own_case

RUNNING, FULFILLED, CANCELLED, PAUSED = (
    ClockStatus.RUNNING,
    ClockStatus.FULFILLED,
    ClockStatus.CANCELLED,
    ClockStatus.PAUSED,
)


@pytest.mark.parametrize(
    ("metric", "urgency", "due", "warn"),
    [
        (Metric.FIRST_RESPONSE, Urgency.HIGH, "05-10 10:35", "05-10 10:32"),
        (Metric.FIRST_RESPONSE, Urgency.MEDIUM, "05-10 10:50", "05-10 10:44"),
        (Metric.FIRST_RESPONSE, Urgency.LOW, "05-10 11:20", "05-10 11:08"),
        (Metric.RESOLUTION, Urgency.HIGH, "05-10 12:20", "05-10 11:56"),
        # 1 h 40 before noon, 5 h after it, 1 h 20 on the make-up Saturday; 80 % are 6 h 24
        (Metric.RESOLUTION, Urgency.MEDIUM, "05-11 10:20", "05-10 17:44"),
        # working days 1, 2, 3 after the Friday: Saturday (make-up), Monday, Tuesday; 80 % of 30 h 40 are 24 h 32
        (Metric.RESOLUTION, Urgency.LOW, "05-14 18:00", "05-14 10:52"),
        (Metric.PERIODIC_UPDATE, Urgency.HIGH, "05-10 12:20", "05-10 11:56"),
        (Metric.PERIODIC_UPDATE, Urgency.MEDIUM, "05-10 17:00", "05-10 15:40"),
        (Metric.PERIODIC_UPDATE, Urgency.LOW, "05-14 18:00", "05-13 21:16"),
    ],
)
def test_the_clocks_of_a_receipt_are_due_by_urgency(metric: Metric, urgency: Urgency, due: str, warn: str) -> None:
    story = Story(urgency=urgency)
    story.received()
    state = clock(story, metric)
    assert (shown(state.due), shown(state.warn), state.status) == (due, warn, RUNNING)


@pytest.mark.parametrize(
    ("urgency", "due"),
    [(Urgency.HIGH, "05-10 12:20"), (Urgency.MEDIUM, "05-10 14:20"), (Urgency.LOW, "05-11 17:00")],
)
def test_a_transfer_must_be_answered_by_urgency(urgency: Urgency, due: str) -> None:
    story = Story(urgency=urgency)
    story.received()
    story.transfer("10:20")
    state = clock(story, Metric.TRANSFER_RESPONSE)
    assert shown(state.due) == due
    assert (state.run.team_id, state.run.holder) == ("rnd", person("wang"))


def test_the_case_of_the_tenth_of_may_keeps_every_clock() -> None:
    story = own_case(acknowledged="10:25")
    found = {(one.run.metric, one.run.cycle): one for one in folded(story).clocks}
    assert not any(one.late for one in found.values())
    told = {key: (shown(one.run.end.at) if one.run.end else None, one.status) for key, one in found.items()}
    assert told == {
        (Metric.FIRST_RESPONSE, 1): ("05-10 10:25", FULFILLED),
        (Metric.RESOLUTION, 1): ("05-10 12:30", FULFILLED),
        (Metric.PERIODIC_UPDATE, 1): ("05-10 11:00", FULFILLED),
        (Metric.PERIODIC_UPDATE, 2): ("05-10 12:30", CANCELLED),
        (Metric.TRANSFER_RESPONSE, 1): ("05-10 11:30", FULFILLED),
        (Metric.PROMISE, 1): ("05-10 12:00", FULFILLED),
        (Metric.SURVEY, 1): ("05-10 12:31", FULFILLED),
        (Metric.FOLLOW_UP, 1): ("05-12 12:00", FULFILLED),
    }
    assert shown(found[Metric.SURVEY, 1].due) == "05-11 12:30"
    assert shown(found[Metric.FOLLOW_UP, 1].due) == "05-13 12:30"
    assert shown(found[Metric.PERIODIC_UPDATE, 2].due) == "05-11 17:00"  # told today, so tomorrow: a make-up day


def test_whichever_answer_comes_first_is_the_first_response() -> None:
    story = Story()
    story.received()
    story.delivered("10:40", Purpose.ACKNOWLEDGEMENT)
    story.wrote("10:30", inbound=False)
    story.told("10:35")
    state = clock(story, Metric.FIRST_RESPONSE)
    assert state.run.end is not None
    assert shown(state.run.end.at) == "05-10 10:30"


def test_a_message_to_staff_or_from_the_customer_is_no_first_response() -> None:
    story = Story()
    story.received()
    story.delivered("10:30", Purpose.ACKNOWLEDGEMENT, audience="staff")
    story.delivered("10:31", Purpose.ASSIGNMENT, audience="staff")
    story.wrote("10:32", inbound=True)
    assert clock(story, Metric.FIRST_RESPONSE).status is RUNNING


def test_an_answer_at_the_very_due_instant_keeps_the_deadline_and_a_second_later_breaks_it() -> None:
    kept, broken = Story("kept"), Story("broken")
    for story, when in ((kept, "10:50:00"), (broken, "10:50:01")):
        story.received()
        story.wrote(when, inbound=False)
    assert not clock(kept, Metric.FIRST_RESPONSE).late
    assert clock(broken, Metric.FIRST_RESPONSE).late


def test_waiting_for_the_customer_stops_the_resolution_and_the_reply_ends_it_at_its_own_time() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.moved("10:50", CaseState.WAITING_CUSTOMER, revision=3)
    waiting = clock(story, Metric.RESOLUTION)
    assert (waiting.status, shown(waiting.due)) == (PAUSED, "05-10 12:20")
    story.wrote("11:30", recorded="11:45")
    resumed = clock(story, Metric.RESOLUTION)
    assert (resumed.status, shown(resumed.due)) == (RUNNING, "05-10 13:00")
    assert shown(resumed.warn) == "05-10 12:36"
    story.moved("11:50", CaseState.IN_PROGRESS, revision=4, leaving=CaseState.WAITING_CUSTOMER)
    assert shown(clock(story, Metric.RESOLUTION).due) == "05-10 13:00"
    assert clock(story, Metric.FIRST_RESPONSE).status is RUNNING


def test_waiting_over_night_costs_a_working_time_clock_no_more_than_the_open_hours() -> None:
    story = Story()
    story.received()
    story.moved("17:00", CaseState.WAITING_CUSTOMER, revision=3)
    story.moved("05-11 10:00", CaseState.IN_PROGRESS, revision=4, leaving=CaseState.WAITING_CUSTOMER)
    # 8 h: 1 h 40 and 4 h before the pause leave 2 h 20 from Saturday 10:00, two of them before noon
    assert shown(clock(story, Metric.RESOLUTION).due) == "05-11 13:20"


def test_a_case_resolved_while_it_waits_is_not_late() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.moved("10:30", CaseState.WAITING_CUSTOMER, revision=3)
    story.resolved("15:00")
    state = clock(story, Metric.RESOLUTION)
    assert (state.status, state.late) == (FULFILLED, False)


def test_a_higher_urgency_prices_anew_from_the_start_but_never_before_the_change() -> None:
    story = Story()
    story.received()
    story.classified("10:30", Urgency.HIGH)
    assert shown(clock(story, Metric.FIRST_RESPONSE).due) == "05-10 10:35"
    assert shown(clock(story, Metric.RESOLUTION).due) == "05-10 12:20"
    late = Story("late")
    late.received()
    late.transfer("10:20")
    late.classified("13:20", Urgency.HIGH)
    assert shown(clock(late, Metric.TRANSFER_RESPONSE).due) == "05-10 13:20"


def test_a_lower_urgency_after_the_breach_does_not_undo_it() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.classified("12:30", Urgency.LOW)
    state = clock(story, Metric.RESOLUTION)
    assert (state.late, shown(state.due)) == (True, "05-10 12:20")


def test_the_classification_itself_dates_the_change_whoever_told_of_it_first() -> None:
    story = Story()
    received = story.received()
    classified = story.classified("10:30", Urgency.HIGH, recorded="10:30")
    told = story.told("10:34")
    early = folded(story, [received, told])
    assert early.clocks[1].run.changes[0].at == micros(at("10:34"))
    for order in ([received, told, classified], [classified, told, received]):
        assert folded(story, order).clocks[1].run.changes[0].at == micros(at("10:30"))


@pytest.mark.parametrize("state", [CaseState.MERGED, CaseState.WITHDRAWN, CaseState.REJECTED, CaseState.CLOSED])
def test_a_final_state_cancels_what_runs_and_keeps_what_was_late(state: CaseState) -> None:
    story = Story()
    story.received()
    story.transfer("10:20")
    story.promised("10:30", due="16:00")
    story.moved("11:00", state, revision=4)
    found = folded(story).clocks
    assert {one.status for one in found} == {CANCELLED}
    assert {one.run.metric for one in found if one.late} == {Metric.FIRST_RESPONSE}
    assert {one.run.end.reason for one in found if one.run.end} == {state.value}


def test_a_case_given_to_another_team_keeps_its_clocks_and_their_owner_changes() -> None:
    story = Story()
    story.received()
    story.assigned("10:21")
    before = clock(story, Metric.RESOLUTION)
    story.assigned("11:00", team="rnd", agent="wang", revision=2)
    after = clock(story, Metric.RESOLUTION)
    assert (after.clock_id, after.due, after.run.start) == (before.clock_id, before.due, before.run.start)
    assert (before.run.team_id, after.run.team_id) == ("support", "rnd")


def test_reopening_starts_a_second_resolution_and_goes_on_with_the_cadence() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.resolved("11:00")
    story.moved("11:00", CaseState.RESOLVED, revision=4)
    story.moved("15:00", CaseState.REOPENED, revision=5, cycle=2)
    again, cadence = clock(story, Metric.RESOLUTION, 2), clock(story, Metric.PERIODIC_UPDATE, 2)
    assert (shown(again.run.start), shown(again.due), again.status) == ("05-10 15:00", "05-10 17:00", RUNNING)
    assert (shown(cadence.due), cadence.status) == ("05-10 17:00", RUNNING)
    assert clock(story, Metric.SURVEY, 1).status is CANCELLED
    story.resolved("16:00", cycle=2)
    story.moved("05-11 16:00", CaseState.CLOSED, revision=8, cycle=2)
    assert clock(story, Metric.RESOLUTION, 1).status is FULFILLED
    assert clock(story, Metric.RESOLUTION, 2).status is FULFILLED
    assert clock(story, Metric.SURVEY, 2).status is CANCELLED


def test_the_two_hourly_cadence_counts_from_the_last_word_and_the_resolution_ends_it() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.told("11:00")
    story.told("13:30")  # half an hour late
    story.resolved("14:00")
    periods = [clock(story, Metric.PERIODIC_UPDATE, number) for number in (1, 2, 3)]
    assert [shown(one.due) for one in periods] == ["05-10 12:20", "05-10 13:00", "05-10 15:30"]
    assert [one.late for one in periods] == [False, True, False]
    assert [one.status for one in periods] == [FULFILLED, FULFILLED, CANCELLED]


def test_low_urgency_is_told_once_before_the_end() -> None:
    story = Story(urgency=Urgency.LOW)
    story.received()
    story.told("16:00")
    first, second = clock(story, Metric.PERIODIC_UPDATE, 1), clock(story, Metric.PERIODIC_UPDATE, 2)
    assert (first.status, first.late) == (FULFILLED, False)
    assert (second.run.void, second.status) == (True, CANCELLED)
    story.classified("16:30", Urgency.HIGH)
    second = clock(story, Metric.PERIODIC_UPDATE, 2)
    assert (second.run.void, shown(second.run.start), shown(second.due)) == (False, "05-10 16:30", "05-10 18:30")


@pytest.mark.parametrize(("made", "late"), [("05-09 10:20", False), ("05-09 10:19", True)])
def test_an_outside_complaint_must_be_recorded_within_a_day_of_its_making(made: str, late: bool) -> None:
    story = Story(channel=Channel.SOCIAL)
    story.received(made=made)
    state = clock(story, Metric.RECORDING)
    assert (state.status, state.late) == (FULFILLED, late)


def test_an_improvement_action_runs_to_its_own_due_time_and_a_new_plan_moves_it_from_then_on() -> None:
    action_id, actor = new_id(), Actor(kind=ActorKind.SYSTEM, id="test")

    def plan(revision: int, when: str, due: str) -> ActionPlannedV1:
        return ActionPlannedV1(
            event_id=new_id(),
            occurred_at=at(when),
            recorded_at=at(when),
            actor=actor,
            action_id=action_id,
            revision=revision,
            review_id=None,
            title="…",
            kind="process",
            owner=person("wang"),
            aim="…",
            due_at=at(due),
        )

    done = ActionDoneV1(
        event_id=new_id(),
        occurred_at=at("06-05 09:00"),
        recorded_at=at("06-05 09:00"),
        actor=actor,
        action_id=action_id,
    )
    first, second = plan(1, "05-17 10:00", "05-31 18:00"), plan(2, "05-30 10:00", "06-07 18:00")

    def state(*events: ActionPlannedV1 | ActionDoneV1) -> tuple[str | None, ClockStatus, bool]:
        facts = [fact for fact in map(fact_of, events) if fact]
        (one,) = fold(action_id, None, facts, BOOK).clocks
        return shown(one.due), one.status, one.late

    assert state(first) == ("05-31 18:00", RUNNING, False)
    assert state(second, first) == ("06-07 18:00", RUNNING, False)
    assert state(done, first, second) == ("06-07 18:00", FULFILLED, False)
    assert state(done, first) == ("05-31 18:00", FULFILLED, True)
    assert fold(action_id, None, [], BOOK).clocks == ()


def test_the_first_policy_in_order_that_fits_prices_the_clock_and_lacks_are_filled_by_the_next() -> None:
    rule = {"every": {"due": {"kind": "elapsed", "time": "PT5M"}}}
    vip = {
        "policy_id": "vip",
        "title": {"zh": "贵宾", "en": "VIP"},
        "position": 10,
        "calendar": "cn-office",
        "when": {"levels": ["vip"]},
        "rules": {"first_response": rule},
    }
    book = Book(
        [
            *(PolicyVersion(spec=spec, version=1, valid_from=LONG_AGO) for spec in STANDARD),
            PolicyVersion.model_validate({"spec": vip, "version": 1, "valid_from": LONG_AGO}),
        ],
        BOOK.calendars,
    )
    story, other = Story(level="vip"), Story("other")
    story.received()
    other.received()
    assert shown(clock(story, Metric.FIRST_RESPONSE, book=book).due) == "05-10 10:25"
    assert clock(story, Metric.RESOLUTION, book=book).priced.policy.policy_id == "standard"
    assert shown(clock(other, Metric.FIRST_RESPONSE, book=book).due) == "05-10 10:50"


def test_a_new_version_holds_for_clocks_that_start_from_then_on() -> None:
    hour = {"every": {"due": {"kind": "elapsed", "time": "PT1H"}}}
    changed = STANDARD[0].model_dump(mode="json") | {}
    changed["rules"] = {**changed["rules"], "first_response": hour}
    book = Book(
        [
            PolicyVersion(spec=STANDARD[0], version=1, valid_from=LONG_AGO),
            PolicyVersion.model_validate({"spec": changed, "version": 2, "valid_from": at("12:00")}),
        ],
        BOOK.calendars,
    )
    before, after = Story("before", received="11:59"), Story("after", received="12:00")
    before.received()
    after.received()
    assert shown(clock(before, Metric.FIRST_RESPONSE, book=book).due) == "05-10 12:29"
    assert shown(clock(after, Metric.FIRST_RESPONSE, book=book).due) == "05-10 13:00"


def test_a_clock_beyond_the_calendars_years_is_named_and_the_others_run() -> None:
    story = Story(received="2098-05-10 10:20:00")
    story.received()
    found = folded(story)
    assert [one.run.metric for one in found.clocks] == [Metric.FIRST_RESPONSE]
    assert {one.metric for one in found.unpriced} == {Metric.RESOLUTION, Metric.PERIODIC_UPDATE}
    assert "2098" in found.unpriced[0].reason


def test_a_resolution_dated_before_the_receipt_counts_at_the_receipt() -> None:
    story = Story()
    story.received()
    story.resolved("09:00")
    state = clock(story, Metric.RESOLUTION)
    assert state.run.end is not None
    assert (shown(state.run.end.at), state.late) == ("05-10 10:20", False)


def test_a_case_closed_before_its_receipt_ends_its_clocks_at_the_receipt() -> None:
    story = Story()
    story.received()
    story.moved("10:19", CaseState.CLOSED, revision=2)
    assert {shown(one.run.end.at) for one in folded(story).clocks if one.run.end} == {"05-10 10:20"}
    assert {one.status for one in folded(story).clocks} == {CANCELLED}


def test_clock_ids_follow_from_subject_metric_and_cycle() -> None:
    story, same = Story(), Story()
    story.received()
    same.received()
    ids = [one.clock_id for one in folded(story).clocks]
    assert ids == [one.clock_id for one in folded(same).clocks]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(one, UUID) for one in ids)
