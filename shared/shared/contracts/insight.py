"""Review 复盘: what insight-service tells the others."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.envelope import Event, Personal, StaffContact

TOPIC = "redress.insight"


class RootCauseRecordedV1(Event):
    """A root-cause review found its cause (E2)."""

    TYPE: ClassVar[str] = "redress.review.root-cause-recorded.v1"
    TOPIC: ClassVar[str] = TOPIC

    review_id: UUID
    title: str
    root_cause: Annotated[str, Personal()]
    complaint_ids: tuple[UUID, ...]

    @property
    def key(self) -> str:
        return str(self.review_id)


class ActionPlannedV1(Event):
    """An improvement action with owner, due time and measurable aim (E3). `revision` grows when it is planned anew."""

    TYPE: ClassVar[str] = "redress.action.planned.v1"
    TOPIC: ClassVar[str] = TOPIC

    action_id: UUID
    revision: int
    review_id: UUID | None
    title: str
    kind: str
    owner: StaffContact
    aim: str
    due_at: AwareDatetime
    complaint_ids: tuple[UUID, ...] = ()

    @property
    def key(self) -> str:
        return str(self.action_id)


class ActionDoneV1(Event):
    TYPE: ClassVar[str] = "redress.action.done.v1"
    TOPIC: ClassVar[str] = TOPIC

    action_id: UUID
    note: Annotated[str, Personal()] = ""

    @property
    def key(self) -> str:
        return str(self.action_id)


PUBLISHES: tuple[type[Event], ...] = (RootCauseRecordedV1, ActionPlannedV1, ActionDoneV1)
