"""What one fold of a complaint with fifty facts costs: its clocks found, their policies chosen, all of them priced.

Two figures: the whole history, and each of its clocks, for which the goal is. Microseconds of CPU time on one core, the
best of several rounds. The floor is what Python takes to put fifty facts in order and to look at each once, in the same
run.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from benchmarks.figures import SCALE, Figure
from shared.contracts.envelope import ComplaintFacts, CustomerRef
from shared.contracts.vocabulary import CaseState, Channel, Urgency
from shared.ids import derived_id
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.facts import Fact, FactKind
from sla_service.clocks.fold import fold
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.usecases.packs import load_pack

TIMES = max(100, round(2_000 * SCALE))
ROUNDS = 5
#: Microseconds a clock.
GOAL = 100.0
#: Friday, 09:00 in Shanghai.
RECEIVED = datetime(2024, 5, 10, 1, tzinfo=UTC)
COMPLAINT = ComplaintFacts(
    complaint_id=derived_id("complaint", "fold"),
    number="C-20240510-000001",
    received_at=RECEIVED,
    channel=Channel.HOTLINE,
    urgency=Urgency.LOW,
    customer=CustomerRef(person_id=derived_id("person", "fold"), display="138****1234"),
)


def run() -> list[Figure]:
    policies, calendars = load_pack("default")
    known = {(spec.calendar_id, 1): Calendar(spec) for spec in calendars}
    book = Book(
        [PolicyVersion(spec=spec, version=1, valid_from=RECEIVED, calendar_version=1) for spec in policies], known, 1
    )
    facts = history()
    random.Random(1).shuffle(facts)
    clocks = len(fold(COMPLAINT.complaint_id, COMPLAINT, facts, book).clocks)

    def folded() -> None:
        fold(COMPLAINT.complaint_id, COMPLAINT, facts, book)

    def looked_at() -> None:
        for fact in sorted(facts, key=lambda one: (one.at, one.fact_id)):
            _ = fact.kind, fact.at

    spent, floor = _spent(folded), _spent(looked_at)
    more = {"facts": len(facts), "clocks": clocks}
    return [
        Figure("fold_50_facts_us", spent, "us", floor, better="lower", more=more),
        Figure("fold_50_facts_clock_us", spent / clocks, "us", None, GOAL, better="lower", more=more),
    ]


def history() -> list[Fact]:
    """Received, classified, assigned and answered; then asked, waited for and told by the customer, over and over, for
    most of two weeks."""
    at = micros(RECEIVED)
    minute = 60_000_000
    found: list[Fact] = []

    def add(kind: FactKind, minutes: int, **more: object) -> None:
        instant = at + minutes * minute
        found.append(Fact(_id(len(found)), kind, instant, instant, **more))  # type: ignore[arg-type]

    add(FactKind.RECEIVED, 0, urgency=Urgency.LOW)
    add(FactKind.CLASSIFIED, 2, urgency=Urgency.LOW, urgency_revision=1)
    add(FactKind.ASSIGNED, 3, revision=1, team_id="hotline")
    add(FactKind.ACKNOWLEDGED, 10)
    add(FactKind.MOVED, 15, revision=1, to_state=CaseState.IN_PROGRESS)
    for turn in range(11):
        begin = 60 + turn * 26 * 60
        add(FactKind.ANSWERED, begin)
        revision = 2 * turn + 2
        add(FactKind.MOVED, begin + 5, revision=revision, to_state=CaseState.WAITING_CUSTOMER)
        add(FactKind.CUSTOMER_WROTE, begin + 120)
        add(FactKind.MOVED, begin + 125, revision=revision + 1, to_state=CaseState.IN_PROGRESS)
    add(FactKind.RESOLVED, 60 + 11 * 26 * 60, cycle=1)
    return found


def _id(number: int) -> UUID:
    return derived_id("fold", number)


def _spent(work: Callable[[], None]) -> float:
    """Microseconds of CPU time, the best round."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TIMES):
            work()
        rounds.append(time.process_time() - began)
    return min(rounds) / TIMES * 1e6
