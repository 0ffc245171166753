"""Service levels: what sla-service tells the others. Every clock event carries the whole clock and its revision, so a
consumer keeps the highest revision and needs no other event."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.envelope import Bilingual, ComplaintFacts, Data, Event, StaffContact
from shared.contracts.vocabulary import ClockStatus, ClockSubject, Metric

TOPIC = "redress.sla"


class ClockView(Data):
    """One clock as it stands. `on_time` is empty until the clock is fulfilled or its due instant has passed."""

    clock_id: UUID
    revision: int
    subject: ClockSubject
    subject_id: UUID
    metric: Metric
    cycle: int
    policy: str
    policy_version: int
    calendar: str | None
    status: ClockStatus
    started_at: AwareDatetime
    due_at: AwareDatetime
    warn_at: AwareDatetime | None = None
    warned_at: AwareDatetime | None = None
    breached_at: AwareDatetime | None = None
    fulfilled_at: AwareDatetime | None = None
    on_time: bool | None = None
    owner_team: str | None = None
    title: Bilingual


class ClockEvent(Event):
    """`facts` is empty for clocks that belong to no single complaint (improvement actions)."""

    clock: ClockView
    facts: ComplaintFacts | None = None

    @property
    def key(self) -> str:
        return str(self.facts.complaint_id if self.facts else self.clock.subject_id)


class ClockActivatedV1(ClockEvent):
    TYPE: ClassVar[str] = "redress.clock.activated.v1"
    TOPIC: ClassVar[str] = TOPIC


class ClockRepricedV1(ClockEvent):
    """The due instant moved; `due_before` is the one that stood until now."""

    TYPE: ClassVar[str] = "redress.clock.repriced.v1"
    TOPIC: ClassVar[str] = TOPIC

    due_before: AwareDatetime
    reason: str


class ClockPausedV1(ClockEvent):
    TYPE: ClassVar[str] = "redress.clock.paused.v1"
    TOPIC: ClassVar[str] = TOPIC

    reason: str


class ClockResumedV1(ClockEvent):
    TYPE: ClassVar[str] = "redress.clock.resumed.v1"
    TOPIC: ClassVar[str] = TOPIC


class ClockWarnedV1(ClockEvent):
    """Occurred at the warning instant; `detected_at` is when the timer really fired. `recipient` is the one who holds
    the work, empty while that is not known: the team's queue is warned."""

    TYPE: ClassVar[str] = "redress.clock.warned.v1"
    TOPIC: ClassVar[str] = TOPIC

    detected_at: AwareDatetime
    recipient: StaffContact | None = None


class ClockBreachedV1(ClockEvent):
    """Occurred at the due instant, however late it was detected."""

    TYPE: ClassVar[str] = "redress.clock.breached.v1"
    TOPIC: ClassVar[str] = TOPIC

    detected_at: AwareDatetime


class ClockFulfilledV1(ClockEvent):
    TYPE: ClassVar[str] = "redress.clock.fulfilled.v1"
    TOPIC: ClassVar[str] = TOPIC


class ClockCancelledV1(ClockEvent):
    TYPE: ClassVar[str] = "redress.clock.cancelled.v1"
    TOPIC: ClassVar[str] = TOPIC

    reason: str


class BreachWithdrawnV1(ClockEvent):
    """A fact that came late shows that the deadline was kept after all."""

    TYPE: ClassVar[str] = "redress.clock.breach-withdrawn.v1"
    TOPIC: ClassVar[str] = TOPIC

    reason: str


class EscalationRaisedV1(ClockEvent):
    """One step of the chain agent → team lead → department manager → executive (F10)."""

    TYPE: ClassVar[str] = "redress.escalation.raised.v1"
    TOPIC: ClassVar[str] = TOPIC

    escalation_id: UUID
    step: int
    role: str
    recipient: StaffContact | None
    team_id: str | None
    reason: Bilingual


class EscalationAcknowledgedV1(ClockEvent):
    """Somebody has taken on what a step of the chain told of: the `actor`. Later steps may be left out for it."""

    TYPE: ClassVar[str] = "redress.escalation.acknowledged.v1"
    TOPIC: ClassVar[str] = TOPIC

    escalation_id: UUID
    step: int
    role: str


CLOCK_EVENTS: tuple[type[ClockEvent], ...] = (
    ClockActivatedV1,
    ClockRepricedV1,
    ClockPausedV1,
    ClockResumedV1,
    ClockWarnedV1,
    ClockBreachedV1,
    BreachWithdrawnV1,
    ClockFulfilledV1,
    ClockCancelledV1,
)
PUBLISHES: tuple[type[Event], ...] = (*CLOCK_EVENTS, EscalationRaisedV1, EscalationAcknowledgedV1)
