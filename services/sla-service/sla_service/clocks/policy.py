"""Policies (F9): which durations hold for whom, as versioned data.

A *book* is every version of every policy. For each metric the first policy in order applies that is valid at the
clock's start, whose conditions the complaint meets, and that has a rule for the metric. Policies of different tracks
do not rule each other out: each track prices its own clock (the customer's promise, a department's agreement).
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric, Urgency
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.conditions import Choice, Compared, Conditions, PassedOver, Subject
from sla_service.clocks.durations import Duration, Elapsed, Own, WithResolution
from sla_service.clocks.instants import micros
from sla_service.clocks.metrics import CADENCES, OBLIGATORY
from sla_service.clocks.runs import Change

#: The track of what the company promises its customers.
SERVICE = "service"
Role = Literal["agent", "team_lead", "department_manager", "executive"]
PauseReason = Literal["waiting_customer"]
#: What a new version means for clocks that run at its `valid_from`: they keep the version that they have, they take the
#: new terms from then on with what has elapsed, or they start anew.
ChangeMode = Literal["keep", "rebase", "restart"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_FIRST_AND_UNASKED = Choice()


class Warning_(_Data):
    """Warn when `share` of the allowed time is used up, or `before` it is, whichever comes first (F10)."""

    share: Annotated[float | None, Field(gt=0, lt=1)] = None
    before: Annotated[timedelta | None, Field(gt=timedelta(0))] = None


class Step(_Data):
    """One step of an escalation chain, `after` the breach or at a `share` of the allowed time beyond it (F10). With
    `business` that delay is working time of the policy's calendar; with `unless_acknowledged` the step is not raised
    where an earlier one of the chain was acknowledged by then."""

    role: Role
    after: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=366))] = timedelta(0)
    share: Annotated[float | None, Field(ge=0, le=100)] = None
    business: bool = False
    unless_acknowledged: bool = False


class Target(_Data):
    """When it is due. For a cadence (F4) `again` is the next period's: the same, never, or another duration."""

    due: Duration
    again: Duration | Literal["same", "never"] = "same"

    @property
    def repeated(self) -> "Target | None":
        """The target of every period after the first; None where there is none."""
        if self.again == "never":
            return None
        return self if self.again == "same" else Target(due=self.again, again="same")


class PauseTerms(_Data):
    """What a pause must be like. `longest` in all, of plain time: beyond it the clock runs on by itself. `evidence`: a
    question must have gone to the customer within the 24 hours before or at its beginning. `not_before_due` is how
    shortly before the due instant none may begin. With `give_back` a pause against these two counts as run."""

    longest: Annotated[timedelta | None, Field(gt=timedelta(0), le=timedelta(days=366))] = None
    evidence: bool = False
    not_before_due: Annotated[timedelta | None, Field(gt=timedelta(0), le=timedelta(days=366))] = None
    give_back: bool = False

    @model_validator(mode="after")
    def _something_to_give_back(self) -> "PauseTerms":
        if self.give_back and not self.evidence and self.not_before_due is None:
            raise ValueError("`give_back` without `evidence` or `not_before_due` gives nothing back")
        return self


class Rule(_Data):
    """One metric: a target per urgency, or one for all of them."""

    high: Target | None = None
    medium: Target | None = None
    low: Target | None = None
    every: Target | None = None
    warn: Warning_ | None = None
    pauses: tuple[PauseReason, ...] = ()
    pause_terms: PauseTerms = PauseTerms()
    escalation: tuple[Step, ...] = ()

    @property
    def by_calendar(self) -> bool:
        """Whether a target or a step of the chain depends on what days are working days."""
        if any(step.business for step in self.escalation):
            return True
        targets = filter(None, (self.high, self.medium, self.low, self.every))
        durations = [due for one in targets for due in (one.due, one.again)]
        return any(not isinstance(due, str | Elapsed | Own) for due in durations)

    @model_validator(mode="after")
    def _no_gap(self) -> "Rule":
        given = [urgency for urgency in Urgency if getattr(self, urgency.value) is not None]
        if self.every is None and len(given) < len(Urgency):
            missing = ", ".join(urgency.value for urgency in Urgency if urgency not in given)
            raise ValueError(f"no target for {missing}: give one, or `every` for all urgencies")
        if self.every is not None and given:
            raise ValueError(f"both `every` and {given[0].value} are given: which one holds is not clear")
        if self.pause_terms != PauseTerms() and not self.pauses:
            raise ValueError("`pause_terms` are given, but no reason in `pauses` may stop the clock")
        for business in (False, True):
            delays = [(step.share or 0, step.after) for step in self.escalation if step.business is business]
            if delays != sorted(delays):
                raise ValueError("the steps of `escalation` must be in order of time")
        if self.escalation and self.escalation[0].unless_acknowledged:
            raise ValueError("the first step of `escalation` has none before it that could be acknowledged")
        return self

    def target(self, urgency: Urgency) -> Target:
        found = self.every
        if found is None:
            found = self.high if urgency is Urgency.HIGH else self.medium if urgency is Urgency.MEDIUM else self.low
        assert found is not None  # _no_gap
        return found


_WITH_OWN = frozenset({Metric.PROMISE, Metric.IMPROVEMENT_ACTION, Metric.FOLLOW_UP})


class PolicySpec(_Data):
    """A policy as data. `calendar` names the business calendar that its working time is counted on."""

    policy_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
    title: Bilingual
    position: int = 100
    track: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = SERVICE
    calendar: str
    when: Conditions = Conditions()
    rules: Annotated[dict[Metric, Rule], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_kept(self) -> "PolicySpec":
        if "\\u0000" in self.model_dump_json():
            raise ValueError("a text of the policy has a NUL character, which cannot be kept")
        return self

    @field_validator("rules")
    @classmethod
    def _due_instants_exist(cls, rules: dict[Metric, Rule]) -> dict[Metric, Rule]:
        for metric, rule in rules.items():
            for target in filter(None, (rule.high, rule.medium, rule.low, rule.every)):
                if isinstance(target.due, Own) and metric not in _WITH_OWN:
                    raise ValueError(f"{metric.value} has no due time of its own")
                if isinstance(target.due, WithResolution) and metric not in CADENCES:
                    raise ValueError(f"{metric.value}: only a cadence can be due with the resolution")
        return rules


def in_order(versions: Iterable["PolicyVersion"]) -> list["PolicyVersion"]:
    """As they are looked at: by position, then by id."""
    return sorted(versions, key=lambda one: (one.spec.position, one.policy_id))


def overlap(spec: PolicySpec, others: Iterable[PolicySpec]) -> PolicySpec | None:
    """Another policy of the same track and position that a complaint may meet as well, with a rule for the same
    metric: which of the two comes first would be left to their ids."""
    for other in others:
        beside = (other.track, other.position) == (spec.track, spec.position) and other.policy_id != spec.policy_id
        if beside and spec.rules.keys() & other.rules.keys() and not spec.when.excludes(other.when):
            return other
    return None


def gap(policies: Sequence[PolicySpec]) -> str | None:
    """What a set of policies leaves without a rule: what every complaint has needs one without conditions."""
    covered = {metric for policy in policies if not policy.when.demanding for metric in policy.rules}
    missing = [metric.value for metric in Metric if metric in OBLIGATORY - covered]
    return f"no policy without conditions has a rule for {', '.join(missing)}" if missing else None


class PolicyVersion(_Data):
    """`change` says what becomes of clocks that run at `valid_from`. A version that is `ended` holds for nobody: the
    policy ends with it."""

    spec: PolicySpec
    version: int
    valid_from: AwareDatetime
    change: ChangeMode = "keep"
    ended: bool = False
    #: Fixed at publication. A later version of the calendar holds for clocks that start from its `valid_from` on, and
    #: for running ones only where it was published with `reprice`; what a pack renews holds with the pack's policies.
    calendar_version: int = 1

    @property
    def policy_id(self) -> str:
        return self.spec.policy_id


@dataclass(frozen=True, slots=True)
class Priced:
    """What one clock is measured by, and why: the policy was the first in order that fits."""

    policy: PolicyVersion
    rule: Rule
    calendar: Calendar
    why: Choice = _FIRST_AND_UNASKED


@dataclass(frozen=True, slots=True)
class DatedCalendar:
    """A version of a calendar that a person published, in microseconds since 1970: from when it holds, since when that
    is known, and whether running clocks are priced anew by it."""

    calendar: Calendar
    valid_from: int
    published: int
    reprice: bool


class Book:
    """All policies and calendars, ready to choose from. Immutable; a new version makes a new book."""

    def __init__(
        self,
        policies: Iterable[PolicyVersion],
        calendars: Mapping[tuple[str, int], Calendar],
        revision: int = 0,
        dated: Iterable[DatedCalendar] = (),
        waiting: Collection[tuple[str, int]] = (),
    ) -> None:
        """`waiting` are the versions that have not been brought to running clocks yet."""
        self.revision = revision
        self.dated = tuple(sorted(dated, key=lambda one: one.calendar.version))
        self.calendars = dict(calendars)
        self.versions: dict[str, list[PolicyVersion]] = {}
        for policy in sorted(policies, key=lambda one: (one.policy_id, one.version)):
            self.versions.setdefault(policy.policy_id, []).append(policy)
        turns = sorted({micros(one.valid_from) for versions in self.versions.values() for one in versions})
        self._turns = turns
        self._holding = [self._valid_at(turn) for turn in turns]
        moving = [one for versions in self.versions.values() for one in versions if one.change != "keep"]
        moving.sort(key=lambda one: (one.valid_from, one.policy_id, one.version))
        self._moving = [(micros(one.valid_from), one) for one in moving]
        #: The versions that have come for running clocks, each with its instant, in order.
        self.turns = [(at, one) for at, one in self._moving if (one.policy_id, one.version) not in waiting]
        #: Whether any policy asks for something: what is learned of a complaint may then change the choice.
        self.demanding = any(one.spec.when.demanding for versions in self.versions.values() for one in versions)
        self._rules = {
            (policy.policy_id, policy.version, metric): Priced(
                policy, rule, self.calendars[policy.spec.calendar, policy.calendar_version]
            )
            for versions in self.versions.values()
            for policy in versions
            for metric, rule in policy.spec.rules.items()
        }
        #: Metrics beside those that every complaint has, for which some version of a policy has a rule.
        self.beside = frozenset(metric for _, _, metric in self._rules) - OBLIGATORY
        self._fitting_at = lru_cache(maxsize=2_000)(
            lambda place, metric, subject: self._fitting(metric, self._holding[place] if place >= 0 else (), subject)
        )

    def _valid_at(self, instant: int) -> list[PolicyVersion]:
        found = [
            [one for one in versions if micros(one.valid_from) <= instant][-1:] for versions in self.versions.values()
        ]
        return in_order(one for held in found for one in held if not one.ended)

    def valid_at(self, instant: int) -> list[PolicyVersion]:
        """The version of each policy that holds at the instant, in order of choice."""
        place = bisect_right(self._turns, instant) - 1
        return self._holding[place] if place >= 0 else []

    def valid_at_instant(self, instant: datetime) -> list[PolicyVersion]:
        return self.valid_at(micros(instant))

    def choose(self, metric: Metric, start: int, subject: Subject | None) -> Mapping[str, Priced]:
        """The policy of each track for a clock that starts at `start`; first match in order. `subject` may be None
        where the book is not `demanding`."""
        return self._dated(self._fitting_at(bisect_right(self._turns, start) - 1, metric, subject), start)

    def pick(
        self, metric: Metric, versions: Iterable[PolicyVersion], at: int, subject: Subject | None
    ) -> Mapping[str, Priced]:
        """Of these versions, in their order, the first that fits on each track; its calendar is the one of `at`."""
        return self._dated(self._fitting(metric, versions, subject), at)

    def _fitting(
        self, metric: Metric, versions: Iterable[PolicyVersion], subject: Subject | None
    ) -> Mapping[str, Priced]:
        chosen: dict[str, Priced] = {}
        passed: dict[str, list[PassedOver]] = {}
        for policy in versions:
            track = policy.spec.track
            if track in chosen:
                continue
            met, failed = _looked_at(policy.spec, metric, subject)
            if failed is not None:
                one = PassedOver(policy=policy.policy_id, version=policy.version, failed=failed)
                passed.setdefault(track, []).append(one)
                continue
            priced = self._rules[policy.policy_id, policy.version, metric]
            why = Choice(passed_over=tuple(passed.get(track, ())), met=tuple(met))
            chosen[track] = replace(priced, why=why)
        return chosen

    def _dated(self, chosen: Mapping[str, Priced], at: int) -> Mapping[str, Priced]:
        """With the calendars that hold at the instant."""
        if not self.dated:
            return chosen
        return {track: replace(priced, calendar=self._calendar_at(priced, at)) for track, priced in chosen.items()}

    def title(self, policy_id: str, version: int) -> Bilingual:
        """The title of a version that is kept. Raises `StopIteration` for another."""
        return next(one.spec.title for one in self.versions[policy_id] if one.version == version)

    def rule(self, policy_id: str, version: int, metric: Metric) -> Priced | None:
        return self._rules.get((policy_id, version, metric))

    def as_of(self, instant: int) -> "Book":
        """The book as it was at the instant: without calendars that were published later, and with all versions that
        had come by then for running clocks."""
        earlier = copy(self)
        earlier.dated = tuple(one for one in self.dated if one.published <= instant)
        earlier.turns = [(at, one) for at, one in self._moving if at <= instant]
        return earlier

    def without(self, policies: Collection[tuple[str, int]], calendars: Collection[tuple[str, int]]) -> "Book":
        """The book before these versions were brought to running clocks."""
        earlier = copy(self)
        earlier.turns = [(at, one) for at, one in self.turns if (one.policy_id, one.version) not in policies]
        earlier.dated = tuple(
            replace(one, reprice=one.reprice and (one.calendar.spec.calendar_id, one.calendar.version) not in calendars)
            for one in self.dated
        )
        return earlier

    def calendar_version(self, calendar_id: str, instant: int) -> int:
        """The newest version that holds at the instant; 0 where there is none."""
        coming = {
            one.calendar.version
            for one in self.dated
            if one.calendar.spec.calendar_id == calendar_id and one.valid_from > instant
        }
        return max(
            (found for known, found in self.calendars if known == calendar_id and found not in coming), default=0
        )

    def repriced_after(self, priced: Priced, start: int) -> list[Change]:
        """The later versions of the calendar by which a clock that started then is priced anew."""
        if not self.dated or not priced.rule.by_calendar:
            return []
        return [
            Change(one.valid_from, None, calendar=one.calendar)
            for one in self._newer(priced.calendar)
            if one.reprice and one.valid_from > start
        ]

    def _calendar_at(self, priced: Priced, start: int) -> Calendar:
        holding = [one.calendar for one in self._newer(priced.calendar) if one.valid_from <= start]
        return holding[-1] if holding else priced.calendar

    def _newer(self, calendar: Calendar) -> list[DatedCalendar]:
        return [
            one
            for one in self.dated
            if one.calendar.spec.calendar_id == calendar.spec.calendar_id and one.calendar.version > calendar.version
        ]


def _looked_at(spec: PolicySpec, metric: Metric, subject: Subject | None) -> tuple[list[Compared], Compared | None]:
    """What of the policy the clock meets, and the first that it does not."""
    met: list[Compared] = []
    for one in spec.when.compared(subject):
        if not one.met:
            return met, one
        met.append(one)
    if metric not in spec.rules:
        return met, Compared(condition="rules", asked=tuple(sorted(spec.rules)), has=metric.value)
    return met, None
