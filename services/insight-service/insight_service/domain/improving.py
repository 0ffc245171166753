"""Root-cause reviews and improvement actions (E2, E3)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.envelope import Actor, StaffContact
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1, RootCauseRecordedV1
from shared.ids import derived_id
from shared.web.errors import Conflict, Invalid, NotFound


class ComplaintNotFound(NotFound):
    slug = "complaint-not-found"
    title = "The complaint is not known here"


class ReviewNotFound(NotFound):
    slug = "review-not-found"
    title = "There is no such review"


class ActionNotFound(NotFound):
    slug = "action-not-found"
    title = "There is no such improvement action"


class ActionIsDone(Conflict):
    slug = "action-done"
    title = "The improvement action is done"


class UnknownComplaint(Invalid):
    slug = "unknown-complaint"
    title = "A complaint is not known here"


class DueInThePast(Invalid):
    slug = "due-in-the-past"
    title = "The due time has passed already"


class ActionKind(StrEnum):
    """E3: 流程 / 培训 / 产品 / 制度."""

    PROCESS = "process"
    TRAINING = "training"
    PRODUCT = "product"
    POLICY = "policy"


class Severity(StrEnum):
    """E4: 轻微 / 严重 / 系统性."""

    SLIGHT = "slight"
    SERIOUS = "serious"
    SYSTEMIC = "systemic"


Text = Field(default="", max_length=4000)


class FiveWOneH(BaseModel):
    """5W1H: who, what, when, where, why, how."""

    model_config = ConfigDict(extra="forbid")

    who: str = Text
    what: str = Text
    when: str = Text
    where: str = Text
    why: str = Text
    how: str = Text


class Fishbone(BaseModel):
    """Causes by the classic branches of Ishikawa's diagram."""

    model_config = ConfigDict(extra="forbid")

    people: list[str] = Field(default_factory=list, max_length=20)
    method: list[str] = Field(default_factory=list, max_length=20)
    machine: list[str] = Field(default_factory=list, max_length=20)
    material: list[str] = Field(default_factory=list, max_length=20)
    environment: list[str] = Field(default_factory=list, max_length=20)
    measurement: list[str] = Field(default_factory=list, max_length=20)


def root_cause_recorded(
    review_id: UUID,
    version: int,
    *,
    title: str,
    root_cause: str,
    complaint_ids: Sequence[UUID],
    actor: Actor,
    at: datetime,
) -> RootCauseRecordedV1:
    return RootCauseRecordedV1(
        event_id=derived_id("root-cause", review_id, version),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        review_id=review_id,
        title=title,
        root_cause=root_cause,
        complaint_ids=tuple(complaint_ids),
    )


def action_planned(
    action_id: UUID,
    revision: int,
    *,
    review_id: UUID | None,
    title: str,
    kind: ActionKind,
    owner: StaffContact,
    aim: str,
    due_at: datetime,
    complaint_ids: Sequence[UUID],
    actor: Actor,
    at: datetime,
) -> ActionPlannedV1:
    """Raises `DueInThePast`."""
    if due_at <= at:
        raise DueInThePast("An action is planned for a time to come.", pointer="/due_at")
    return ActionPlannedV1(
        event_id=derived_id("action-planned", action_id, revision),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        action_id=action_id,
        revision=revision,
        review_id=review_id,
        title=title,
        kind=kind.value,
        owner=owner,
        aim=aim,
        due_at=due_at,
        complaint_ids=tuple(complaint_ids),
    )


def action_done(action_id: UUID, *, note: str, actor: Actor, occurred_at: datetime, at: datetime) -> ActionDoneV1:
    return ActionDoneV1(
        event_id=derived_id("action-done", action_id),
        occurred_at=occurred_at,
        recorded_at=at,
        actor=actor,
        action_id=action_id,
        note=note,
    )
