"""The shapes of sla-service's answers. Durations are ISO 8601, exact to the microsecond."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from shared.contracts.envelope import Actor, Bilingual, StaffContact
from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import Metric
from sla_service.clocks.calendar import CalendarSpec
from sla_service.clocks.durations import Basis
from sla_service.clocks.facts import Fact, FactKind
from sla_service.clocks.holders import Held, HolderKind, name_of
from sla_service.clocks.instants import instant_of
from sla_service.clocks.ledger import Segment, SegmentKind, sentence
from sla_service.clocks.policy import ChangeMode, PolicySpec, PolicyVersion
from sla_service.domain.changes import PauseFinding
from sla_service.domain.remaining import remaining
from sla_service.usecases.ask import Explained, Shown, Split, Told


def _of_this_age(instant: datetime) -> datetime:
    if not 1970 <= instant.year < 2200:
        raise ValueError("give an instant from 1970 to 2199")
    return instant


#: An instant that a caller gives; far from the ends of the calendar, where offsets overflow.
Instant = Annotated[AwareDatetime, AfterValidator(_of_this_age)]
Span = Annotated[timedelta, WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT1H40M"]})]
#: May be negative, which JSON Schema's own format (RFC 3339) does not know.
SignedSpan = Annotated[
    timedelta, WithJsonSchema({"type": "string", "pattern": "^-?P", "examples": ["PT1H40M", "-PT2H10M"]})
]


class ClockOut(ClockView):
    """A clock as it stands. To the due instant there are `remaining_seconds` and `remaining` of plain time, and
    `business_remaining` of the calendar's working time: negative when it has passed, empty for a clock that does not
    run. `business_remaining` is empty too where the working days between are not known."""

    complaint_id: UUID | None = None
    complaint_number: str | None = None
    holder: StaffContact | None = None
    remaining_seconds: float | None = None
    remaining: SignedSpan | None = None
    business_remaining: SignedSpan | None = None

    @classmethod
    def of(cls, shown: Shown, now: datetime) -> "ClockOut":
        view = shown.view
        left = remaining(view, shown.calendar, now)
        return cls(
            **view.model_dump(),
            complaint_id=shown.complaint_id,
            complaint_number=shown.complaint_number,
            holder=shown.holder,
            remaining_seconds=left.plain.total_seconds() if left else None,
            remaining=left.plain if left else None,
            business_remaining=left.business if left else None,
        )


class ConditionOut(BaseModel):
    """A condition of a policy, what it asked, and what the complaint had; `rules`: the metrics it has rules for, and
    the clock's."""

    condition: str
    asked: list[str]
    has: str | None


class PassedOverOut(BaseModel):
    policy: str
    version: int
    failed: ConditionOut


class WhyOut(BaseModel):
    """Why this policy holds: those of its track looked at before it, with the first condition that failed, and what
    met this one, by what was known of the complaint when it was chosen."""

    passed_over: list[PassedOverOut]
    met: list[ConditionOut]
    text: Bilingual


class ClockDetail(ClockOut):
    """`why` is empty for a clock that was kept before the reasons were; `pause_findings` are its pauses that were not
    legitimate."""

    why: WhyOut | None
    pause_findings: list[PauseFinding]

    @classmethod
    def explained(cls, explained: Explained, now: datetime) -> "ClockDetail":
        clock, why = ClockOut.of(explained.shown, now), explained.why
        return cls(
            **clock.model_dump(),
            why=WhyOut.model_validate({**why.model_dump(), "text": explained.text}) if why else None,
            pause_findings=list(explained.findings),
        )


class SegmentOut(BaseModel):
    begin: AwareDatetime
    end: AwareDatetime
    kind: SegmentKind
    reason: str
    overdue: bool
    counted: Span
    fact_id: UUID | None
    text: Bilingual

    @classmethod
    def of(cls, segment: Segment) -> "SegmentOut":
        return cls(
            begin=instant_of(segment.begin),
            end=instant_of(segment.end),
            kind=segment.kind,
            reason=segment.reason,
            overdue=segment.overdue,
            counted=timedelta(microseconds=segment.counted),
            fact_id=segment.fact_id,
            text=sentence(segment),
        )


class CorrectionOut(BaseModel):
    """A fact that was told for an instant after its record, which cannot be: it counts from the record."""

    fact_id: UUID
    kind: FactKind
    told_at: AwareDatetime
    counted_at: AwareDatetime
    text: Bilingual

    @classmethod
    def of(cls, fact: Fact) -> "CorrectionOut":
        told, counted = instant_of(fact.at if fact.told is None else fact.told), instant_of(fact.at)
        return cls(
            fact_id=fact.fact_id,
            kind=fact.kind,
            told_at=told,
            counted_at=counted,
            text=Bilingual(
                zh=f"所报时间 {told.isoformat()} 晚于登记时间，按登记时间 {counted.isoformat()} 计",
                en=f"Told for {told.isoformat()}, after it was recorded; it counts from {counted.isoformat()}",
            ),
        )


class LedgerOut(BaseModel):
    """Why a clock stands where it stands: segments without gaps; `counted` of all of them is `elapsed`. `corrections`
    are facts of the same complaint that do not count from the instant they were told for."""

    clock_id: UUID
    metric: Metric
    basis: Basis
    policy: str
    policy_version: int
    calendar: str
    calendar_version: int
    started_at: AwareDatetime
    due_at: AwareDatetime
    until: AwareDatetime
    elapsed: Span
    segments: list[SegmentOut]
    corrections: list[CorrectionOut]

    @classmethod
    def of(cls, told: Told) -> "LedgerOut":
        run, priced = told.state.run, told.state.priced
        return cls(
            clock_id=told.state.clock_id,
            metric=run.metric,
            basis=told.state.basis,
            policy=priced.policy.policy_id,
            policy_version=priced.policy.version,
            calendar=priced.calendar.spec.calendar_id,
            calendar_version=priced.calendar.version,
            started_at=instant_of(run.start),
            due_at=instant_of(told.state.due),
            until=instant_of(run.end.at) if run.end else max(told.now, instant_of(run.start)),
            elapsed=timedelta(microseconds=sum(one.counted for one in told.segments)),
            segments=[SegmentOut.of(one) for one in told.segments],
            corrections=[CorrectionOut.of(one) for one in told.corrected],
        )


class HeldOut(BaseModel):
    """What one holder had of a clock. `asked` is a team that a transfer task was open to, `queue` nobody yet."""

    kind: HolderKind
    team_id: str | None
    team_name: Bilingual | None
    person: StaffContact | None
    name: Bilingual
    wall: Span
    counted: Span

    @classmethod
    def of(cls, held: Held) -> "HeldOut":
        holder = held.holder
        return cls(
            kind=holder.kind,
            team_id=holder.team_id,
            team_name=holder.team_name,
            person=holder.person,
            name=name_of(holder),
            wall=timedelta(microseconds=held.wall),
            counted=timedelta(microseconds=held.counted),
        )


class HoldersOut(BaseModel):
    """Who held a clock how long, in the order in which they first held it. The `wall` times of all holders add up to
    that of the whole, from `started_at` to `until`; the `counted` ones to `elapsed` of the ledger."""

    clock_id: UUID
    metric: Metric
    started_at: AwareDatetime
    until: AwareDatetime
    wall: Span
    counted: Span
    holders: list[HeldOut]

    @classmethod
    def of(cls, split: Split) -> "HoldersOut":
        run = split.state.run
        started = instant_of(run.start)
        until = instant_of(run.end.at) if run.end else max(split.now, started)
        return cls(
            clock_id=split.state.clock_id,
            metric=run.metric,
            started_at=started,
            until=until,
            wall=until - started,
            counted=timedelta(microseconds=sum(one.counted for one in split.held)),
            holders=[HeldOut.of(one) for one in split.held],
        )


class PolicyIn(BaseModel):
    """A new version of a policy. Without `valid_from` it holds from now on. `change` says what becomes of the clocks
    that run then: `keep` the version they have, `rebase` (the new terms from then on, with what has elapsed), or
    `restart` (anew from then on); a clock that is late already stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "policy": {
                        "policy_id": "vip-hotline",
                        "title": {"zh": "重要客户热线承诺", "en": "Hotline of important customers"},
                        "position": 50,
                        "calendar": "cn-office",
                        "when": {"channels": ["hotline"], "kinds": ["complaint"], "urgencies": ["high", "medium"]},
                        "rules": {
                            "first_response": {
                                "every": {"due": {"kind": "elapsed", "time": "PT10M"}},
                                "warn": {"share": 0.8},
                                "escalation": [{"role": "agent"}, {"role": "team_lead", "after": "PT15M"}],
                            }
                        },
                    },
                    "change": "rebase",
                    "reason": "年度合同约定10分钟内响应",
                }
            ]
        },
    )

    policy: PolicySpec
    valid_from: Instant | None = None
    change: ChangeMode = "keep"
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class PolicyEnd(BaseModel):
    """The end of a policy. Without `valid_to` it holds no more from now on. Clocks that run then go on under it
    (`keep`), or are measured by the next policy of the track that fits, from then on with what has elapsed (`rebase`)
    or anew (`restart`), and are cancelled where there is none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"valid_to": "2027-01-01T00:00:00+08:00", "reason": "合同到期"}]},
    )

    valid_to: Instant | None = None
    change: ChangeMode = "rebase"
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class PolicyOut(BaseModel):
    """A version of a policy. `valid_to` is from when the next one holds; with `ended` the policy is over from
    `valid_from` on."""

    policy_id: str
    version: int
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None = None
    change: ChangeMode
    ended: bool
    policy: PolicySpec
    calendar_version: int
    reason: str
    created_by: Actor
    created_at: AwareDatetime

    @classmethod
    def newest_first(cls, rows: Sequence[Any]) -> "list[PolicyOut]":
        """Versions of policies, of each the newest first."""
        following = [None, *rows]
        return [
            cls._of(row, after.valid_from if after is not None and after.policy_id == row.policy_id else None)
            for after, row in zip(following, rows, strict=False)
        ]

    @classmethod
    def made(cls, version: PolicyVersion, reason: str, by: Actor, at: datetime) -> "PolicyOut":
        return cls(
            policy_id=version.policy_id,
            version=version.version,
            valid_from=version.valid_from,
            change=version.change,
            ended=version.ended,
            policy=version.spec,
            calendar_version=version.calendar_version,
            reason=reason,
            created_by=by,
            created_at=at,
        )

    @classmethod
    def _of(cls, row: Any, valid_to: datetime | None) -> "PolicyOut":
        return cls(
            policy_id=row.policy_id,
            version=row.version,
            valid_from=row.valid_from,
            valid_to=valid_to,
            change=row.change,
            ended=row.ended,
            policy=PolicySpec.model_validate(row.spec),
            calendar_version=row.calendar_version,
            reason=row.reason,
            created_by=row.created_by,
            created_at=row.created_at,
        )


class CalendarIn(BaseModel):
    """A new version of a calendar. Without `valid_from` it holds from now on. With `reprice` the clocks that run are
    priced anew by it from then on; otherwise they keep the version that they started with."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "calendar": {
                        "calendar_id": "plant-office",
                        "title": {"zh": "工厂工作日历", "en": "Working days of the plant"},
                        "zone": "Asia/Shanghai",
                        "week": {"mon": ["09:00-12:00", "13:00-18:00"], "sat": ["09:00-12:00"]},
                        "closed": {"2026-12-31": "盘点日"},
                    },
                    "reprice": True,
                    "reason": "年末盘点停工一天",
                }
            ]
        },
    )

    calendar: CalendarSpec
    valid_from: Instant | None = None
    reprice: bool = False
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class CalendarOut(BaseModel):
    """A version of a calendar. What a policy pack brought has neither `valid_from` nor author."""

    calendar_id: str
    version: int
    calendar: CalendarSpec
    created_at: AwareDatetime
    valid_from: AwareDatetime | None = None
    reprice: bool = False
    reason: str | None = None
    created_by: Actor | None = None

    @classmethod
    def of(cls, row: Any) -> "CalendarOut":
        return cls(
            calendar_id=row.calendar_id,
            version=row.version,
            calendar=CalendarSpec.model_validate(row.spec),
            created_at=row.created_at,
            valid_from=row.valid_from,
            reprice=row.reprice,
            reason=row.reason,
            created_by=row.created_by,
        )


class Policies(BaseModel):
    data: list[PolicyOut]


class Calendars(BaseModel):
    data: list[CalendarOut]
