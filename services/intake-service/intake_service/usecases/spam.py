"""Weighing what channels bring, and taking a complaint out of the list of suspected spam."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from intake_service.domain.spam import Seen, Spam, weigh
from intake_service.store import complaints as store
from intake_service.store.rows import complaint_of
from intake_service.usecases.conversation import ComplaintKey, no_such
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NotSuspected
from intake_service.usecases.reception import Delivery
from shared.bus import outbox
from shared.contracts.intake import ClearedOfSpamV1
from shared.web.auth import Principal, Role


def weighed(delivery: Delivery, principal: Principal, seen: Seen, deps: Deps) -> Delivery:
    """With its score. What a colleague recorded is not weighed."""
    if not principal.roles <= {Role.ADAPTER}:
        return delivery
    record = delivery.record
    sender = delivery.complainant.identities or record.channel.message_id
    senders = deps.repeats.senders(record.symptom, sender, deps.clock.now())
    spam = weigh(record.symptom, replace(seen, senders=senders))
    return delivery if spam is None else replace(delivery, spam=spam)


def filled_in(form_id: UUID, now: datetime) -> float | None:
    """Seconds since the form was opened, by its id; None where that does not tell."""
    return now.timestamp() - (form_id.int >> 80) / 1000 if form_id.version == 7 else None


async def clear_of_spam(key: ComplaintKey, principal: Principal, deps: Deps) -> Spam:
    """Take the complaint out of the list; it is acknowledged now. Raises `NoSuchComplaint`, `NotSuspected`."""
    async with deps.session() as tx:
        held = await store.hold(tx, [key], alone=True)
        if not held:
            raise no_such(key)
        row, now = held[0], deps.clock.now()
        if not row["spam_listed"] or row["erased_at"] is not None:
            raise NotSuspected("It is not on the list of suspected spam.")
        actor = principal.actor
        await store.clear_of_spam(tx, row["id"], {"actor": actor.model_dump(mode="json"), "at": now.isoformat()})
        outbox.add(
            tx,
            ClearedOfSpamV1(
                event_id=deps.ids(),
                occurred_at=now,
                recorded_at=now,
                actor=actor,
                facts=complaint_of(row).facts,
                priority=row["priority"],
                symptom=row["record"]["symptom"],
            ),
        )
    return Spam.model_validate(row["spam"])
