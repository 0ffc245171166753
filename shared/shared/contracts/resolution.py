"""Handle 处理: what resolution-service tells the others. `cycle` is 1 and grows with every reopening (D3)."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.envelope import Bilingual, ComplaintEvent, Data, Event, Money, Personal, StaffContact
from shared.contracts.vocabulary import CaseState, MeasureKind, MeasureStatus, RegulatorStage

TOPIC = "redress.resolution"


class CaseMovedV1(ComplaintEvent):
    """The case changed its state (C7). `revision` counts the moves of the case."""

    TYPE: ClassVar[str] = "redress.case.moved.v1"
    TOPIC: ClassVar[str] = TOPIC

    revision: int
    cycle: int
    from_state: CaseState | None
    to_state: CaseState
    reason: Annotated[str, Personal()] = ""


class InvestigationRecordedV1(ComplaintEvent):
    """What was checked and found (B6); `nature` keeps facts apart from opinions."""

    TYPE: ClassVar[str] = "redress.case.investigation-recorded.v1"
    TOPIC: ClassVar[str] = TOPIC

    finding_id: UUID
    cycle: int
    method: str
    nature: Literal["fact", "opinion"]
    text: Annotated[str, Personal()]


class TransferOpenedV1(ComplaintEvent):
    """A transfer task 转单 was put to a department or partner (C2). `external`: to a partner of another house, whom a
    contract binds and no agreement between departments."""

    TYPE: ClassVar[str] = "redress.transfer.opened.v1"
    TOPIC: ClassVar[str] = TOPIC

    task_id: UUID
    team_id: str
    team_name: Bilingual
    contact: StaffContact | None
    ask: Annotated[str, Personal()]
    external: bool = False


class TransferAnsweredV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.transfer.answered.v1"
    TOPIC: ClassVar[str] = TOPIC

    task_id: UUID
    team_id: str
    answer: Annotated[str, Personal()]


class TransferCancelledV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.transfer.cancelled.v1"
    TOPIC: ClassVar[str] = TOPIC

    task_id: UUID
    team_id: str
    reason: Annotated[str, Personal()]


class PromiseMadeV1(ComplaintEvent):
    """A promise to the customer carries a time and is tracked until kept (C5)."""

    TYPE: ClassVar[str] = "redress.promise.made.v1"
    TOPIC: ClassVar[str] = TOPIC

    promise_id: UUID
    text: Annotated[str, Personal()]
    due_at: AwareDatetime


class PromiseKeptV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.promise.kept.v1"
    TOPIC: ClassVar[str] = TOPIC

    promise_id: UUID


class PromiseWithdrawnV1(ComplaintEvent):
    TYPE: ClassVar[str] = "redress.promise.withdrawn.v1"
    TOPIC: ClassVar[str] = TOPIC

    promise_id: UUID
    reason: Annotated[str, Personal()]


class ProgressToldV1(ComplaintEvent):
    """The customer is told how it stands; notify-service sends `text`."""

    TYPE: ClassVar[str] = "redress.progress.told.v1"
    TOPIC: ClassVar[str] = TOPIC

    progress_id: UUID
    cycle: int
    text: Annotated[str, Personal()]
    promise_id: UUID | None = None


class MeasureChangedV1(ComplaintEvent):
    """A measure was proposed, approved, refused or done (C1). `revision` counts the changes of this measure."""

    TYPE: ClassVar[str] = "redress.measure.changed.v1"
    TOPIC: ClassVar[str] = TOPIC

    measure_id: UUID
    revision: int
    kind: MeasureKind
    status: MeasureStatus
    text: Annotated[str, Personal()]
    amount: Money | None = None


class WrittenResult(Data):
    """C6: the four parts of the result in the customer's language."""

    cause: Annotated[str, Personal()]
    measures: Annotated[str, Personal()]
    improvement: Annotated[str, Personal()]
    compensation: Annotated[str, Personal()]


class CaseResolvedV1(ComplaintEvent):
    """The case is resolved and the written result goes to the customer; `occurred_at` is the resolution."""

    TYPE: ClassVar[str] = "redress.case.resolved.v1"
    TOPIC: ClassVar[str] = TOPIC

    cycle: int
    result: WrittenResult
    measure_kinds: tuple[MeasureKind, ...] = ()
    agent: StaffContact | None = None


class RegulatorStageRecordedV1(ComplaintEvent):
    """A regulator's proceeding on the complaint has come to a stage; `occurred_at` is when it did. `authority` is the
    track of the policies that set its deadlines (``cn-12315``), `reference` the authority's own number."""

    TYPE: ClassVar[str] = "redress.regulator.stage-recorded.v1"
    TOPIC: ClassVar[str] = TOPIC

    stage_id: UUID
    authority: str
    stage: RegulatorStage
    reference: str = ""
    note: Annotated[str, Personal()] = ""


class RegulatorStageTakenBackV1(ComplaintEvent):
    """A stage was recorded by mistake: the proceeding is what it is without it. `occurred_at` is when that was said."""

    TYPE: ClassVar[str] = "redress.regulator.stage-taken-back.v1"
    TOPIC: ClassVar[str] = TOPIC

    stage_id: UUID
    authority: str
    stage: RegulatorStage
    reason: Annotated[str, Personal()]


PUBLISHES: tuple[type[Event], ...] = (
    CaseMovedV1,
    InvestigationRecordedV1,
    TransferOpenedV1,
    TransferAnsweredV1,
    TransferCancelledV1,
    PromiseMadeV1,
    PromiseKeptV1,
    PromiseWithdrawnV1,
    ProgressToldV1,
    MeasureChangedV1,
    CaseResolvedV1,
    RegulatorStageRecordedV1,
    RegulatorStageTakenBackV1,
)
