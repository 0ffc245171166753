"""Receiving a complaint: the hot door, built as a group commit. All complaints that came in while one transaction was
under way share the next one, with one statement per table.

A1, A2, A7, A8: nothing lost (the answer comes after the commit), nothing twice (natural key, Idempotency-Key).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import randrange
from uuid import UUID

from fastapi import Response
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import complaint as rules
from intake_service.domain.complaint import Complaint, NaturalKey, Times
from intake_service.domain.person import Identity, Person, Stated, contacts_changed
from intake_service.domain.receipt import Receipt, receipt
from intake_service.domain.recognition import Recognised, recognise
from intake_service.domain.record import NewComplaint
from intake_service.domain.spam import Spam
from intake_service.domain.template import missing
from intake_service.groupcommit import RaceLost
from intake_service.settings import Settings
from intake_service.store import counts as count_store
from intake_service.store import reception as store
from intake_service.store.attachments import insert_uses
from intake_service.store.bulk import driver_of
from intake_service.usecases import files
from intake_service.usecases.errors import ImpossibleRecord
from shared.bus import outbox
from shared.clock import Clock
from shared.contracts.envelope import Actor, Event
from shared.contracts.intake import ReplySession
from shared.telemetry.tracing import use_traces
from shared.web.auth import Principal
from shared.web.body import json_bytes
from shared.web.errors import FieldError, Problem
from shared.web.idempotency import Answered, Once, record_many, replay_many

#: An answer, or why there is none.
Outcome = Response | Problem

FREE_TEXT = {"symptom", "scene", "impact", "demands", "attachments"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One checked complaint on its way into a batch."""

    record: NewComplaint
    complainant: Stated
    times: Times
    natural_key: NaturalKey | None
    day: str
    actor: Actor
    recorded_by: str
    once: Once
    traceparent: str | None
    reply: ReplySession | None = None
    spam: Spam | None = None


def checked(
    record: NewComplaint, principal: Principal, once: Once, now: datetime, settings: Settings, traceparent: str | None
) -> Delivery:
    """Raises `ImpossibleRecord` with a pointer for each value that can't be true."""
    times, faults = rules.times(record, now, timedelta(seconds=settings.clock_skew_seconds))
    complainant, more = rules.stated(record.complainant, settings.phone_region)
    if faults or more:
        raise impossible([*faults, *more])
    return Delivery(
        record=record,
        complainant=complainant,
        times=times,
        natural_key=rules.natural_key(record.channel),
        day=rules.day_of(times.received_at, settings.zone),
        actor=principal.actor,
        recorded_by=record.recorded_by or principal.name or principal.subject,
        once=once,
        traceparent=traceparent,
    )


def impossible(faults: Sequence[rules.Fault]) -> ImpossibleRecord:
    return ImpossibleRecord(
        "See `errors`: each names the value and the rule that it breaks.",
        errors=[FieldError(pointer=fault.pointer, detail=fault.message) for fault in faults],
    )


@dataclass
class _Serials:
    """Serials of one day that this process has taken and not used yet."""

    next: int = 1
    last: int = 0


@dataclass
class Reception:
    """Writes batches of deliveries; `GroupCommit` calls it with one at a time."""

    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    slot: int = field(default_factory=partial(randrange, count_store.SLOTS))
    _serials: dict[str, _Serials] = field(default_factory=dict)

    async def write(self, batch: Sequence[Delivery]) -> list[Outcome]:
        """Commits the batch and answers each: 201, or 200 with the first for a repeated delivery, or the problem.

        Raises `RaceLost` where another process was first with a delivery or an identity: nothing is kept then.
        """
        numbers = await self.take_numbers([delivery.day for delivery in batch])
        async with self.session() as tx:
            outcomes = await replay_many(tx, [delivery.once for delivery in batch])
            waiting = [place for place, outcome in enumerate(outcomes) if outcome is None]
            keys = {place: key for place in waiting if (key := batch[place].natural_key) is not None}
            known = await store.find_deliveries(tx, sorted(set(keys.values())))
            firsts = {key: place for place, key in reversed(keys.items()) if key not in known}
            fresh = [place for place in waiting if place not in keys or firsts.get(keys[place]) == place]
            named = [files.Named(batch[place].record.attachments, batch[place].actor) for place in fresh]
            held = dict(zip(fresh, await files.hold(tx, named, self.ids, self.clock.now()), strict=True))
            refused = {place: each for place, each in held.items() if isinstance(each, Problem)}
            kept = {place: each for place, each in held.items() if not isinstance(each, Problem)}
            deliveries = [(with_files(batch[place], kept[place]), numbers[place]) for place in kept]
            first = {place: firsts.get(keys[place], place) if place in keys else place for place in waiting}
            counted = self._counted([(batch[place], place in kept) for place in waiting if first[place] not in refused])
            made = dict(zip(kept, await self.keep(tx, deliveries, counted), strict=True))
            await insert_uses(tx, [(upload, made[place].id) for place in kept for upload in kept[place].uploads])
            known |= {key: made[place] for key, place in firsts.items() if place in made}
            answers: dict[int, Answered | Problem] = {
                place: refused[first[place]]
                if first[place] in refused
                else _answered(batch[place].once, made[place], 201)
                if place in made
                else _answered(batch[place].once, known[keys[place]], 200)
                for place in waiting
            }
            if counted and not deliveries:
                repeats = {(each.channel, each.account): (0, each.repeated) for each in counted}
                await count_store.count(tx, repeats, self.slot, self.clock.now())
            await record_many(tx, [answer for answer in answers.values() if isinstance(answer, Answered)])
        return [outcome_of(answers[place]) if outcome is None else outcome for place, outcome in enumerate(outcomes)]

    def _counted(self, accepted: Sequence[tuple[Delivery, bool]]) -> list[store.Counted]:
        """How many of each account were accepted, for the reconciliation: new ones and repeated ones."""
        received: dict[tuple[str, str], tuple[int, int]] = {}
        for delivery, fresh in accepted:
            channel = delivery.record.channel
            direct, repeated = received.get((channel.channel, channel.account), (0, 0))
            received[channel.channel, channel.account] = (direct + fresh, repeated + (not fresh))
        return [store.Counted(*account, *numbers) for account, numbers in received.items()]

    async def keep(
        self,
        tx: AsyncSession,
        deliveries: Sequence[tuple[Delivery, str]],
        counted: Sequence[store.Counted] = (),
        owners: Mapping[Identity, UUID] | None = None,
    ) -> list[Receipt]:
        """Writes new complaints, each with its number, and their events, and adds what was `counted`. `owners` of the
        identities, where they were looked up in this transaction. Raises `RaceLost`."""
        if not deliveries:
            return []
        now = self.clock.now()
        known, earlier = await self._recognise(tx, [delivery.complainant for delivery, _ in deliveries], owners, now)
        rows: list[store.ComplaintRow] = []
        events: list[Event] = []
        receipts: list[Receipt] = []
        traces: dict[str, str] = {}
        for (delivery, number), person in zip(deliveries, known.at_receipt, strict=True):
            complaint = self._complaint(delivery, number, person)
            before = earlier.get(person.id, 0)
            earlier[person.id] = before + 1
            wanted = missing(delivery.record)
            suspected = delivery.spam is not None and delivery.spam.score >= self.settings.spam_threshold
            rows.append(_row(complaint, delivery, now, wanted, before, suspected))
            events.append(
                rules.received(
                    complaint,
                    delivery.record,
                    delivery.times,
                    event_id=self.ids(),
                    now=now,
                    actor=delivery.actor,
                    earlier_complaints=before,
                    reply=delivery.reply,
                    suspected_spam=suspected,
                )
            )
            receipts.append(
                receipt(
                    complaint.id,
                    number,
                    person.id,
                    complaint.priority,
                    complaint.received_at,
                    now,
                    before,
                    wanted,
                )
            )
            if delivery.traceparent:
                traces[str(complaint.id)] = delivery.traceparent
        actors = {person.id: delivery.actor for (delivery, _), person in zip(deliveries, known.at_receipt, strict=True)}
        events.extend(
            contacts_changed(person, self.ids(), now, actors[person.id])
            for person in (*known.created, *known.changed)
            if person.contacts
        )
        driver = await driver_of(tx)
        await store.insert_persons(driver, known.created)
        await store.update_persons(driver, known.changed)
        if not await store.insert_identities(driver, known.owners):
            raise RaceLost
        if not await store.insert_complaints(driver, rows, counted, self.slot, now):
            raise RaceLost
        with use_traces(traces):
            outbox.add(tx, *events)
        return receipts

    async def _recognise(
        self, tx: AsyncSession, complainants: Sequence[Stated], owners: Mapping[Identity, UUID] | None, now: datetime
    ) -> tuple[Recognised, dict[UUID, int]]:
        identities = sorted({identity for stated in complainants for identity in stated.identities})
        if owners is None:
            owners = await store.find_persons(tx, identities)
        else:
            owners = {identity: owners[identity] for identity in identities if identity in owners}
        persons: dict[UUID, Person] = {}
        earlier: dict[UUID, int] = {}
        if owners:
            ids = sorted(set(owners.values()))
            persons = await store.lock_persons(tx, ids)
            if any(person.erased_at for person in persons.values()):
                raise RaceLost
            earlier = await store.count_complaints(tx, ids)
        return recognise(complainants, owners, persons, new_id=self.ids, now=now), earlier

    def _complaint(self, delivery: Delivery, number: str, person: Person) -> Complaint:
        record = delivery.record
        return Complaint(
            id=self.ids(),
            number=number,
            person_id=person.id,
            customer=person.ref,
            channel=record.channel.channel,
            priority=record.priority,
            received_at=delivery.times.received_at,
            organisation=record.complainant.organisation or person.organisation,
            product=record.product,
            region=record.region,
        )

    async def take_numbers(self, days: Sequence[str]) -> list[str]:
        """A number for each. Serials come from the database in blocks, in a short transaction of their own, so that no
        process holds a day's counter while it writes; a block grows with the batch."""
        needed: dict[str, int] = {}
        for day in days:
            needed[day] = needed.get(day, 0) + 1
        numbers: dict[str, list[int]] = {}
        for day, count in needed.items():
            serials = self._serials.setdefault(day, _Serials())
            kept = list(range(serials.next, min(serials.last, serials.next + count - 1) + 1))
            serials.next += len(kept)
            if lacking := count - len(kept):
                block = max(self.settings.number_block, 4 * lacking)
                async with self.session() as tx:
                    last = await store.take_numbers(tx, day, block)
                start = last - block + 1
                kept.extend(range(start, start + lacking))
                self._serials[day] = _Serials(start + lacking, last)
            numbers[day] = kept[::-1]
        return [rules.number_of(day, numbers[day].pop()) for day in days]


def with_files(delivery: Delivery, held: files.Held) -> Delivery:
    if not held.attachments:
        return delivery
    return replace(delivery, record=delivery.record.model_copy(update={"attachments": held.attachments}))


def outcome_of(answer: Answered | Problem) -> Outcome:
    return answer.response() if isinstance(answer, Answered) else answer


def _answered(once: Once, told: Receipt, status: int) -> Answered:
    return Answered(once, status, json_bytes(told), {"Location": f"/v1/complaints/{told.id}"})


def _row(
    complaint: Complaint, delivery: Delivery, now: datetime, wanted: Sequence[str], earlier: int, suspected: bool
) -> store.ComplaintRow:
    record, channel = delivery.record, delivery.record.channel
    return store.ComplaintRow(
        id=complaint.id,
        number=complaint.number,
        person_id=complaint.person_id,
        customer=to_json(complaint.customer).decode(),
        channel=channel.channel,
        account=channel.account,
        seat=channel.seat,
        message_id=channel.message_id,
        kind=record.kind,
        priority=record.priority,
        received_at=complaint.received_at,
        recorded_at=now,
        happened_at=delivery.times.happened_at,
        made_at=delivery.times.made_at,
        recorded_by=delivery.recorded_by,
        organisation=complaint.organisation,
        product=complaint.product,
        region=complaint.region,
        record=record.__pydantic_serializer__.to_json(record, include=FREE_TEXT).decode(),
        missing=to_json(wanted).decode(),
        earlier_complaints=earlier,
        spam=None if delivery.spam is None else delivery.spam.model_dump_json(),
        spam_listed=suspected,
    )
