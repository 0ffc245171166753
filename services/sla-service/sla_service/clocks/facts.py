"""What the clocks are told: facts, each with two times."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from uuid import UUID

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.vocabulary import CaseState, RegulatorStage, Urgency
from sla_service.clocks.instants import SECOND

#: How far the clock of whoever tells a fact may run ahead of the one that recorded it.
SKEW = 300 * SECOND


def happened(told: int, recorded: int) -> int:
    """When a fact was true that is told for `told`: nothing is known before it happens, so what lies more than `SKEW`
    after its record counts from the record."""
    return recorded if told > recorded + SKEW else told


class FactKind(StrEnum):
    __hash__ = str.__hash__  # facts are looked up by it all the time

    RECEIVED = "received"
    CLASSIFIED = "classified"
    ASSIGNED = "assigned"
    MOVED = "moved"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    CUSTOMER_WROTE = "customer_wrote"
    PROGRESS_TOLD = "progress_told"
    RESOLVED = "resolved"
    TRANSFER_OPENED = "transfer_opened"
    PARTNER_ASKED = "partner_asked"
    TRANSFER_ANSWERED = "transfer_answered"
    TRANSFER_CANCELLED = "transfer_cancelled"
    PROMISE_MADE = "promise_made"
    PROMISE_KEPT = "promise_kept"
    PROMISE_WITHDRAWN = "promise_withdrawn"
    SURVEY_SENT = "survey_sent"
    FOLLOW_UP_PLANNED = "follow_up_planned"
    FOLLOW_UP_ASSIGNED = "follow_up_assigned"
    FOLLOW_UP_DONE = "follow_up_done"
    ACTION_PLANNED = "action_planned"
    ACTION_DONE = "action_done"
    REGULATOR_RECEIVED = "regulator_received"
    REGULATOR_DISPATCHED = "regulator_dispatched"
    REGULATOR_ACCEPTED = "regulator_accepted"
    REGULATOR_REFUSED = "regulator_refused"
    REGULATOR_RESPONDED = "regulator_responded"
    REGULATOR_DECIDED = "regulator_decided"
    REGULATOR_INFORMED = "regulator_informed"
    REGULATOR_WITHDRAWN = "regulator_withdrawn"
    REGULATOR_TAKEN_BACK = "regulator_taken_back"


#: A transfer task was put to a department, or to a partner of another house.
ASKED = frozenset({FactKind.TRANSFER_OPENED, FactKind.PARTNER_ASKED})
STAGES = {stage: FactKind(f"regulator_{stage.value}") for stage in RegulatorStage}


@dataclass(frozen=True, slots=True)
class About:
    """What a fact tells of the complaint itself, for policies to choose by; what is empty is not told."""

    level: str | None = None
    product: str | None = None
    region: str | None = None
    organisation: str | None = None
    kind: str | None = None
    issue_type: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `at` is when it was true, `recorded` when it was learned (microseconds since 1970).

    `other_at` is the second instant of which some facts tell: when a complaint found outside was made, when a promise
    is due. `subject_id` is the task, promise, visit or action; `revision` orders moves, assignments and plans.
    `team_id` is the team that was given the case or asked, or the authority of a regulator's stage. `told` is
    the instant that the fact itself gave, where `happened` does not believe it; None: it is `at`.
    """

    fact_id: UUID
    kind: FactKind
    at: int
    recorded: int
    urgency: Urgency | None = None
    urgency_revision: int = 0
    subject_id: UUID | None = None
    cycle: int | None = None
    revision: int = 0
    from_state: CaseState | None = None
    to_state: CaseState | None = None
    other_at: int | None = None
    team_id: str | None = None
    team_name: Bilingual | None = None
    person: StaffContact | None = None
    told: int | None = None
    about: About | None = None


#: The order of facts in time; at one instant that of their ids, whatever it is, so that it is always the same.
IN_TIME = attrgetter("at", "fact_id")


def corrected(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Those that count from another instant than the one they were told for, the earliest first."""
    return tuple(sorted((one for one in facts if one.told is not None), key=IN_TIME))
