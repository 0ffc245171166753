"""What triage does of itself: assess a received complaint, follow its case, forget a person."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.contracts.envelope import ComplaintFacts, Event
from shared.contracts.intake import ComplaintReceivedV1, PersonErasedV1
from shared.contracts.resolution import CaseMovedV1
from triage_service.domain import cases as domain
from triage_service.domain.assignment import Balance
from triage_service.store import cases, moves, roster
from triage_service.usecases.deps import Deps


async def assess(events: Sequence[ComplaintReceivedV1], tx: AsyncSession, deps: Deps) -> None:
    """Classify and assign (B1, B2, B3, B5): one pass for the whole list, balanced within it."""
    classifier, teams = await deps.knowledge.present(tx)
    now = deps.clock.now()
    judged = [domain.classification_of(classifier.classify(domain.narrative_of(event)), now) for event in events]
    await roster.lock(tx)
    gone, earlier = await cases.known_of(tx, [event.facts for event in events])
    known = [_without_erased(event.facts, gone) for event in events]
    balance = Balance(teams, await roster.all_agents(tx))
    assessed = []
    for facts, made in zip(known, judged, strict=True):
        person = facts.customer.person_id
        given = domain.assigned_by_rules(balance, facts, made, earlier.get(person), 1, now)
        if given is not None and given.agent_id is not None:
            earlier[person] = given.agent_id
        assessed.append(domain.Case(domain.facts_with(facts, made), made, given))
    new = await cases.insert_assessed(tx, assessed)
    written = [case for case in assessed if case.facts.complaint_id in new]
    open_cases = [case for case in written if not new[case.facts.complaint_id]]
    await roster.add_loads(
        tx, Counter(case.assignment.agent_id for case in open_cases if case.assignment and case.assignment.agent_id)
    )
    told: list[Event] = []
    for case in written:
        told.append(domain.classified_event(case.facts, case.classification))
        if case.assignment is not None:
            told.append(domain.assigned_event(case.facts, case.assignment, balance))
    outbox.add(tx, *told)


async def follow_cases(events: Sequence[CaseMovedV1], tx: AsyncSession, deps: Deps) -> None:
    """A case that ends is no load any more; one that comes back to life is again.

    Moves between states of work say nothing here and cost nothing.
    """
    telling = [event for event in events if domain.ends_or_revives(event.from_state, event.to_state)]
    if not telling:
        return
    await roster.lock(tx)
    gone, _ = await cases.known_of(tx, [event.facts for event in telling])
    deltas = await moves.apply_moves(
        tx,
        [
            moves.Move(_without_erased(event.facts, gone), event.revision, event.to_state in domain.ENDED)
            for event in telling
        ],
    )
    await roster.add_loads(tx, deltas)


async def forget(events: Sequence[PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    """Nothing personal of these people stays: no display, no organisation, no free text of an override (A6)."""
    await roster.lock(tx)
    persons = [event.person_id for event in events]
    complaints = [complaint_id for event in events for complaint_id in event.complaint_ids]
    await moves.erase(tx, persons, complaints, domain.ERASED)


def _without_erased(facts: ComplaintFacts, gone: set[UUID]) -> ComplaintFacts:
    """The facts, without what is personal where the person was erased before this was heard."""
    return domain.without_person(facts) if gone & {facts.customer.person_id, facts.complaint_id} else facts
