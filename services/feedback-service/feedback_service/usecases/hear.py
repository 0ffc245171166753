"""What feedback-service does when it hears of the others' events. Lists in, a handful of statements out."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service import domain, store
from feedback_service.usecases.deps import ACTOR, Deps
from shared.bus import outbox
from shared.contracts.envelope import Event
from shared.contracts.intake import PersonErasedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1
from shared.contracts.vocabulary import Purpose


async def ask_and_plan(events: Sequence[CaseResolvedV1], tx: AsyncSession, deps: Deps) -> None:
    """After a resolution: offer the survey at once (F5 gives a day), plan the follow-up visit and give it to the agent
    who had the case (B5: one agent to the end)."""
    now = deps.clock.now()
    gone = await store.erased_among(tx, {event.facts.customer.person_id for event in events})
    surveys, visits = {}, {}
    survey_rows, visit_rows = [], []
    for event in events:
        facts = event.facts
        if facts.customer.person_id in gone:
            facts = facts.model_copy(update={"customer": facts.customer.model_copy(update={"display": ""})})
            event = event.model_copy(update={"facts": facts})
        url = deps.survey_url(domain.survey_id_of(event.complaint_id, event.cycle))
        offered = domain.survey_offered(event, url=url, periods=deps.periods, actor=ACTOR, recorded_at=now)
        planned = domain.follow_up_planned(event, periods=deps.periods, actor=ACTOR, recorded_at=now)
        surveys[offered.survey_id], visits[planned.visit_id] = offered, (planned, event.agent)
        shared = {
            "complaint_id": event.complaint_id,
            "person_id": facts.customer.person_id,
            "cycle": event.cycle,
            "facts": facts.model_dump(mode="json"),
        }
        survey_rows.append(
            shared
            | {
                "survey_id": offered.survey_id,
                "offered_at": offered.occurred_at,
                "resolved_at": event.occurred_at,
                "expires_at": offered.expires_at,
            }
        )
        visit_rows.append(
            shared
            | {
                "visit_id": planned.visit_id,
                "means": planned.means,
                "planned_at": planned.occurred_at,
                "earliest_at": planned.earliest_at,
                "due_at": planned.due_at,
                "assignee": event.agent.model_dump(mode="json") if event.agent else None,
                "assignee_id": event.agent.staff_id if event.agent else None,
                "assignment_revision": 1 if event.agent else 0,
            }
        )
    told: list[Event] = [surveys[survey_id] for survey_id in await store.insert_surveys(tx, survey_rows)]
    for visit_id in await store.insert_visits(tx, visit_rows):
        planned, agent = visits[visit_id]
        told.append(planned)
        if agent is not None:
            told.append(domain.follow_up_assigned(planned.facts, planned.cycle, agent, revision=1, actor=ACTOR, at=now))
    outbox.add(tx, *told)


async def follow_case(events: Sequence[CaseMovedV1], tx: AsyncSession, deps: Deps) -> None:
    await store.keep_moves(
        tx,
        [
            {
                "complaint_id": event.complaint_id,
                "person_id": event.facts.customer.person_id,
                "move_revision": event.revision,
                "state": event.to_state.value,
                "cycle": event.cycle,
            }
            for event in events
        ],
    )


async def note_delivery(events: Sequence[MessageDeliveredV1], tx: AsyncSession, deps: Deps) -> None:
    rows = [
        {"survey_id": event.reference_id, "delivered_at": event.occurred_at}
        for event in events
        if event.purpose is Purpose.SURVEY and event.reference_id is not None
    ]
    if rows:
        await store.keep_deliveries(tx, rows)


async def forget(events: Sequence[PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    await store.erase(tx, [event.person_id for event in events])
