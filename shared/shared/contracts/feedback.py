"""Feed back 反馈: what feedback-service tells the others. `cycle` is the cycle of the case that was resolved."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.envelope import ComplaintEvent, Event, Personal, StaffContact
from shared.contracts.vocabulary import VisitOutcome

TOPIC = "redress.feedback"


class SurveyOfferedV1(ComplaintEvent):
    """A survey waits for the customer behind `url`; notify-service sends the link (D1)."""

    TYPE: ClassVar[str] = "redress.survey.offered.v1"
    TOPIC: ClassVar[str] = TOPIC

    survey_id: UUID
    cycle: int
    url: Annotated[str, Personal()]
    expires_at: AwareDatetime


class SurveyAnsweredV1(ComplaintEvent):
    """`satisfaction` is 5 (非常满意) to 1 (非常不满意); `satisfied` is the policy's verdict on it."""

    TYPE: ClassVar[str] = "redress.survey.answered.v1"
    TOPIC: ClassVar[str] = TOPIC

    survey_id: UUID
    cycle: int
    satisfaction: int
    answers: dict[str, int] = Field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    comment: Annotated[str, Personal()] = ""
    satisfied: bool


class FollowUpPlannedV1(ComplaintEvent):
    """A follow-up visit 回访 between `earliest_at` and `due_at` (D2, F6)."""

    TYPE: ClassVar[str] = "redress.follow-up.planned.v1"
    TOPIC: ClassVar[str] = TOPIC

    visit_id: UUID
    cycle: int
    means: str
    earliest_at: AwareDatetime
    due_at: AwareDatetime


class FollowUpAssignedV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.follow-up.assigned.v1"
    TOPIC: ClassVar[str] = TOPIC

    visit_id: UUID
    cycle: int
    assignee: StaffContact
    revision: int


class FollowUpDoneV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.follow-up.done.v1"
    TOPIC: ClassVar[str] = TOPIC

    visit_id: UUID
    cycle: int
    outcome: VisitOutcome
    note: Annotated[str, Personal()] = ""


class ComplainantDissatisfiedV1(ComplaintEvent):
    """Not satisfied with what cycle `cycle` brought: the case is to be analysed again and reopened (D3)."""

    TYPE: ClassVar[str] = "redress.complainant.dissatisfied.v1"
    TOPIC: ClassVar[str] = TOPIC

    cycle: int
    source: Literal["survey", "follow_up"]
    source_id: UUID
    reason: Annotated[str, Personal()] = ""


class ClosingSummaryWrittenV1(ComplaintEvent):
    """Other wishes were asked and the summary is written: the case may close (D4)."""

    TYPE: ClassVar[str] = "redress.closing.summary-written.v1"
    TOPIC: ClassVar[str] = TOPIC

    cycle: int
    summary: Annotated[str, Personal()]
    other_wishes: Annotated[str, Personal()] = ""
    satisfied: bool
    closed_with_reason: Annotated[str | None, Personal()] = None


PUBLISHES: tuple[type[Event], ...] = (
    SurveyOfferedV1,
    SurveyAnsweredV1,
    FollowUpPlannedV1,
    FollowUpAssignedV1,
    FollowUpDoneV1,
    ComplainantDissatisfiedV1,
    ClosingSummaryWrittenV1,
)
