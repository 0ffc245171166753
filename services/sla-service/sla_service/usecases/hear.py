"""Facts come in, clocks follow: the use cases behind the Kafka door.

Set-wise: whatever the size of the list, each step is one statement. Idempotent and right in any order: facts are a set,
and the clocks are folded from all of them every time.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import gathers, outbox
from shared.contracts.envelope import ComplaintFacts, Event
from shared.contracts.intake import PersonErasedV1
from shared.contracts.sla import ClockEvent
from shared.contracts.triage import TeamChangedV1
from shared.db.engine import AFTER_COMMIT
from sla_service.clocks.fold import Folded, Unpriced, fold
from sla_service.domain.changes import Kept, reconcile, retire
from sla_service.domain.facts_of import better_facts, fact_of, history_of, without_name
from sla_service.store import books, clocks, escalations, histories
from sla_service.store.histories import History
from sla_service.usecases.deps import Deps

log = structlog.get_logger()


@gathers
async def learn(events: Sequence[Event], tx: AsyncSession, deps: Deps) -> None:
    """Keep the facts of the events and bring the clocks of their complaints to them (F1-F8): one fold of a complaint,
    however many of its events come together."""
    facts = []
    heard: dict[UUID, ComplaintFacts | None] = {}
    for event in events:
        if (fact := fact_of(event)) is None:
            continue
        history_id, complaint = history_of(event)
        if fact.told is not None:
            log.warning(
                "a fact is told for an instant after its record",
                type=event.TYPE,
                history_id=str(history_id),
                occurred_at=event.occurred_at.isoformat(),
                recorded_at=event.recorded_at.isoformat(),
            )
        facts.append((history_id, fact))
        known = heard.get(history_id)
        heard[history_id] = better_facts(known, complaint) if known and complaint else complaint
    if not facts:
        return
    await _forget_names(tx, heard)
    await books.hold_book(tx)
    found = await histories.lock_histories(tx, heard)
    await histories.add_facts(tx, facts)
    await settle(tx, found, heard, deps)


async def learn_roster(events: Sequence[TeamChangedV1], tx: AsyncSession, deps: Deps) -> None:
    """Who stands where in the escalation chains (F10)."""
    await clocks.save_teams(tx, events)


async def erase(events: Sequence[PersonErasedV1], tx: AsyncSession, deps: Deps) -> None:
    """Take the persons' names out of what is kept of their complaints (A6)."""
    await histories.erase_people(tx, sorted(event.person_id for event in events))


async def refold_unpriced(deps: Deps) -> None:
    """At every start: what could not be priced may be priced now, with newer calendars."""
    after: UUID | None = None
    while True:
        async with deps.session() as tx:
            page = await histories.unpriced_histories(tx, after, 200)
            if not page:
                return
            await books.hold_book(tx)
            found = await histories.lock_histories(tx, dict.fromkeys(page))
            await settle(tx, found, {}, deps)
            after = page[-1]


async def settle(
    tx: AsyncSession,
    found: Mapping[UUID, History],
    heard: Mapping[UUID, ComplaintFacts | None],
    deps: Deps,
) -> None:
    """Fold the locked histories and tell what has changed."""
    now, late_at = deps.clock.now(), deps.late_at
    facts = await histories.facts_of(tx, found)
    kept = await clocks.lock_clocks(tx, found)
    book = await deps.shelf.book(tx)
    events: list[ClockEvent] = []
    changed: list[Kept] = []
    changed_histories: list[History] = []
    withdrawn: list[UUID] = []
    for history_id, history in found.items():
        if _absorb(history, heard.get(history_id)):
            changed_histories.append(history)
        folded = fold(history_id, history.complaint, facts[history_id], book)
        if (unpriced := _listed(folded.unpriced)) != history.unpriced:
            history.unpriced = unpriced
            if history not in changed_histories:
                changed_histories.append(history)
            _complain(history)
        before = kept[history_id]
        outcomes = [
            reconcile(before.get(state.clock_id), state, history_id, history.complaint, now, late_at)
            for state in folded.clocks
        ]
        outcomes += [retire(one, history.complaint, now) for one in _gone(before, folded)]
        for outcome in filter(None, outcomes):
            changed.append(outcome.kept)
            events += outcome.events
            if outcome.breach_withdrawn:
                withdrawn.append(outcome.kept.view.clock_id)
    await histories.save_histories(tx, changed_histories)
    await clocks.save_clocks(tx, changed)
    await escalations.withdraw_escalations(tx, withdrawn)
    outbox.add(tx, *events)
    soonest = min((one.wake_at for one in changed if one.wake_at is not None), default=None)
    after = tx.info.setdefault(AFTER_COMMIT, [])
    after.append(lambda: deps.alarm.sooner(soonest))
    if changed:
        after.append(deps.wallboard.changed)


async def _forget_names(tx: AsyncSession, heard: dict[UUID, ComplaintFacts | None]) -> None:
    people = {one.customer.person_id for one in heard.values() if one is not None}
    erased = await histories.erased_among(tx, sorted(people)) if people else set()
    for history_id, complaint in heard.items():
        if complaint is not None and complaint.customer.person_id in erased:
            heard[history_id] = without_name(complaint)


def _absorb(history: History, heard: ComplaintFacts | None) -> bool:
    """Keep the better telling of the complaint; whether anything is new."""
    if heard is None:
        return False
    better = heard if history.complaint is None else better_facts(history.complaint, heard)
    if better == history.complaint:
        return False
    history.complaint = better
    return True


def _gone(kept: Mapping[UUID, Kept], folded: Folded) -> list[Kept]:
    """Kept clocks of a history that the facts no longer have. One that cannot be priced just now is not among them."""
    there = {state.clock_id for state in folded.clocks}
    unpriced = {(one.metric, one.subject_id) for one in folded.unpriced}
    return [
        one
        for one in kept.values()
        if one.view.clock_id not in there and (one.view.metric, one.view.subject_id) not in unpriced
    ]


def _listed(unpriced: Collection[Unpriced]) -> list[dict[str, Any]] | None:
    return [
        {"metric": one.metric.value, "subject_id": str(one.subject_id), "reason": one.reason} for one in unpriced
    ] or None


def _complain(history: History) -> None:
    for one in history.unpriced or ():
        log.error(
            "a clock cannot be priced whole",
            history_id=str(history.history_id),
            number=history.complaint.number if history.complaint else None,
            metric=one["metric"],
            reason=one["reason"],
        )
