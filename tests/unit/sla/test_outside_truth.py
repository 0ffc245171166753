"""The engine against what others have kept: a city's verdicts, and the histories of a service desk.

The data is public and no part of the project (`tests/support/public_data`). A sample is taken unless all is asked for.
"""

import random
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.contracts.vocabulary import ClockStatus, Metric
from shared.ids import derived_id
from sla_service.clocks.durations import Business, Elapsed
from sla_service.clocks.facts import Fact, FactKind
from sla_service.clocks.fold import ClockState, fold
from sla_service.clocks.instants import DAY, length, micros
from sla_service.clocks.ledger import ledger
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.domain.facts_of import fact_of
from tests.support.public_data import rows_of, sample
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story
from tests.unit.sla.incidents import incidents, story_of
from tests.unit.sla.test_ledger_and_order import adds_up

BOSTON = ZoneInfo("America/New_York")
ANYBODY = Story("boston").facts
#: One policy, which takes the due instant from the promise itself.
OWN_TARGETS = Book(
    [
        PolicyVersion(
            spec=STANDARD[0].model_copy(update={"rules": {Metric.PROMISE: STANDARD[0].rules[Metric.PROMISE]}}),
            version=1,
            valid_from=LONG_AGO,
        )
    ],
    BOOK.calendars,
)


def boston(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=BOSTON))


def verdict(row: dict[str, str]) -> str:
    """A request as a promise with its own target: made when it was opened, kept when it was closed."""
    case = row["case_enquiry_id"]
    opened, target, closed = (boston(row[name]) for name in ("open_dt", "target_dt", "closed_dt"))
    promise = derived_id("promise", case)
    facts = [
        Fact(derived_id("made", case), FactKind.PROMISE_MADE, opened, opened, subject_id=promise, other_at=target),
        Fact(derived_id("kept", case), FactKind.PROMISE_KEPT, closed, closed, subject_id=promise),
    ]
    (state,) = fold(ANYBODY.complaint_id, ANYBODY, facts, OWN_TARGETS).clocks
    assert (state.run.start, state.due, state.status) == (opened, target, ClockStatus.FULFILLED)
    adds_up(state, closed)
    return "OVERDUE" if state.late else "ONTIME"


def test_a_citys_verdict_on_its_own_targets_is_found_again_in_all_but_one_row_in_a_thousand() -> None:
    rows = [row for row in rows_of("boston311_requests") if row["target_dt"]]
    verdicts = [(row["case_enquiry_id"], row["ontime_status"], verdict(row)) for row in rows]
    differing = [one for one in verdicts if one[1] != one[2]]
    print(f"\nboston311: {len(rows) - len(differing)} of {len(rows)} requests agree; the others: {differing}")
    assert len(rows) > 4000
    assert len(differing) <= len(rows) // 1000


def test_real_histories_add_up_and_are_the_same_in_any_order() -> None:
    """For every clock: no gap in its ledger, the sum of it what was counted, its verdict what that sum says."""
    seen: Counter[str] = Counter()
    dice = random.Random(7)
    for updates in sample(incidents(), 300):
        story = story_of(updates)
        facts = list(filter(None, map(fact_of, story.events)))
        folded = fold(story.id, story.facts, facts, BOOK)
        states = {one.clock_id: one for one in folded.clocks}
        for _ in range(2):
            shuffled = facts * 2
            dice.shuffle(shuffled)
            known = {fact.fact_id: fact for fact in shuffled}
            again = fold(story.id, story.facts, list(known.values()), BOOK)
            assert {one.clock_id: one for one in again.clocks} == states, updates[0]["number"]
        now = max(fact.at for fact in facts) + 30 * DAY
        for state in states.values():
            adds_up(state, now)
            seen["judged"] += is_judged_rightly(state, now)
        seen.update(histories=1, facts=len(facts), clocks=len(states), late=sum(one.late for one in states.values()))
        seen.update(unpriced=len(folded.unpriced), pauses=sum(len(one.pauses) for one in states.values()))
    print(f"\nincidents: {dict(seen)}")
    assert seen["unpriced"] == 0
    assert min(seen[name] for name in ("histories", "clocks", "late", "judged", "pauses")) > 0


def is_judged_rightly(state: ClockState, now: int) -> bool:
    """A clock of one target for so much time is late where more than that was counted; whether it is such a clock.

    Working time stands still outside hours, so there an answer after the due instant may have counted just as much.
    """
    target = state.priced.rule.every or state.priced.rule.target(state.run.urgency) if state.run.urgency else None
    due = target.due if target else None
    if state.run.changes or state.run.repeated or not isinstance(due, Business | Elapsed):
        return False
    counted, allowed = sum(one.counted for one in ledger(state, now)), length(due.time)
    if state.run.end is None:
        return False
    if isinstance(due, Elapsed):
        assert state.late is (counted > allowed)
    else:
        assert counted >= allowed if state.late else counted <= allowed
    return True
