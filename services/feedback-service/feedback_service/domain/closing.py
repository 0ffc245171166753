"""When a case may close (D3, D4). Pure."""

from dataclasses import dataclass
from datetime import datetime

from feedback_service.domain.errors import CaseAlreadyClosed, CaseNotResolved, ClosingNeedsReason
from shared.contracts.envelope import Actor, ComplaintFacts
from shared.contracts.feedback import ClosingSummaryWrittenV1
from shared.contracts.vocabulary import CaseState
from shared.ids import derived_id


@dataclass(frozen=True)
class Standing:
    """What is known of one complaint's present cycle when somebody wants to close it."""

    facts: ComplaintFacts
    cycle: int
    state: CaseState | None
    satisfied: bool | None
    visit_open: bool
    closed: bool


def close(
    standing: Standing,
    *,
    summary: str,
    other_wishes: str,
    closed_with_reason: str | None,
    actor: Actor,
    at: datetime,
) -> ClosingSummaryWrittenV1:
    """D3, D4: a case closes when its complainant is satisfied and was visited, or with a reason why it closes without.

    Raises `CaseNotResolved`, `CaseAlreadyClosed`, `ClosingNeedsReason`.
    """
    if standing.closed:
        raise CaseAlreadyClosed("One cycle has one closing summary.")
    if standing.state not in {CaseState.RESOLVED, CaseState.CONFIRMED}:
        raise CaseNotResolved(f"The case is {standing.state or 'not known here'}; resolve it first.")
    if closed_with_reason is None:
        if standing.satisfied is None:
            raise ClosingNeedsReason(
                "Nobody has said yet whether it helped: wait for survey or visit, or give closed_with_reason.",
                pointer="/closed_with_reason",
            )
        if not standing.satisfied:
            raise ClosingNeedsReason(
                "The complainant is not satisfied: it is analysed again, or closed with a reason.",
                pointer="/closed_with_reason",
            )
        if standing.visit_open:
            raise ClosingNeedsReason(
                "The follow-up visit is not done: do it, or give closed_with_reason.", pointer="/closed_with_reason"
            )
    return ClosingSummaryWrittenV1(
        event_id=derived_id("closing", standing.facts.complaint_id, standing.cycle),
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        facts=standing.facts,
        cycle=standing.cycle,
        summary=summary,
        other_wishes=other_wishes,
        satisfied=bool(standing.satisfied),
        closed_with_reason=closed_with_reason,
    )
