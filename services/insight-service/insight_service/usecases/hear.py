"""What insight-service does when it hears of the others' events: archive every one, and keep one row per complaint
from which trends are counted. Lists in, a handful of statements out."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.domain import archiving, similarity
from insight_service.store import archive, complaints
from insight_service.usecases.deps import Deps
from shared.bus import gathers
from shared.contracts.envelope import ComplaintFacts, Event, newest
from shared.contracts.feedback import SurveyAnsweredV1
from shared.contracts.intake import ComplaintReceivedV1, MessageAddedV1, PersonErasedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1, ProgressToldV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1
from shared.contracts.vocabulary import Purpose


def _dump(content: Any) -> str:
    return to_json(content).decode()


#: The first words of a complaint, for lists of similar ones.
SUMMARY_LENGTH = 200


@gathers
async def keep(events: Sequence[Event], tx: AsyncSession, deps: Deps) -> None:
    """E8: the archive takes every event; and every complaint that an event speaks of has its row."""
    rows = []
    facts: dict[Any, ComplaintFacts] = {}
    for event in events:
        salt = deps.salt()
        taken = archiving.archived(event, salt)
        rows.append((taken, salt, _dump(taken.facts), _dump(taken.personal)))
        known = getattr(event, "facts", None)
        if isinstance(known, ComplaintFacts):
            facts[known.complaint_id] = newest(facts.get(known.complaint_id, known), known)
    await archive.keep(tx, rows, deps.clock.now())
    if facts:
        await complaints.ensure(tx, facts)


async def hear_received(events: Sequence[ComplaintReceivedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.keep_terms(
        tx,
        [
            (
                event.complaint_id,
                event.facts.customer.person_id,
                similarity.terms_of(event.symptom, event.scene, event.impact, *(d.text for d in event.demands)),
                event.symptom[:SUMMARY_LENGTH],
            )
            for event in events
        ],
    )


async def hear_classified(events: Sequence[ComplaintClassifiedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.update_newer(
        tx,
        "classification_revision",
        {"kind": "text", "issue_type": "text", "responsible": "text", "emotion": "text"},
        [
            {
                "complaint_id": event.complaint_id,
                "revision": event.revision,
                "kind": event.kind.value,
                "issue_type": event.issue_type,
                "responsible": event.responsible,
                "emotion": event.emotion.value,
            }
            for event in events
        ],
    )


async def hear_assigned(events: Sequence[ComplaintAssignedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.update_newer(
        tx,
        "assignment_revision",
        {"team_id": "text", "agent_id": "text"},
        [
            {
                "complaint_id": event.complaint_id,
                "revision": event.revision,
                "team_id": event.team_id,
                "agent_id": event.agent.staff_id if event.agent else None,
            }
            for event in events
        ],
    )


async def hear_moved(events: Sequence[CaseMovedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.update_newer(
        tx,
        "move_revision",
        {"state": "text", "cycle": "int"},
        [
            {
                "complaint_id": event.complaint_id,
                "revision": event.revision,
                "state": event.to_state.value,
                "cycle": event.cycle,
            }
            for event in events
        ],
    )


async def hear_resolved(events: Sequence[CaseResolvedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.resolved(
        tx,
        [
            (event.complaint_id, event.occurred_at, event.cycle, ",".join(sorted(set(event.measure_kinds))))
            for event in events
        ],
    )


async def hear_answered(events: Sequence[SurveyAnsweredV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    await complaints.update_newer(
        tx,
        "satisfaction_cycle",
        {"satisfaction": "int", "satisfied": "bool"},
        [
            {
                "complaint_id": event.complaint_id,
                "revision": event.cycle,
                "satisfaction": event.satisfaction,
                "satisfied": event.satisfied,
            }
            for event in events
        ],
    )


async def hear_progress(events: Sequence[ProgressToldV1], tx: AsyncSession, deps: Deps) -> None:
    """The first word that reaches the customer is the first response (F1), whoever sends it."""
    await keep(events, tx, deps)
    await complaints.first_response(tx, [(event.complaint_id, event.occurred_at) for event in events])


async def hear_message(events: Sequence[MessageAddedV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    answers = [(event.complaint_id, event.occurred_at) for event in events if not event.inbound]
    if answers:
        await complaints.first_response(tx, answers)


async def hear_delivered(events: Sequence[MessageDeliveredV1], tx: AsyncSession, deps: Deps) -> None:
    await keep(events, tx, deps)
    acknowledged = [
        (event.facts.complaint_id, event.occurred_at)
        for event in events
        if event.purpose is Purpose.ACKNOWLEDGEMENT and event.facts is not None
    ]
    if acknowledged:
        await complaints.first_response(tx, acknowledged)


async def hear_erased(events: Sequence[PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    await archive.forget(tx, [event.person_id for event in events])
    await keep(events, tx, deps)
