"""What the JSON API takes and gives."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from feedback_service.usecases.deps import Deps
from feedback_service.usecases.surveys import Survey
from feedback_service.usecases.visits import Visit
from shared.contracts.envelope import StaffContact
from shared.contracts.vocabulary import Language, VisitOutcome
from shared.web.auth import Principal, Role, allow


def _no_control_characters(text: str) -> str:
    if any(character < " " and character not in "\n\t" for character in text):
        raise ValueError("control characters are not taken")
    return text


Words = Annotated[str, AfterValidator(_no_control_characters)]

STAFF = (Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY)
HANDLERS = (Role.AGENT, Role.LEAD, Role.MANAGER)
StaffDep = Annotated[Principal, Depends(allow(*STAFF))]
HandlerDep = Annotated[Principal, Depends(allow(*HANDLERS))]


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


DepsDep = Annotated[Deps, Depends(_deps)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnswerBody(Body):
    """What the customer said; levels from 5 (非常满意) to 1 (非常不满意)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"answers": {"satisfaction": 5, "speed": 4}, "reasons": [], "comment": "很快就修好了"}]
        },
    )

    answers: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(max_length=3)
    reasons: list[Annotated[str, Field(max_length=40)]] = Field(default_factory=list, max_length=10)
    comment: Words = Field(default="", max_length=4000)
    occurred_at: AwareDatetime | None = Field(default=None, description="When it was said; now, if left out")


class Assignee(Body):
    staff_id: Words = Field(min_length=1, max_length=100)
    name: Words = Field(min_length=1, max_length=200)
    email: Words | None = Field(default=None, max_length=254)
    phone: Words | None = Field(default=None, max_length=40)
    wecom: Words | None = Field(default=None, max_length=100)

    def contact(self) -> StaffContact:
        return StaffContact(**self.model_dump())


class AssignBody(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"assignee": {"staff_id": "agent-li", "name": "李工", "email": "li@example.com"}}]
        },
    )

    assignee: Assignee


class VisitDoneBody(Body):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "satisfied", "note": "客户确认恢复正常"}]}
    )

    outcome: VisitOutcome
    note: Words = Field(default="", max_length=4000)
    occurred_at: AwareDatetime | None = Field(default=None, description="When it was done; now, if left out")


class ClosingBody(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "complaint_id": "018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e40",
                    "summary": "数据库索引失效导致订单查询失败,已修复并补偿。",
                    "other_wishes": "希望增加导出功能",
                }
            ]
        },
    )

    complaint_id: UUID
    summary: Words = Field(min_length=1, max_length=8000)
    other_wishes: Words = Field(default="", max_length=4000, description="What else the complainant wishes (D4)")
    closed_with_reason: Words | None = Field(
        default=None, min_length=1, max_length=2000, description="Why it closes though nobody is satisfied (D3)"
    )


class SurveyOut(BaseModel):
    survey_id: UUID
    complaint_id: UUID
    number: str
    cycle: int
    language: Language
    offered_at: datetime
    delivered_at: datetime | None
    expires_at: datetime
    answered_at: datetime | None
    satisfaction: int | None
    satisfied: bool | None
    answers: dict[str, int] | None
    reasons: list[str] | None
    comment: str | None

    @classmethod
    def of(cls, survey: Survey) -> "SurveyOut":
        return cls(**vars(survey))


class VisitOut(BaseModel):
    visit_id: UUID
    complaint_id: UUID
    number: str
    cycle: int
    status: str
    means: str
    earliest_at: datetime
    due_at: datetime
    assignee: StaffContact | None
    done_at: datetime | None
    outcome: VisitOutcome | None
    note: str | None

    @classmethod
    def of(cls, visit: Visit) -> "VisitOut":
        return cls(**vars(visit))


class ClosingOut(BaseModel):
    complaint_id: UUID
    number: str
    cycle: int
    summary: str
    other_wishes: str
    satisfied: bool
    closed_with_reason: str | None
    written_at: datetime


class MonthOut(BaseModel):
    """One month of answers: how often each level was given, and why people were not satisfied."""

    month: str = Field(examples=["2024-05"])
    answered: int
    mean: float = Field(description="Of the levels, 5 is best")
    satisfied_share: float
    levels: dict[str, int]
    reasons: dict[str, int]

    @classmethod
    def of(cls, row: Any) -> "MonthOut":
        return cls(**vars(row))
