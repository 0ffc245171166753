"""What is particular about each metric: whether there must be a rule for it, and what always stops its clock."""

from collections.abc import Mapping

from shared.contracts.vocabulary import Metric, RegulatorStage

WAITING_CUSTOMER = "waiting_customer"
WAITING_THIRD_PARTY = "waiting_third_party"

#: Every complaint is measured by these (F1-F8, C5), so a policy without conditions must have a rule for each. The
#: others are measured where a policy asks for them, and else have no clock.
OBLIGATORY = frozenset(
    {
        Metric.FIRST_RESPONSE,
        Metric.RESOLUTION,
        Metric.TRANSFER_RESPONSE,
        Metric.PERIODIC_UPDATE,
        Metric.SURVEY,
        Metric.FOLLOW_UP,
        Metric.RECORDING,
        Metric.IMPROVEMENT_ACTION,
        Metric.PROMISE,
    }
)

#: The cadences: due again and again until the resolution.
CADENCES = frozenset({Metric.PERIODIC_UPDATE, Metric.PAUSABLE_UPDATE})

#: Pauses that belong to what the metric means, whatever `pauses` of the rule says.
STANDS_STILL: Mapping[Metric, frozenset[str]] = {
    Metric.PAUSABLE_UPDATE: frozenset({WAITING_CUSTOMER}),
    Metric.AGENT_WORK_TIME: frozenset({WAITING_CUSTOMER, WAITING_THIRD_PARTY}),
}

_Stages = frozenset[RegulatorStage]

#: From which stage of a regulator's proceeding to which a metric runs; the stages that end it unanswered come third.
REGULATOR: Mapping[Metric, tuple[RegulatorStage, _Stages, _Stages]] = {
    Metric.REGULATOR_DISPATCH: (
        RegulatorStage.RECEIVED,
        frozenset({RegulatorStage.DISPATCHED}),
        frozenset({RegulatorStage.REFUSED}),
    ),
    Metric.REGULATOR_ACCEPT: (
        RegulatorStage.RECEIVED,
        frozenset({RegulatorStage.ACCEPTED, RegulatorStage.REFUSED}),
        frozenset(),
    ),
    Metric.REGULATOR_RESPOND: (
        RegulatorStage.RECEIVED,
        frozenset({RegulatorStage.RESPONDED, RegulatorStage.DECIDED}),
        frozenset({RegulatorStage.REFUSED}),
    ),
    Metric.REGULATOR_DECIDE: (RegulatorStage.ACCEPTED, frozenset({RegulatorStage.DECIDED}), frozenset()),
    Metric.REGULATOR_INFORM: (RegulatorStage.DECIDED, frozenset({RegulatorStage.INFORMED}), frozenset()),
    Metric.REGULATOR_FINAL: (
        RegulatorStage.RECEIVED,
        frozenset({RegulatorStage.DECIDED}),
        frozenset({RegulatorStage.REFUSED}),
    ),
}
