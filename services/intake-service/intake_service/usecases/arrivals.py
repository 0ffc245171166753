"""Messages of channel adapters, received as complaints are: those that came in while one transaction was under way
share the next one, and new complaints of theirs are written by `Reception`.

A8: nothing lost (the answer comes after the commit), nothing twice (natural key, Idempotency-Key), and what belongs
together stays together: messages that name an id in common are dealt with one after the other, across processes too.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import randrange
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import complaint as rules
from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import on_thread
from intake_service.domain.threading import Known, waves
from intake_service.domain.views import ComplaintRef, DeliveryReceipt, DeliveryStatus
from intake_service.groupcommit import RaceLost
from intake_service.settings import Settings
from intake_service.store import channels as channel_store
from intake_service.store import complaints as complaint_store
from intake_service.store import counts as count_store
from intake_service.store import receipts as store
from intake_service.store.attachments import insert_uses
from intake_service.store.rows import complaint_of
from intake_service.usecases import files
from intake_service.usecases.arrival import Arrival, Settled, message_row, receipt_of, receipt_row, receipt_view
from intake_service.usecases.errors import MessageKeyReused, NotInQuarantine
from intake_service.usecases.placing import place
from intake_service.usecases.reception import Delivery, Outcome, Reception, outcome_of, with_files
from shared.bus import outbox
from shared.clock import Clock
from shared.telemetry.tracing import use_traces
from shared.web.body import json_bytes
from shared.web.errors import Problem
from shared.web.idempotency import Answered, Once, record_many, replay_many

#: What is to be committed with a batch; it sees what each arrival is answered.
Along = Callable[[AsyncSession, Sequence[Answered | Problem]], Awaitable[None]]


@dataclass
class Arrivals:
    """Writes batches of messages; `GroupCommit` calls it with one at a time."""

    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    reception: Reception
    slot: int = field(default_factory=partial(randrange, count_store.SLOTS))

    async def write(self, batch: Sequence[Arrival], along: Along | None = None) -> list[Outcome]:
        """Commits the batch and answers each: 202, or 200 with the receipt as it stands for a repeated delivery, or the
        problem. Raises `RaceLost` where another door was first with a delivery or an identity: nothing is kept then.

        `along` writes in the same transaction, after everything else; its arrivals have no Idempotency-Key.
        """
        numbers = await self._numbers(batch)
        async with self.session() as tx:
            outcomes = await replay_many(tx, [arrival.once for arrival in batch])
            waiting = [place for place, outcome in enumerate(outcomes) if outcome is None]
            references = [batch[place].references for place in waiting]
            await store.lock_references(tx, frozenset[NaturalKey]().union(*references))
            answers: dict[int, Answered | Problem] = {}
            for wave in waves(references):
                places = [waiting[each] for each in wave]
                told = await self._receive(tx, [(batch[place], numbers[place]) for place in places])
                answers |= zip(places, told, strict=True)
            await self._count(tx, [(batch[place], answers[place]) for place in waiting])
            await record_many(tx, [answer for answer in answers.values() if isinstance(answer, Answered)])
            if along is not None:
                await along(tx, [answers[place] for place in waiting])
        return [outcome_of(answers[place]) if outcome is None else outcome for place, outcome in enumerate(outcomes)]

    async def _count(self, tx: AsyncSession, told: Sequence[tuple[Arrival, Answered | Problem]]) -> None:
        """How many of each account were accepted, for the reconciliation."""
        received: dict[tuple[str, str], tuple[int, int]] = {}
        for arrival, answer in told:
            if isinstance(answer, Answered) and arrival.retried is None:
                source = arrival.message.source
                written, repeated = received.get((source.channel, source.account), (0, 0))
                fresh = answer.status == 202
                received[source.channel, source.account] = (written + fresh, repeated + (not fresh))
        if received:
            await count_store.count(tx, received, self.slot, self.clock.now())

    async def _numbers(self, batch: Sequence[Arrival]) -> list[str]:
        """A number for each that may become a complaint, empty for the others."""
        days = [arrival.delivery.day for arrival in batch if arrival.delivery is not None]
        taken = iter(await self.reception.take_numbers(days))
        return ["" if arrival.delivery is None else next(taken) for arrival in batch]

    async def _receive(self, tx: AsyncSession, wave: Sequence[tuple[Arrival, str]]) -> list[Answered | Problem]:
        """Messages that name nothing in common, in order."""
        keys = [key for arrival, _ in wave for key in (arrival.message.source.key, *arrival.twins)]
        touched = await store.is_known(tx, keys)
        known = await store.find_by_keys(tx, keys) if touched else {}
        coming = [(arrival, number) for arrival, number in wave if _is_open(arrival, known)]
        now = self.clock.now()
        named = [files.Named(each.message.attachments, each.actor, each.message.raw) for each, _ in coming]
        held = dict(
            zip(
                (arrival.message.source.key for arrival, _ in coming),
                await files.hold(tx, named, self.ids, now),
                strict=True,
            )
        )
        refused = {key: each for key, each in held.items() if isinstance(each, Problem)}
        fresh = [
            (_with_files(arrival, files_of), number)
            for arrival, number in coming
            if isinstance(files_of := held[arrival.message.source.key], files.Held)
        ]
        noted = [arrival.message.source.key for arrival, _ in fresh if arrival.again is DeliveryStatus.NOTED]
        await complaint_store.delete_automatic(tx, noted)
        elsewhere = [arrival.message.source.key for arrival, _ in fresh]
        had = await store.find_elsewhere(tx, elsewhere) if touched else {}
        settled = await self._settle(tx, fresh, known, had, now)
        doubtful = [
            arrival
            for (arrival, _), outcome in zip(fresh, settled, strict=True)
            if outcome.status is DeliveryStatus.QUARANTINED
        ]
        owners = await self._owners(tx, doubtful)
        due_at = now + timedelta(hours=self.settings.quarantine_hours)
        rows = {
            arrival.message.source.key: receipt_row(
                arrival.retried or self.ids(), arrival, outcome, owners.get(arrival.message.source.key), now, due_at
            )
            for (arrival, _), outcome in zip(fresh, settled, strict=True)
        }
        await store.insert_all(tx, [row for key, row in rows.items() if key not in known])
        for key, row in rows.items():
            if key in known:
                await store.settle(tx, row)
        uses = [(upload, row["id"]) for key, row in rows.items() for upload in _uploads(held[key])]
        await insert_uses(tx, uses)
        made = {
            key: receipt_view(row, outcome.complaint, outcome.suggested)
            for (key, row), outcome in zip(rows.items(), settled, strict=True)
        }
        return [
            _answered(arrival.once, made[key], 200 if arrival.retried else 202)
            if key in made
            else refused[key]
            if key in refused
            else _repeated(arrival, known[key])
            for arrival, _ in wave
            for key in [arrival.message.source.key]
        ]

    async def _owners(self, tx: AsyncSession, doubtful: Sequence[Arrival]) -> dict[NaturalKey, str]:
        """Who is in charge of messages that can't be understood: the team of their channel, where there is one."""
        accounts = {
            (arrival.message.source.channel, arrival.message.source.account)
            for arrival in doubtful
            if arrival.owner is None
        }
        teams = await channel_store.owners(tx, accounts) if accounts else {}
        found: dict[NaturalKey, str] = {}
        for arrival in doubtful:
            source = arrival.message.source
            team = arrival.owner or teams.get((source.channel, source.account))
            found[source.key] = team or self.settings.quarantine_owner
        return found

    async def _settle(
        self,
        tx: AsyncSession,
        wave: Sequence[tuple[Arrival, str]],
        known: Mapping[NaturalKey, RowMapping],
        had: Mapping[NaturalKey, Known],
        now: datetime,
    ) -> list[Settled]:
        """What becomes of messages that have no receipt yet; `known` are the receipts of their twins, `had` the
        complaints that have them by another door."""
        settled: dict[NaturalKey, Settled] = {}
        placed: list[tuple[Arrival, Delivery | None, str]] = []
        for arrival, number in wave:
            key = arrival.message.source.key
            if key in had:
                settled[key] = Settled(DeliveryStatus.DUPLICATE, _ref(had[key]))
            elif (twin := _twin(arrival, known)) is not None:
                settled[key] = twin
            elif arrival.delivery is None and not arrival.automatic:
                settled[key] = Settled(DeliveryStatus.QUARANTINED)
            else:
                placed.append((arrival, arrival.delivery, number))
        placements, owners = await place(
            tx,
            [arrival.message for arrival, _, _ in placed],
            [arrival.senders for arrival, _, _ in placed],
            [arrival.automatic for arrival, _, _ in placed],
            self.settings,
        )
        new = [
            (delivery, number)
            for (_, delivery, number), at in zip(placed, placements, strict=True)
            if at.joins is None and delivery is not None
        ]
        created = iter(await self.reception.keep(tx, new, owners=owners))
        joining: list[tuple[Arrival, Known]] = []
        for (arrival, delivery, _), at in zip(placed, placements, strict=True):
            key = arrival.message.source.key
            suggested = _ref(at.suggested) if at.suggested else None
            if at.joins is not None:
                joining.append((arrival, at.joins))
                status = DeliveryStatus.NOTED if arrival.automatic else DeliveryStatus.APPENDED
                settled[key] = Settled(status, _ref(at.joins))
            elif delivery is None:
                settled[key] = Settled(DeliveryStatus.NOTED, None, suggested)
            else:
                made = next(created)
                status = DeliveryStatus.SUGGESTION if suggested else DeliveryStatus.CREATED
                settled[key] = Settled(status, ComplaintRef(id=made.id, number=made.number), suggested)
        await self._append(tx, joining, now)
        return [settled[arrival.message.source.key] for arrival, _ in wave]

    async def _append(self, tx: AsyncSession, joining: Sequence[tuple[Arrival, Known]], now: datetime) -> None:
        """Adds messages to the threads of complaints, with their events; those of machines are told to nobody, so
        nothing is answered, acknowledged or opened again because of them. Raises `RaceLost`."""
        if not joining:
            return
        held = await complaint_store.hold(tx, sorted({known.complaint_id for _, known in joining}))
        complaints = {row["id"]: complaint_of(row) for row in held if row["erased_at"] is None}
        for arrival, known in joining:
            text = on_thread(arrival.message.content)
            if known.complaint_id not in complaints:
                raise RaceLost
            row = message_row(self.ids(), known.complaint_id, arrival, text, now)
            if await complaint_store.insert_message(tx, row) is not None:
                raise RaceLost
            if arrival.automatic:
                continue
            event = rules.message_added(
                complaints[known.complaint_id],
                row["id"],
                inbound=True,
                channel=arrival.message.source.channel,
                text=text,
                sent_at=arrival.message.occurred_at,
                event_id=self.ids(),
                now=now,
                actor=arrival.actor,
                reply=arrival.message.reply_session,
            )
            with use_traces({str(known.complaint_id): arrival.traceparent} if arrival.traceparent else {}):
                outbox.add(tx, event)


def _ref(known: Known) -> ComplaintRef:
    return ComplaintRef(id=known.complaint_id, number=known.number)


def _twin(arrival: Arrival, known: Mapping[NaturalKey, RowMapping]) -> Settled | None:
    """What becomes of a message that another account of ours has already. The id alone proves nothing: it must say the
    same."""
    for key in sorted(arrival.twins):
        row = known.get(key)
        if row is not None and row["complaint_id"] is not None and row["fingerprint"] == arrival.fingerprint:
            noted = row["status"] == DeliveryStatus.NOTED
            status = DeliveryStatus.NOTED if noted else DeliveryStatus.DUPLICATE
            return Settled(status, ComplaintRef(id=row["complaint_id"], number=row["number"]))
    return None


def _with_files(arrival: Arrival, held: files.Held) -> Arrival:
    if not held.attachments:
        return arrival
    return replace(
        arrival,
        message=arrival.message.model_copy(update={"attachments": held.attachments}),
        delivery=arrival.delivery and with_files(arrival.delivery, held),
    )


def _uploads(held: files.Held | Problem) -> tuple[UUID, ...]:
    return held.uploads if isinstance(held, files.Held) else ()


def _is_open(arrival: Arrival, known: Mapping[NaturalKey, RowMapping]) -> bool:
    """Whether it is to be decided what becomes of it: it is new, or retried and still what it was."""
    first = known.get(arrival.message.source.key)
    return first is None or (arrival.retried == first["id"] and first["status"] == arrival.again)


def _repeated(arrival: Arrival, first: RowMapping) -> Answered | Problem:
    if arrival.retried is not None:
        return NotInQuarantine(f"It is {first['status']}; GET /v1/receipts/{first['id']} tells more.")
    if first["fingerprint"] not in (None, arrival.fingerprint):
        return MessageKeyReused(
            f"Receipt {first['id']} is of another message with this channel, account and message id.",
            pointer="/source/message_id",
        )
    return _answered(arrival.once, receipt_of(first), 200)


def _answered(once: Once, receipt: DeliveryReceipt, status: int) -> Answered:
    return Answered(once, status, json_bytes(receipt), {"Location": f"/v1/receipts/{receipt.id}"})
