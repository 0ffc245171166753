"""Rules of measures (C1)."""

from collections.abc import Mapping

from shared.contracts.envelope import Actor, Money
from shared.contracts.vocabulary import MeasureKind, MeasureStatus

#: Kinds by which money leaves the house.
PAID: frozenset[MeasureKind] = frozenset({MeasureKind.COMPENSATION, MeasureKind.REFUND})


def needs_approval(kind: MeasureKind, amount: Money | None, limits_minor: Mapping[str, int]) -> bool:
    """Money over its currency's limit needs a manager; so does any sum in a currency without one."""
    if amount is None or kind not in PAID:
        return False
    limit = limits_minor.get(amount.currency)
    return limit is None or amount.amount_minor > limit


def first_status(kind: MeasureKind, amount: Money | None, limits_minor: Mapping[str, int]) -> MeasureStatus:
    waits = needs_approval(kind, amount, limits_minor)
    return MeasureStatus.AWAITING_APPROVAL if waits else MeasureStatus.PROPOSED


def may_decide(proposer: Actor, decider: Actor) -> bool:
    """Four eyes: nobody approves what they proposed themselves."""
    return (proposer.kind, proposer.id) != (decider.kind, decider.id)


#: From which status a measure can be done.
DOABLE: frozenset[MeasureStatus] = frozenset({MeasureStatus.PROPOSED, MeasureStatus.APPROVED})
#: What counts as part of the solution when the result is written.
COUNTED: frozenset[MeasureStatus] = DOABLE | {MeasureStatus.DONE}
