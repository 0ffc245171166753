"""Closing: other wishes asked, summary written (D4)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service import domain, store
from feedback_service.usecases.deps import Deps
from shared.bus import outbox
from shared.contracts.envelope import Actor, ComplaintFacts
from shared.contracts.feedback import ClosingSummaryWrittenV1
from shared.contracts.vocabulary import CaseState, VisitOutcome


async def close_case(
    complaint_id: UUID,
    *,
    summary: str,
    other_wishes: str,
    closed_with_reason: str | None,
    actor: Actor,
    tx: AsyncSession,
    deps: Deps,
) -> ClosingSummaryWrittenV1:
    event = domain.close(
        await _standing(tx, complaint_id),
        summary=summary,
        other_wishes=other_wishes,
        closed_with_reason=closed_with_reason,
        actor=actor,
        at=deps.clock.now(),
    )
    await store.insert_closing(
        tx,
        {
            "complaint_id": complaint_id,
            "cycle": event.cycle,
            "person_id": event.facts.customer.person_id,
            "number": event.number,
            "summary": summary,
            "other_wishes": other_wishes,
            "satisfied": event.satisfied,
            "closed_with_reason": closed_with_reason,
            "written_at": event.occurred_at,
            "written_by": actor.model_dump(mode="json"),
        },
    )
    outbox.add(tx, event)
    return event


async def _standing(tx: AsyncSession, complaint_id: UUID) -> domain.Standing:
    survey = await store.latest_survey(tx, complaint_id)
    if survey is None:
        raise domain.CaseNotResolved("feedback-service has heard of no resolution of this complaint.")
    case = await store.case_of(tx, complaint_id)
    visit = await store.visit(tx, domain.visit_id_of(complaint_id, survey.cycle))
    state = CaseState(case.state) if case is not None else CaseState.RESOLVED
    if case is not None and case.cycle > survey.cycle:
        state = CaseState(case.state)  # reopened since: the new cycle has no resolution yet
    elif case is not None and case.cycle < survey.cycle:
        state = CaseState.RESOLVED  # the resolution was heard before the moves that led to it
    verdicts = [
        verdict for verdict in (survey.satisfied, _verdict(visit.outcome if visit else None)) if verdict is not None
    ]
    return domain.Standing(
        facts=ComplaintFacts.model_validate(survey.facts),
        cycle=survey.cycle,
        state=state,
        satisfied=all(verdicts) if verdicts else None,
        visit_open=visit is not None and visit.done_at is None,
        closed=await store.closing(tx, complaint_id, survey.cycle) is not None,
    )


def _verdict(outcome: str | None) -> bool | None:
    return {VisitOutcome.SATISFIED.value: True, VisitOutcome.DISSATISFIED.value: False}.get(outcome or "")
