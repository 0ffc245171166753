"""Sending what is due.

Three steps, so that no transaction is open while somebody outside is waited for: claim (lease what is due, decide
where it goes), send, record (with the events, and only what the lease still holds). Two workers never claim the same
message; a worker that dies loses its lease and another sends again, with the same message id.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import stamina
import structlog
from sqlalchemy.exc import DBAPIError

from notify_service import store
from notify_service.carriers import Closed, Later, Letter, Refused, Result, Sent
from notify_service.domain import (
    Destination,
    Message,
    RetryPolicy,
    Status,
    Team,
    complainant_destination,
    masked,
    staff_destination,
    waits_for_contacts,
)
from notify_service.rendering import Rendered, TemplateFault, TemplateParts, context, render, render_short, shipped
from notify_service.usecases.deps import Deps
from notify_service.usecases.outcome import outcome_event
from shared.bus import outbox
from shared.contracts.vocabulary import Channel, Language, Means, Purpose

log = structlog.get_logger()

#: The share of a lease that a carrier may use; the rest is for recording.
_SENDING = 0.75
_Templates = Mapping[tuple[Purpose, Language], store.Override]


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed message; `letter` is empty where it cannot be sent, and `result` says why."""

    message: Message
    destination: Destination
    letter: Letter | None
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one carrier gets of a claim."""

    lease: UUID
    means: Means
    items: tuple[Item, ...]


async def deliver(deps: Deps) -> int:
    """Claim once and send all of it; how many messages were claimed."""
    shipments = await claim(deps)
    await asyncio.gather(*(ship(shipment, deps) for shipment in shipments))
    return sum(len(shipment.items) for shipment in shipments)


async def claim(deps: Deps) -> list[Shipment]:
    """Lease up to a batch of what is due. Those whose complainant's contacts are not heard yet are left waiting."""
    now = deps.clock.now()
    lease = deps.ids()
    async with deps.session() as tx:
        due = await store.lock_due(tx, now, deps.settings.delivery_batch)
        if not due:
            return []
        teams = await _teams(tx, due)
        going: list[tuple[Message, Destination]] = []
        waiting: list[tuple[UUID, datetime]] = []
        for each in due:
            until = each.message.created_at + timedelta(seconds=deps.settings.contacts_grace_seconds)
            destination = _destination(each, teams, deps, or_wait=now < until)
            if destination is None:
                waiting.append((each.message.message_id, until))
            else:
                going.append((each.message, destination))
        if waiting:
            await store.let_wait(tx, waiting)
        if not going:
            return []
        await store.lease_messages(tx, [message.message_id for message, _ in going], lease, deps.settings.lease_seconds)
        templates = await store.overrides(tx)
    shipments: defaultdict[Means, list[Item]] = defaultdict(list)
    for message, destination in going:
        shipments[destination.means].append(_item(message, destination, templates, now, deps))
    return [Shipment(lease, means, tuple(items)) for means, items in shipments.items()]


async def ship(shipment: Shipment, deps: Deps) -> None:
    """Send and record. Never raises for what a carrier does; raises when it cannot be recorded."""
    results: dict[UUID, tuple[Result, datetime]] = {}

    def tell(message_id: UUID, result: Result) -> None:
        results.setdefault(message_id, (result, deps.clock.now()))

    for item in shipment.items:
        if item.result is not None:
            tell(item.message.message_id, item.result)
    letters = [item.letter for item in shipment.items if item.letter is not None]
    why = "the carrier ended early"
    try:
        async with asyncio.timeout(deps.settings.lease_seconds * _SENDING):
            await deps.carriers[shipment.means].send(letters, tell)
    except TimeoutError:
        why = "the carrier took too long"
    except Exception as error:  # whatever a carrier raises, what it has told must be recorded
        why = f"the carrier failed: {type(error).__name__}"
        log.exception("carrier failed", means=shipment.means)
    for item in shipment.items:
        tell(item.message.message_id, Later(why))
    await _record(shipment, results, deps)


@stamina.retry(on=(DBAPIError, OSError), attempts=5, wait_max=2.0)
async def _record(shipment: Shipment, results: Mapping[UUID, tuple[Result, datetime]], deps: Deps) -> None:
    messages = {item.message.message_id: item.message for item in shipment.items}
    outcomes = [_outcome(item, *results[item.message.message_id], deps) for item in shipment.items]
    ended = _ended(item for item in shipment.items if isinstance(results[item.message.message_id][0], Closed))
    async with deps.session() as tx:
        if ended:
            await store.share_people(tx)
            await store.close_sessions(tx, ended, deps.clock.now())
        written = await store.record(tx, shipment.lease, messages, outcomes)
        events = [event for message in written if (event := outcome_event(message, deps.clock.now())) is not None]
        outbox.add(tx, *events)
        if any(message.status is Status.QUEUED for message in written):
            deps.wake_after(tx)


async def _teams(tx: Any, due: Sequence[store.Due]) -> dict[str, Team]:
    """The teams of messages that name no colleague."""
    wanted = {each.message.team_id for each in due if each.message.staff is None and each.message.team_id}
    return await store.teams_by_id(tx, wanted) if wanted else {}


def _destination(due: store.Due, teams: Mapping[str, Team], deps: Deps, *, or_wait: bool) -> Destination | None:
    message = due.message
    if message.audience == "complainant" and message.facts is not None:
        customer, now = message.facts.customer, deps.clock.now()
        unheard = due.person is None and or_wait
        if unheard and waits_for_contacts(message, customer, due.preference, due.session, now):
            return None
        return complainant_destination(message, customer, due.person, due.preference, due.session, now)
    staff = message.staff
    if staff is None and message.team_id is not None:
        team = teams.get(message.team_id)
        if team is None and or_wait:
            return None
        staff = team.who(message.team_role) if team else None
    return staff_destination(message, staff, deps.settings.staff_language)


def _item(message: Message, destination: Destination, templates: _Templates, now: datetime, deps: Deps) -> Item:
    if message.attempts >= deps.settings.attempts:
        # Every attempt ended with the death of its worker: whatever kills it must not do so for ever.
        return Item(message, destination, None, Refused("its attempts never came to an end"))
    short = destination.means in (Means.SMS, Means.WECOM, Means.DINGTALK)
    try:
        rendered = _write(message, destination.language, templates, deps, render_short if short else render)
    except TemplateFault as fault:
        return Item(message, destination, None, Refused(f"template {message.purpose}: {fault.part}: {fault.why}"))
    letter = Letter(
        message_id=message.message_id,
        means=destination.means,
        address=destination.address,
        account=destination.account,
        audience=message.audience,
        language=destination.language,
        subject=rendered.subject,
        text=rendered.short if short else rendered.text,
        html=rendered.html,
        written_at=now,
        complaint_id=message.facts.complaint_id if message.audience == "complainant" and message.facts else None,
    )
    return Item(message, destination, letter)


def _write(
    message: Message,
    language: Language,
    templates: _Templates,
    deps: Deps,
    make: Callable[[TemplateParts, Mapping[str, Any]], Rendered],
) -> Rendered:
    variables = variables_of(message.purpose, message.params, language, deps)
    own = templates.get((message.purpose, language))
    if own is not None:
        try:
            return make(own.parts, variables)
        except TemplateFault as fault:
            log.warning("template fails, the shipped one is used", purpose=message.purpose, part=fault.part)
    return make(shipped(message.purpose, language), variables)


def variables_of(purpose: Purpose, params: Mapping[str, Any], language: Language, deps: Deps) -> dict[str, Any]:
    """What the templates of `purpose` may use."""
    settings = deps.settings
    urgency = params.get("urgency")
    return context(
        params,
        language,
        zone=ZoneInfo(settings.time_zone),
        house=settings.house_zh if language is Language.ZH else settings.house_en,
        first_response=settings.first_response_minutes.get(urgency, 60) if urgency else 60,
        transfer_hours=settings.transfer_response_hours.get(urgency, 8) if urgency else 8,
    )


def _outcome(item: Item, result: Result, at: datetime, deps: Deps) -> store.Outcome:
    settings = deps.settings
    retry = RetryPolicy(settings.attempts, settings.retry_first_seconds, settings.retry_most_seconds)
    due_at = delivered_at = None
    receipt = reason = ""
    match result:
        case Sent(receipt):
            status, delivered_at = Status.DELIVERED, at
        case Refused(reason):
            status = Status.FAILED
        case Later(reason):
            due_at = retry.next_at(item.message.attempts + 1, at)
            status = Status.FAILED if due_at is None else Status.QUEUED
        case Closed(reason):
            due_at = retry.next_at(item.message.attempts + 1, at)
            status = Status.FAILED if due_at is None else Status.QUEUED
            if due_at is not None and item.message.attempts == 0:
                due_at = at
    destination = item.destination
    return store.Outcome(
        message_id=item.message.message_id,
        status=status,
        means=destination.means,
        language=destination.language,
        recipient=destination.recipient,
        recipient_key=destination.recipient_key,
        subject=item.letter.subject if item.letter else "",
        text=item.letter.text if item.letter else "",
        due_at=due_at,
        delivered_at=delivered_at,
        receipt=_without(destination, receipt),
        reason=_without(destination, reason),
    )


def _ended(items: Iterable[Item]) -> list[store.EndedSession]:
    return [
        store.EndedSession(
            facts.complaint_id,
            facts.customer.person_id,
            Channel(item.destination.means),
            item.destination.account or "",
            item.destination.address,
        )
        for item in items
        if (facts := item.message.facts) is not None
    ]


def _without(destination: Destination, answer: str) -> str:
    """Servers like to repeat the address in their answers; what is kept and told has it masked (A6)."""
    if not destination.address:
        return answer
    shown = masked(destination.means, destination.address)
    return re.sub(re.escape(destination.address), lambda _: shown, answer, flags=re.IGNORECASE)


__all__ = ["Item", "Shipment", "TemplateParts", "claim", "deliver", "ship", "variables_of"]
