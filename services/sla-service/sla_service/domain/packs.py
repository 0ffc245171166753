"""Policy packs: the deadlines of a regulator, or the users' own, as data with source and validity."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric, Urgency
from sla_service.clocks.calendar import CalendarSpec
from sla_service.clocks.durations import describe
from sla_service.clocks.policy import PolicySpec, Rule

_URGENCIES = {
    Urgency.HIGH: Bilingual(zh="高", en="high"),
    Urgency.MEDIUM: Bilingual(zh="中", en="medium"),
    Urgency.LOW: Bilingual(zh="低", en="low"),
}


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Data):
    """Where the figures of some rules come from. `host` is where the instrument is published; `read_in_original` says
    whether they were compared with its own words. Without `policy` it is the source in all policies of the pack."""

    policy: str | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    instrument: Bilingual
    article: str | None = None
    host: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    read_in_original: bool
    note: Bilingual | None = None


class Pack(_Data):
    """Policies with the calendars that they bring; every rule has a source."""

    name: str
    title: Bilingual
    policies: Annotated[tuple[PolicySpec, ...], Field(min_length=1)]
    calendars: tuple[CalendarSpec, ...] = ()
    sources: tuple[Source, ...]

    def source(self, policy: str, metric: Metric) -> Source | None:
        return next((one for one in self.sources if metric in one.metrics and one.policy in (None, policy)), None)

    @model_validator(mode="after")
    def _sourced(self) -> "Pack":
        for policy in self.policies:
            for metric in policy.rules:
                if self.source(policy.policy_id, metric) is None:
                    raise ValueError(f"rules.{metric.value} of {policy.policy_id} has no source")
        return self


def rules_of(policy: PolicySpec) -> list[tuple[Metric, Rule]]:
    """In the order of the metrics: what was kept has none of its own."""
    return [(metric, policy.rules[metric]) for metric in Metric if metric in policy.rules]


def in_words(rule: Rule) -> Bilingual:
    """The targets of a rule as people say them, one per urgency where they differ."""
    told = list(_targets(rule))
    return Bilingual(zh="；".join(one.zh for one in told), en="; ".join(one.en for one in told))


def _targets(rule: Rule) -> Iterator[Bilingual]:
    if rule.every is not None:
        yield describe(rule.every.due)
        return
    for urgency, name in _URGENCIES.items():
        due = describe(rule.target(urgency).due)
        yield Bilingual(zh=f"{name.zh}：{due.zh}", en=f"{name.en}: {due.en}")
