"""What a person may order, as values: the commands of the HTTP door with every bound stated."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.envelope import Money, StaffContact
from shared.contracts.vocabulary import CaseState, MeasureKind, RegulatorStage

_MAX_YEAR = 9000


def _in_range(instant: datetime) -> datetime:
    if not 2000 <= instant.year < _MAX_YEAR:
        raise ValueError("the year is out of range")
    return instant


Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]
#: Free text with something in it; NUL cannot be stored.
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
#: Free text that may be empty.
MaybeText = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Reach = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

_OCCURRED = (
    "When it was done, where it is written down late; not in the future, nor before what it follows. Default: now."
)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dated(Order):
    occurred_at: Instant | None = Field(default=None, description=_OCCURRED)


class MoveCase(Dated):
    """C7. `waiting_customer` takes the `question`, which goes to the customer; `waiting_third_party`, `withdrawn` and
    `rejected` take a `reason`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"to": "in_progress", "reason": "开始排查"},
                {"to": "waiting_customer", "question": "请问是哪个店铺的订单?"},
                {"to": "withdrawn", "reason": "客户来电撤回投诉"},
            ]
        }
    )
    to: CaseState
    reason: MaybeText = ""
    question: Text | None = None


class RecordFinding(Dated):
    """B6: what was checked and found, facts apart from opinions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"method": "reproduction", "nature": "fact", "text": "近7天订单查询超时,索引缺失"}]
        }
    )
    method: Literal["records", "on_site", "reproduction", "expert", "tools", "interview", "other"]
    nature: Literal["fact", "opinion"]
    text: Text


class Contact(Order):
    """The person of a department or partner who is asked. Work contacts only."""

    name: Word
    staff_id: Word | None = None
    email: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\x00\s@]+@[^\x00\s@]+$")] | None = None
    phone: Annotated[str, StringConstraints(max_length=32, pattern=r"^\+?[0-9][0-9 \-]*$")] | None = None
    wecom: Word | None = None

    def as_staff(self) -> StaffContact:
        return StaffContact(
            staff_id=self.staff_id or f"outside:{self.name}",
            name=self.name,
            email=self.email,
            phone=self.phone,
            wecom=self.wecom,
        )


class OpenTransfer(Dated):
    """C2. A department of the roster by `team_id` (its contact is asked unless another is given), or an outside partner
    by `contact` alone. `wait`: the case waits for the third party from now on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"team_id": "rnd", "ask": "请排查近7天订单查询失败的原因", "wait": False}]}
    )
    team_id: Word | None = None
    contact: Contact | None = None
    ask: Text
    wait: bool = False


class AnswerTransfer(Dated):
    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "索引失效,正在重建,预计12:00完成"}]})
    answer: Text


class GiveReason(Dated):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "已由其他部门处理"}]})
    reason: Text


class MakePromise(Dated):
    """C5: a promise carries a time, which lies in the future."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "今天12:00前修复", "due_at": "2124-05-10T12:00:00+08:00"}]}
    )
    text: Text
    due_at: Instant


class Done(Dated):
    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class RecordStage(Dated):
    """A regulator's proceeding has come to a stage. `authority` is the track of the policies that set its deadlines
    (`GET /v1/packs` of sla-service names those of the packs), `reference` the authority's own number. A stage that is
    recorded twice counts from its first instant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"authority": "cn-12315", "stage": "received", "reference": "1110000002026051000001"}]
        }
    )
    authority: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    stage: RegulatorStage
    reference: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    note: MaybeText = ""


class PromiseWithProgress(Order):
    text: Text
    due_at: Instant


class TellProgress(Dated):
    """C5: `text` goes to the customer. With it a new `promise` may be made, and an old one `keeps` be kept."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "已定位原因,预计12:00恢复"}]},
    )
    text: Text
    promise: PromiseWithProgress | None = None
    keeps: UUID | None = None


class Sum(Order):
    """Money in the currency's minor units (分, cents)."""

    amount_minor: Annotated[int, Field(gt=0, le=1_000_000_000_000)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"

    def as_money(self) -> Money:
        return Money(amount_minor=self.amount_minor, currency=self.currency)


class ProposeMeasure(Dated):
    """C1. A sum over its currency's limit waits for a manager's approval."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "compensation", "text": "赠送一个月高级功能"},
                {"kind": "refund", "text": "退还当月服务费", "amount": {"amount_minor": 19900, "currency": "CNY"}},
            ]
        }
    )
    kind: MeasureKind
    text: Text
    amount: Sum | None = None


class DecideMeasure(Dated):
    """A refusal says why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"approve": True, "reason": "符合赔付标准"}]})
    approve: bool
    reason: MaybeText = ""


class WriteResult(Order):
    """C6: the result in the customer's language. All four parts are required; those that are missing are
    named. Where there is no compensation, its part says so. `at` is when the case was resolved; default: now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "cause": "数据库索引在升级中失效,查询超时",
                    "measures": "已重建索引,查询恢复正常",
                    "improvement": "升级检查单加入索引校验",
                    "compensation": "赠送一个月高级功能",
                }
            ]
        }
    )
    cause: MaybeText = ""
    measures: MaybeText = ""
    improvement: MaybeText = ""
    compensation: MaybeText = ""
    at: Instant | None = Field(default=None, description=_OCCURRED)
