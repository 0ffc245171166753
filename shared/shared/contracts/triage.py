"""Assess 评估: what triage-service tells the others."""

from typing import Annotated, ClassVar, Literal

from shared.contracts.envelope import Bilingual, ComplaintEvent, Data, Event, Personal, StaffContact
from shared.contracts.vocabulary import Emotion, Kind

TOPIC = "redress.triage"
ROSTER_TOPIC = "redress.triage.roster"


class Reason(Data):
    """Why the classifier thinks so, for a person to read (B2)."""

    rule: str
    weight: float
    text: Bilingual


class ComplaintClassifiedV1(ComplaintEvent):
    """`facts.urgency` is the urgency decided here and `facts.urgency_revision` equals `revision` (1, 2, …)."""

    TYPE: ClassVar[str] = "redress.complaint.classified.v1"
    TOPIC: ClassVar[str] = TOPIC

    revision: int
    kind: Kind
    issue_type: str
    responsible: str
    emotion: Emotion
    confidence: float
    reasons: tuple[Reason, ...]
    by: Literal["rules", "hand", "joint"]
    override_reason: Annotated[str | None, Personal()] = None


class ComplaintAssignedV1(ComplaintEvent):
    """`agent` is empty while nobody of the team is on duty: the team's queue holds it."""

    TYPE: ClassVar[str] = "redress.complaint.assigned.v1"
    TOPIC: ClassVar[str] = TOPIC

    revision: int
    team_id: str
    team_name: Bilingual
    agent: StaffContact | None
    reasons: tuple[Reason, ...]
    by: Literal["rules", "hand"]
    override_reason: Annotated[str | None, Personal()] = None


class TeamChangedV1(Event):
    """One team or department as it is now, on a compacted topic. `revision` grows; the highest is the truth."""

    TYPE: ClassVar[str] = "redress.roster.team-changed.v1"
    TOPIC: ClassVar[str] = ROSTER_TOPIC

    team_id: str
    revision: int
    name: Bilingual
    kind: Literal["team", "department", "partner"]
    contact: StaffContact | None = None
    lead: StaffContact | None = None
    manager: StaffContact | None = None
    executive: StaffContact | None = None
    members: tuple[StaffContact, ...] = ()

    @property
    def key(self) -> str:
        return self.team_id


PUBLISHES: tuple[type[Event], ...] = (ComplaintClassifiedV1, ComplaintAssignedV1, TeamChangedV1)
