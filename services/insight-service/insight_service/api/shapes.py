"""What insight's API takes and gives."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from insight_service.domain.improving import ActionKind, Fishbone, FiveWOneH, Severity
from insight_service.usecases.deps import Deps
from insight_service.usecases.review import Action, ActionPlan, Review, ReviewContent
from shared.contracts.envelope import StaffContact
from shared.web.auth import Principal, Role, allow


def _no_control_characters(text: str) -> str:
    if any(character < " " and character not in "\n\t" for character in text):
        raise ValueError("control characters are not taken")
    return text


Words = Annotated[str, AfterValidator(_no_control_characters)]
ComplaintIds = Annotated[list[UUID], Field(max_length=500)]

StaffDep = Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY))]
ReviewerDep = Annotated[Principal, Depends(allow(Role.QUALITY, Role.MANAGER, Role.LEAD))]


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


DepsDep = Annotated[Deps, Depends(_deps)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReviewBody(Body):
    """A root-cause review (E2): linked cases, 5W1H, five whys, fishbone, and the cause once it is found."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "订单查询加载失败",
                    "severity": "serious",
                    "complaint_ids": [],
                    "five_w_one_h": {"what": "近7天订单查询失败", "where": "订单管理系统"},
                    "five_whys": ["查询超时", "索引失效", "升级脚本未重建索引"],
                    "fishbone": {"method": ["发布检查单缺少索引校验"]},
                    "root_cause": "升级脚本未重建索引",
                }
            ]
        },
    )

    title: Words = Field(min_length=1, max_length=300)
    severity: Severity = Severity.SLIGHT
    complaint_ids: ComplaintIds = Field(default_factory=list)
    five_w_one_h: FiveWOneH = Field(default_factory=FiveWOneH)
    five_whys: list[Annotated[Words, Field(max_length=1000)]] = Field(default_factory=list, max_length=10)
    fishbone: Fishbone = Field(default_factory=Fishbone)
    root_cause: Words = Field(default="", max_length=4000)

    def content(self) -> ReviewContent:
        return ReviewContent(**dict(self))


class ReviewOut(BaseModel):
    review_id: UUID
    version: int
    title: str
    severity: Severity
    complaint_ids: list[UUID]
    five_w_one_h: FiveWOneH
    five_whys: list[str]
    fishbone: Fishbone
    root_cause: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, review: Review) -> "ReviewOut":
        return cls(
            review_id=review.review_id,
            version=review.version,
            created_at=review.created_at,
            updated_at=review.updated_at,
            **vars(review.content),
        )


class Owner(Body):
    staff_id: Words = Field(min_length=1, max_length=100)
    name: Words = Field(min_length=1, max_length=200)
    email: Words | None = Field(default=None, max_length=254)
    phone: Words | None = Field(default=None, max_length=40)
    wecom: Words | None = Field(default=None, max_length=100)

    def contact(self) -> StaffContact:
        return StaffContact(**self.model_dump())


class ActionBody(Body):
    """An improvement action (E3) with owner, due time and a measurable aim."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "升级检查单加入索引校验",
                    "kind": "process",
                    "owner": {"staff_id": "rd-wang", "name": "王经理", "email": "wang@example.com"},
                    "aim": "同类投诉降为每月0起",
                    "due_at": "2030-05-31T18:00:00+08:00",
                }
            ]
        },
    )

    title: Words = Field(min_length=1, max_length=300)
    kind: ActionKind
    owner: Owner
    aim: Words = Field(min_length=1, max_length=2000)
    due_at: AwareDatetime
    complaint_ids: ComplaintIds = Field(default_factory=list)

    def plan(self) -> ActionPlan:
        return ActionPlan(
            title=self.title,
            kind=self.kind,
            owner=self.owner.contact(),
            aim=self.aim,
            due_at=self.due_at,
            complaint_ids=self.complaint_ids,
        )


class ReplanBody(Body):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"due_at": "2030-06-14T18:00:00+08:00"}]})

    due_at: AwareDatetime
    owner: Owner | None = None


class DoneBody(Body):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "检查单已更新,两次升级都按它做了"}]}
    )

    note: Words = Field(default="", max_length=4000)
    occurred_at: AwareDatetime | None = Field(default=None, description="When it was done; now, if left out")


class ActionOut(BaseModel):
    action_id: UUID
    revision: int
    review_id: UUID | None
    title: str
    kind: ActionKind
    owner: StaffContact
    aim: str
    due_at: datetime
    complaint_ids: list[UUID]
    planned_at: datetime
    done_at: datetime | None
    done_note: str | None

    @classmethod
    def of(cls, action: Action) -> "ActionOut":
        return cls(
            action_id=action.action_id,
            revision=action.revision,
            review_id=action.review_id,
            planned_at=action.planned_at,
            done_at=action.done_at,
            done_note=action.done_note,
            **vars(action.plan),
        )


class ArchivedOut(BaseModel):
    """One event. `data` has a salted hash in the place of personal parts, unless the caller may see them."""

    seq: int
    event_id: UUID
    type: str
    source: str
    subject: str
    complaint_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]


class SimilarOut(BaseModel):
    complaint_id: UUID
    number: str
    score: float = Field(description="0 to 1")
    shared_terms: list[str]
    same_issue_type: bool
    summary: str
    received_at: datetime
    issue_type: str | None
    responsible: str | None
    state: str | None
    measure_kinds: list[str]
    satisfaction: int | None


class TrendOut(BaseModel):
    """One value in one period; means over those that have come so far, with their counts beside them."""

    period: str = Field(description="First day of the period", examples=["2024-05-06"])
    value: str | None
    count: int
    share: float
    mean_seconds_to_respond: float | None
    responded: int
    mean_seconds_to_resolve: float | None
    resolved: int
    reopened: int
    mean_satisfaction: float | None
    answered: int
