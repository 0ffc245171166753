"""What is heard from the other services. Every function takes a list, is idempotent, and right in any order."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain import states
from resolution_service.domain.entries import entry_of, fact_of, milestone
from resolution_service.domain.models import Standpoint, moves
from resolution_service.store import Heard
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.work import SYSTEM, milestones, moved_event
from shared.bus import gathers, outbox
from shared.contracts.envelope import ComplaintEvent, ComplaintFacts, Event, newest
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.intake import PersonErasedV1
from shared.contracts.notify import OutgoingMessageEvent
from shared.contracts.sla import ClockEvent, EscalationAcknowledgedV1, EscalationRaisedV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, TeamChangedV1
from shared.ids import derived_id


async def learn(events: Sequence[ComplaintEvent], tx: AsyncSession, deps: Deps) -> None:
    """Any event of a complaint: its entry in the file, and what it says of the case."""
    await _keep([(event, _heard(event, event.facts)) for event in events], tx, deps)


async def learn_of_messages(events: Sequence[OutgoingMessageEvent], tx: AsyncSession, deps: Deps) -> None:
    """Messages that belong to no complaint are none of ours."""
    await _keep([(event, _heard(event, event.facts)) for event in events if event.facts is not None], tx, deps)


async def learn_of_escalations(
    events: Sequence[EscalationRaisedV1 | EscalationAcknowledgedV1], tx: AsyncSession, deps: Deps
) -> None:
    await _keep([(event, _heard(event, event.facts)) for event in events if event.facts is not None], tx, deps)


@gathers
async def learn_of_clocks(events: Sequence[ClockEvent], tx: AsyncSession, deps: Deps) -> None:
    """Every clock event carries the whole clock: the highest revision is kept, and with it most of its story."""
    ours = [event for event in events if event.facts is not None]
    if not ours:
        return
    facts: dict[UUID, ComplaintFacts] = {}
    clocks: dict[UUID, ClockEvent] = {}
    for event in ours:
        assert event.facts is not None
        told = event.facts
        facts[told.complaint_id] = newest(facts.get(told.complaint_id, told), told)
        known = clocks.setdefault(event.clock.clock_id, event)
        if event.clock.revision > known.clock.revision:
            clocks[event.clock.clock_id] = event
    await store.know_cases(tx, [Heard(one) for one in facts.values()])
    await store.upsert_clocks(tx, list(clocks.values()))


@gathers
async def learn_of_changed_clocks(events: Sequence[ClockEvent], tx: AsyncSession, deps: Deps) -> None:
    """Clock events whose story the clock itself does not keep (paused, resumed, due anew …) are entries as well."""
    await learn_of_clocks(events, tx, deps)
    entries = [entry_of(event, event.facts) for event in events if event.facts is not None]
    if entries:
        await store.insert_entries(tx, entries)


async def learn_of_teams(events: Sequence[TeamChangedV1], tx: AsyncSession, deps: Deps) -> None:
    await store.upsert_teams(tx, events)


async def learn_of_actions(events: Sequence[ActionPlannedV1], tx: AsyncSession, deps: Deps) -> None:
    await store.upsert_actions(tx, events)


async def learn_of_done_actions(events: Sequence[ActionDoneV1], tx: AsyncSession, deps: Deps) -> None:
    await store.end_actions(tx, events)


async def forget(events: Sequence[PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    """A6: delete our copies of what is personal; what comes of these complaints later is kept without it."""
    subjects = {event.person_id for event in events}
    subjects.update(complaint_id for event in events for complaint_id in event.complaint_ids)
    await store.forget(tx, sorted(subjects))


async def _keep(heard: Sequence[tuple[Event, Heard]], tx: AsyncSession, deps: Deps) -> None:
    if not heard:
        return
    cases = await store.upsert_cases(tx, [one for _, one in heard])
    await store.insert_entries(
        tx, [entry_of(event, one.facts, erased=cases[one.facts.complaint_id].erased) for event, one in heard]
    )
    if any(fact_of(event) is not None for event, _ in heard):
        await _settle(list(cases.values()), tx, deps)


async def _settle(cases: Sequence[Standpoint], tx: AsyncSession, deps: Deps) -> None:
    """Bring each case into the state that its facts ask for, and tell those that moved."""
    others = await store.bearing_facts(tx, [case.id for case in cases if not case.plain])
    changed = []
    for case in cases:
        standing = states.replay(case.facts.received_at, [*milestones(case), *others.get(case.id, ())])
        if (standing.state, standing.cycle, standing.since) != (case.state, case.cycle, case.since):
            changed.append((case, standing))
    if not changed:
        return
    await store.move_cases(tx, changed)
    now = deps.clock.now()
    for case, standing in changed:
        if not moves(case, standing):
            continue
        cause = standing.moves[-1].fact
        actor = cause.actor if cause is not None and cause.actor is not None else SYSTEM
        reason = cause.reason if cause is not None else ""
        identity = derived_id("case-moved", case.id, case.revision + 1)
        outbox.add(tx, moved_event(case, standing, identity, now, actor, reason))


def _heard(event: Event, facts: ComplaintFacts | None) -> Heard:
    assert facts is not None
    plain = fact_of(event) is None or milestone(event)
    match event:
        case ComplaintClassifiedV1():
            return Heard(
                facts,
                assessed_at=event.occurred_at,
                classification_revision=event.revision,
                kind=event.kind.value,
                issue_type=event.issue_type,
                responsible=event.responsible,
                emotion=event.emotion.value,
            )
        case ComplaintAssignedV1():
            return Heard(
                facts,
                assignment_revision=event.revision,
                team_id=event.team_id,
                team_name=event.team_name.model_dump_json(),
                agent_id=event.agent.staff_id if event.agent else None,
                agent=event.agent.model_dump_json() if event.agent else None,
            )
    if milestone(event):
        return Heard(facts, acknowledged_at=event.occurred_at)
    return Heard(facts, plain=plain)
