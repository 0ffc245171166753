"""The state machine of a case (C7): every move, every refusal, and no dependence on the order of arrival."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution_service.domain.states import ENDED, MOVES, Cause, Fact, FactKind, legal, replay
from shared.contracts.vocabulary import CaseState
from shared.ids import derived_id

S = CaseState
T0 = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)

#: Row: from; columns: where to and by what. Written out by hand from C7.
TABLE = {
    "received": {
        "acknowledged": "milestone",
        "assessed": "milestone",
        "in_progress": "by_hand",
        "withdrawn": "by_hand",
        "rejected": "by_hand",
        "merged": "link",
    },
    "acknowledged": {
        "assessed": "milestone",
        "in_progress": "by_hand",
        "withdrawn": "by_hand",
        "rejected": "by_hand",
        "merged": "link",
    },
    "assessed": {"in_progress": "by_hand", "withdrawn": "by_hand", "rejected": "by_hand", "merged": "link"},
    "in_progress": {
        "waiting_customer": "by_hand",
        "waiting_third_party": "by_hand",
        "resolved": "result",
        "withdrawn": "by_hand",
        "rejected": "by_hand",
        "merged": "link",
    },
    "waiting_customer": {"in_progress": "by_hand", "withdrawn": "by_hand", "merged": "link"},
    "waiting_third_party": {"in_progress": "by_hand", "withdrawn": "by_hand", "merged": "link"},
    "resolved": {"confirmed": "feedback", "closed": "feedback", "reopened": "feedback", "merged": "link"},
    "confirmed": {"closed": "feedback", "reopened": "feedback", "merged": "link"},
    "closed": {"reopened": "feedback"},
    "reopened": {"in_progress": "by_hand", "withdrawn": "by_hand", "merged": "link"},
    "merged": {},
    "withdrawn": {},
    "rejected": {},
}


def fact(kind: FactKind, minutes: float, *, cycle: int = 0, to: CaseState | None = None, serial: int = 0) -> Fact:
    identity = derived_id(kind, minutes, cycle, to, serial)
    return Fact(kind, T0 + timedelta(minutes=minutes), identity, cycle=cycle, to=to, serial=serial)


def acknowledged(minutes: float) -> Fact:
    return fact(FactKind.ACKNOWLEDGED, minutes)


def assessed(minutes: float) -> Fact:
    return fact(FactKind.ASSESSED, minutes)


def ordered(minutes: float, to: CaseState, serial: int, cycle: int = 1) -> Fact:
    return fact(FactKind.ORDERED, minutes, cycle=cycle, to=to, serial=serial)


def wrote(minutes: float) -> Fact:
    return fact(FactKind.CUSTOMER_WROTE, minutes)


def satisfied(minutes: float, cycle: int = 1) -> Fact:
    return fact(FactKind.SATISFIED, minutes, cycle=cycle)


def closing(minutes: float, cycle: int = 1) -> Fact:
    return fact(FactKind.CLOSING, minutes, cycle=cycle)


def dissatisfied(minutes: float, cycle: int = 1) -> Fact:
    return fact(FactKind.DISSATISFIED, minutes, cycle=cycle)


def merged(minutes: float) -> Fact:
    return fact(FactKind.MERGED, minutes)


WORKED = [acknowledged(2), assessed(3), ordered(10, S.IN_PROGRESS, 3)]
SOLVED = [*WORKED, ordered(100, S.RESOLVED, 4)]


@pytest.mark.parametrize("state", list(CaseState))
def test_the_legal_moves_of_every_state_are_those_of_the_table(state: CaseState) -> None:
    assert {to.value: cause.value for to, cause in MOVES[state].items()} == TABLE[state.value]


def test_every_state_can_be_reached_from_received() -> None:
    reached, open_ends = {S.RECEIVED}, [S.RECEIVED]
    while open_ends:
        for to in legal(open_ends.pop()):
            if to not in reached:
                reached.add(to)
                open_ends.append(to)
    assert reached == set(CaseState)


def test_a_person_may_not_confirm_close_reopen_resolve_or_merge_by_hand() -> None:
    by_hand = {to for state in CaseState for to in legal(state, Cause.BY_HAND)}
    assert by_hand == {S.IN_PROGRESS, S.WAITING_CUSTOMER, S.WAITING_THIRD_PARTY, S.WITHDRAWN, S.REJECTED}


@pytest.mark.parametrize(
    ("facts", "state", "cycle"),
    [
        ([], S.RECEIVED, 1),
        ([acknowledged(2)], S.ACKNOWLEDGED, 1),
        ([assessed(3)], S.ASSESSED, 1),
        ([assessed(2), acknowledged(3)], S.ASSESSED, 1),
        (WORKED, S.IN_PROGRESS, 1),
        ([ordered(10, S.IN_PROGRESS, 1), assessed(12)], S.IN_PROGRESS, 1),
        ([*WORKED, ordered(20, S.WAITING_CUSTOMER, 4)], S.WAITING_CUSTOMER, 1),
        ([*WORKED, ordered(20, S.WAITING_CUSTOMER, 4), wrote(15)], S.WAITING_CUSTOMER, 1),
        ([*WORKED, ordered(20, S.WAITING_CUSTOMER, 4), wrote(25)], S.IN_PROGRESS, 1),
        ([*WORKED, ordered(20, S.WAITING_THIRD_PARTY, 4), wrote(25)], S.WAITING_THIRD_PARTY, 1),
        (SOLVED, S.RESOLVED, 1),
        ([*SOLVED, satisfied(200)], S.CONFIRMED, 1),
        ([*SOLVED, closing(300)], S.CLOSED, 1),
        ([*SOLVED, satisfied(200), closing(300)], S.CLOSED, 1),
        ([*SOLVED, closing(200), satisfied(300)], S.CLOSED, 1),
        ([*SOLVED, dissatisfied(200)], S.REOPENED, 2),
        ([*SOLVED, satisfied(200), dissatisfied(250)], S.REOPENED, 2),
        ([*SOLVED, satisfied(200), closing(220), dissatisfied(250)], S.REOPENED, 2),
        ([*SOLVED, dissatisfied(200), dissatisfied(210)], S.REOPENED, 2),
        ([*SOLVED, dissatisfied(200), closing(220)], S.REOPENED, 2),
        ([*SOLVED, satisfied(200, cycle=2)], S.RESOLVED, 1),
        ([*WORKED, satisfied(20), closing(30), dissatisfied(40)], S.IN_PROGRESS, 1),
        ([*SOLVED, satisfied(99)], S.CONFIRMED, 1),  # the other machine's clock is a minute slow
        ([*SOLVED, merged(200)], S.MERGED, 1),
        ([*SOLVED, closing(150), merged(200)], S.CLOSED, 1),
        ([merged(1), *WORKED], S.MERGED, 1),
        ([*WORKED, ordered(20, S.WITHDRAWN, 4), merged(30), wrote(40)], S.WITHDRAWN, 1),
    ],
)
def test_the_state_follows_from_the_facts(facts: list[Fact], state: CaseState, cycle: int) -> None:
    standing = replay(T0, facts)
    assert (standing.state, standing.cycle) == (state, cycle)


def test_the_second_time_round_the_loop_is_counted_and_dated() -> None:
    standing = replay(
        T0,
        [
            *SOLVED,
            dissatisfied(200),
            ordered(210, S.IN_PROGRESS, 6, cycle=2),
            ordered(300, S.RESOLVED, 7, cycle=2),
            satisfied(400, cycle=2),
            closing(500, cycle=2),
        ],
    )
    assert [(move.to_state.value, move.cycle, (move.at - T0).total_seconds() / 60) for move in standing.moves] == [
        ("received", 1, 0),
        ("acknowledged", 1, 2),
        ("assessed", 1, 3),
        ("in_progress", 1, 10),
        ("resolved", 1, 100),
        ("reopened", 2, 200),
        ("in_progress", 2, 210),
        ("resolved", 2, 300),
        ("confirmed", 2, 400),
        ("closed", 2, 500),
    ]
    assert standing.reopened == 1


def test_everything_at_one_instant_still_has_its_order() -> None:
    at_once = [
        acknowledged(0),
        assessed(0),
        ordered(0, S.IN_PROGRESS, 3),
        ordered(0, S.RESOLVED, 4),
        dissatisfied(0),
        ordered(0, S.IN_PROGRESS, 6, cycle=2),
        ordered(0, S.RESOLVED, 7, cycle=2),
        satisfied(0, cycle=2),
        closing(0, cycle=2),
    ]
    random.Random(7).shuffle(at_once)
    assert [move.to_state for move in replay(T0, at_once).moves][2:] == [
        S.ASSESSED,
        S.IN_PROGRESS,
        S.RESOLVED,
        S.REOPENED,
        S.IN_PROGRESS,
        S.RESOLVED,
        S.CONFIRMED,
        S.CLOSED,
    ]


def test_an_order_may_not_be_dated_before_what_it_follows_but_milestones_do_not_count() -> None:
    assert replay(T0, [acknowledged(5), assessed(6)]).not_before == T0
    assert replay(T0, WORKED).not_before == T0 + timedelta(minutes=10)


def minutes() -> st.SearchStrategy[float]:
    return st.integers(0, 12).map(float)


@st.composite
def facts_of_a_life(draw: st.DrawFn) -> list[Fact]:
    """Orders as a person could have given them one after the other, and anything at all from the other services."""
    facts: list[Fact] = []
    at = 0.0
    for serial in range(1, draw(st.integers(0, 6)) + 1):
        standing = replay(T0, facts)
        choices = [*legal(standing.state, Cause.BY_HAND), *legal(standing.state, Cause.RESULT)]
        if choices:
            at += draw(minutes())
            facts.append(ordered(at, draw(st.sampled_from(choices)), serial, standing.cycle))
        if draw(st.booleans()):
            at += draw(minutes())
            facts.append(dissatisfied(at, standing.cycle))
    makers = st.sampled_from([acknowledged, assessed, wrote, satisfied, closing, merged])
    others = draw(st.lists(st.tuples(makers, minutes()), max_size=6))
    return [*facts, *(maker(after * 5) for maker, after in others)]


@given(facts_of_a_life(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_with_doubles_gives_the_same_standing(facts: list[Fact], chance: random.Random) -> None:
    shuffled = [*facts, *(chance.sample(facts, len(facts) // 2) if facts else [])]
    chance.shuffle(shuffled)
    assert replay(T0, shuffled) == replay(T0, facts)


@given(facts_of_a_life())
def test_no_replay_makes_a_move_that_the_table_does_not_have_except_by_an_order_that_stands(facts: list[Fact]) -> None:
    moves = replay(T0, facts).moves
    for move in moves[1:]:
        assert move.from_state is not None
        assert move.fact is not None
        by_customer = move.fact.kind is FactKind.CUSTOMER_WROTE and move.from_state is S.WAITING_CUSTOMER
        assert move.to_state in MOVES[move.from_state] or by_customer or move.fact.kind is FactKind.ORDERED
    assert not any(move.from_state in ENDED for move in moves)


@given(facts_of_a_life())
def test_the_cycle_is_one_and_grows_by_every_reopening(facts: list[Fact]) -> None:
    standing = replay(T0, facts)
    assert standing.cycle == 1 + sum(move.to_state is S.REOPENED for move in standing.moves)
    assert standing.reopened == standing.cycle - 1
