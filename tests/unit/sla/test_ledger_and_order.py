"""The ledger adds up, and the order in which facts arrive does not matter."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import CaseState, Metric, Purpose, RegulatorStage, Urgency
from sla_service.clocks import durations
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import SegmentKind, ledger, sentence
from sla_service.clocks.metrics import OBLIGATORY
from tests.unit.sla.history import Story, at, book_with, clock, folded, shown

MINUTE = 60_000_000


def rows(state: ClockState, now: str) -> list[tuple[str | None, str | None, str, str, bool]]:
    return [
        (shown(one.begin), shown(one.end), one.kind.value, one.reason, one.overdue)
        for one in ledger(state, micros(at(now)))
    ]


def test_the_ledger_tells_what_became_of_every_minute() -> None:
    story = Story()
    story.received()
    story.moved("11:00", CaseState.WAITING_CUSTOMER, revision=3)
    story.wrote("11:30")
    story.classified("14:00", Urgency.LOW)
    state = clock(story, Metric.RESOLUTION)
    assert rows(state, "05-11 10:00") == [
        ("05-10 10:20", "05-10 11:00", "ran", "started", False),
        ("05-10 11:00", "05-10 11:30", "paused", "waiting_customer", False),
        ("05-10 11:30", "05-10 12:00", "ran", "resumed", False),
        ("05-10 12:00", "05-10 13:00", "closed", "outside hours", False),
        ("05-10 13:00", "05-10 14:00", "ran", "resumed", False),
        ("05-10 14:00", "05-10 18:00", "ran", "urgency_low", False),
        ("05-10 18:00", "05-11 09:00", "closed", "outside hours", False),
        ("05-11 09:00", "05-11 10:00", "ran", "urgency_low", False),
    ]


def test_the_ledger_names_the_holiday_and_what_is_overdue() -> None:
    story = Story(received="04-30 16:00")
    story.received()
    state = clock(story, Metric.RESOLUTION)
    found = ledger(state, micros(at("05-06 17:00")))
    assert [(one.kind.value, one.reason, one.overdue) for one in found] == [
        ("ran", "started", False),
        ("closed", "outside hours", False),
        ("closed", "Labour Day", False),
        ("closed", "outside hours", False),
        ("ran", "started", False),
        ("closed", "outside hours", False),
        ("ran", "started", False),
        ("ran", "started", True),
    ]
    assert sentence(found[2]).zh == "休息：Labour Day"
    assert sentence(found[-1]).en == "The clock ran (overdue)"
    assert shown(found[-1].begin) == "05-06 16:00"


#: Every metric that there is, those beside the obligatory ones in working time and with a warning.
EVERYTHING = book_with(
    {
        "policy_id": "everything",
        "title": {"zh": "全部指标", "en": "Everything"},
        "track": "cn-12315",
        "calendar": "cn-office",
        "rules": {
            metric.value: {"every": {"due": {"kind": "business", "time": "PT4H"}}, "warn": {"share": 0.5}}
            for metric in Metric
            if metric not in OBLIGATORY
        },
    }
)
minutes = st.integers(-30, 3000)
FACTS = st.lists(
    st.tuples(
        st.sampled_from(["waiting", "working", "wrote", "answered", "told", "acknowledged", "resolved", "reopened",
                         "closed", "urgent", "calm", "transfer", "transfer_answered", "promised", "kept", "visit",
                         "visited", "survey", "assigned", "partner", "third", "stage", "stage"]),
        minutes,
    ),
    max_size=14,
)  # fmt: skip


def tell(facts: Sequence[tuple[str, int]]) -> Story:
    """A story of these facts, sensible or not; moves are numbered in the order of their instants."""
    story = Story()
    story.received()
    cycle, revision, state = 1, 0, CaseState.RECEIVED
    for number, (what, minute) in enumerate(sorted(facts, key=lambda one: one[1])):
        when = f"05-{10 + (620 + minute) // 1440:02} {(620 + minute) // 60 % 24:02}:{(620 + minute) % 60:02}"
        move = {
            "waiting": CaseState.WAITING_CUSTOMER,
            "third": CaseState.WAITING_THIRD_PARTY,
            "working": CaseState.IN_PROGRESS,
            "reopened": CaseState.REOPENED,
            "closed": CaseState.CLOSED,
        }.get(what)
        if move is not None:
            revision, cycle = revision + 1, cycle + (move is CaseState.REOPENED)
            story.moved(when, move, revision, cycle, leaving=state)
            state = move
        elif what in ("urgent", "calm"):
            story.classified(when, Urgency.HIGH if what == "urgent" else Urgency.LOW, story.facts.urgency_revision + 1)
        elif what in ("wrote", "answered"):
            story.wrote(when, inbound=what == "wrote")
        elif what == "acknowledged":
            story.delivered(when, Purpose.ACKNOWLEDGEMENT)
        elif what == "survey":
            story.delivered(when, Purpose.SURVEY, cycle=cycle)
        elif what == "transfer":
            story.transfer(when, task=f"task{number % 2}")
        elif what == "partner":
            story.transfer(when, task=f"task{number % 2}", external=True)
        elif what == "assigned":
            story.assigned(when, revision=number)
        elif what == "stage":
            story.stage(when, list(RegulatorStage)[(minute + number) % len(RegulatorStage)])
        elif what == "transfer_answered":
            story.transfer_answered(when, task=f"task{number % 2}")
        elif what == "promised":
            story.promised(when, due="18:00")
        elif what == "kept":
            story.promise_kept(when)
        elif what == "visit":
            story.visit(when, cycle)
        elif what == "visited":
            story.visited(when, cycle)
        elif what == "told":
            story.told(when)
        elif what == "resolved":
            story.resolved(when, cycle)
    return story


@settings(max_examples=100)
@given(FACTS, st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_clocks_in_whatever_order_and_however_often_they_come(facts, random) -> None:
    story = tell(facts)
    expected = {one.clock_id: one for one in folded(story, book=EVERYTHING).clocks}
    shuffled: list[Event] = story.events * 2
    random.shuffle(shuffled)
    assert {one.clock_id: one for one in folded(story, shuffled, EVERYTHING).clocks} == expected


def adds_up(state: ClockState, now: int) -> None:
    """The ledger has no gap from the start to the end, and its counted time is the whole without the pauses."""
    segments = ledger(state, now)
    begin = state.run.start
    for one in segments:
        assert one.begin == begin
        assert one.end > one.begin
        begin = one.end
    until = state.run.end.at if state.run.end else max(now, state.run.start)
    assert begin == until
    paused = sum(
        durations.between(state.basis, state.priced.calendar, one.begin, one.end)
        for one in segments
        if one.kind is SegmentKind.PAUSED
    )
    whole = durations.between(state.basis, state.priced.calendar, state.run.start, until)
    assert sum(one.counted for one in segments) == whole - paused


@settings(max_examples=100)
@given(FACTS, st.integers(0, 5000))
def test_every_ledger_has_no_gap_and_adds_up_exactly_to_the_counted_time(
    facts: list[tuple[str, int]], later: int
) -> None:
    now = micros(at("10:20")) + later * MINUTE
    for state in folded(tell(facts), book=EVERYTHING).clocks:
        adds_up(state, now)


@settings(max_examples=80)
@given(FACTS)
def test_a_warning_comes_after_the_start_and_before_the_due_instant(facts: list[tuple[str, int]]) -> None:
    for state in folded(tell(facts), book=EVERYTHING).clocks:
        assert state.due >= state.run.start
        assert state.warn is None or state.run.start <= state.warn < state.due
        assert list(state.steps) == sorted(state.steps)
        assert all(step >= state.due for step in state.steps)
