"""The stages of regulators' proceedings. The state of the case is nothing to them: an authority goes on when it is
closed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.vocabulary import ClockStatus, Metric, RegulatorStage
from shared.ids import derived_id
from sla_service.clocks.facts import STAGES, Fact, FactKind
from sla_service.clocks.metrics import REGULATOR
from sla_service.clocks.runs import End, earliest, fulfilled


@dataclass(frozen=True, slots=True)
class Proceeding:
    """One metric of one authority's proceeding: where it starts, and what ended it."""

    authority: str
    subject_id: UUID
    metric: Metric
    start: Fact
    end: End | None


def proceedings(
    complaint_id: UUID, of: Mapping[FactKind, Sequence[Fact]], measured: Collection[Metric]
) -> Iterator[Proceeding]:
    """Of a stage that was recorded more than once the first counts, of one that was taken back nothing. A stage that
    ends a metric before what starts it was told ends it at once; without what starts it there is no clock."""
    taken_back = {fact.subject_id for fact in of.get(FactKind.REGULATOR_TAKEN_BACK, ())}
    first: dict[str, dict[RegulatorStage, Fact]] = {}
    for stage, kind in STAGES.items():
        for fact in of.get(kind, ()):
            if fact.subject_id in taken_back:
                continue
            assert fact.team_id is not None
            first.setdefault(fact.team_id, {}).setdefault(stage, fact)
    for authority, stages in sorted(first.items()):
        subject_id = derived_id("regulator", complaint_id, authority)
        for metric, (starting, answering, cancelling) in REGULATOR.items():
            if metric in measured and (start := stages.get(starting)) is not None:
                ends = [fulfilled(stages[one], start.at) for one in answering if one in stages]
                ends += [
                    End(max(stages[one].at, start.at), ClockStatus.CANCELLED, one.value, stages[one].fact_id)
                    for one in (*cancelling, RegulatorStage.WITHDRAWN)
                    if one in stages
                ]
                yield Proceeding(authority, subject_id, metric, start, earliest(ends))
