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
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import complaint as rules
from intake_service.domain.complaint import NaturalKey
from intake_service.domain.message import Doubt, IncomingMessage, on_thread
from intake_service.domain.person import Identity
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
from intake_service.usecases.errors import MessageKeyReused, NotInQuarantine
from intake_service.usecases.placing import place
from intake_service.usecases.reception import Delivery, Outcome, Reception, outcome_of, with_files
from shared.bus import outbox
from shared.clock import Clock
from shared.contracts.envelope import Actor
from shared.telemetry.tracing import use_traces
from shared.web.body import json_bytes
from shared.web.errors import Problem
from shared.web.idempotency import Answered, Once, record_many, replay_many


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message on its way into a batch. `delivery` is the complaint that it makes where it belongs to none; None where
    there are `doubts`. `fingerprint` tells whether the same key comes with another message. `retried` is the receipt of
    a message that is taken out of quarantine to be looked at once more. Of what came by a configured channel, `owner`
    is in charge where there are doubts, and `envelope` is the message as the channel read it from `body`.
    `automatic`: a machine wrote it, `senders` are its identities. `twins` are the keys under which other accounts of
    ours may have the same message."""

    message: IncomingMessage
    delivery: Delivery | None
    doubts: tuple[Doubt, ...]
    body: bytes
    fingerprint: bytes
    actor: Actor
    once: Once
    traceparent: str | None
    retried: UUID | None = None
    channel_id: str | None = None
    owner: str | None = None
    envelope: bytes | None = None
    automatic: bool = False
    senders: tuple[Identity, ...] = ()
    twins: frozenset[NaturalKey] = frozenset()

    @property
    def references(self) -> frozenset[NaturalKey]:
        return self.message.source.references | self.twins


#: What is to be committed with a batch; it sees what each arrival is answered.
Along = Callable[[AsyncSession, Sequence[Answered | Problem]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an arrival."""

    status: DeliveryStatus
    complaint: ComplaintRef | None = None
    suggested: ComplaintRef | None = None


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
        known = await store.find_by_keys(tx, keys)
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
        settled = await self._settle(tx, fresh, known, now)
        doubtful = [
            arrival
            for (arrival, _), outcome in zip(fresh, settled, strict=True)
            if outcome.status is DeliveryStatus.QUARANTINED
        ]
        owners = await self._owners(tx, doubtful)
        rows = {
            arrival.message.source.key: self._row(arrival, outcome, owners.get(arrival.message.source.key), now)
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
        now: datetime,
    ) -> list[Settled]:
        """What becomes of messages that have no receipt yet; `known` are the receipts of their twins."""
        settled: dict[NaturalKey, Settled] = {}
        had = await store.find_elsewhere(tx, [arrival.message.source.key for arrival, _ in wave])
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
        placements = await place(
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
        created = iter(await self.reception.keep(tx, new))
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
            row = _message_row(self.ids(), known.complaint_id, arrival, text, now)
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

    def _row(self, arrival: Arrival, settled: Settled, owner: str | None, now: datetime) -> dict[str, Any]:
        source = arrival.message.source
        quarantined = settled.status is DeliveryStatus.QUARANTINED
        return {
            "id": arrival.retried or self.ids(),
            "channel": source.channel,
            "account": source.account,
            "message_id": source.message_id,
            "thread_id": source.thread_id,
            "status": settled.status,
            "complaint_id": settled.complaint and settled.complaint.id,
            "suggested_id": settled.suggested and settled.suggested.id,
            "doubts": [doubt.model_dump(mode="json") for doubt in arrival.doubts] if quarantined else [],
            "owner": owner,
            "actor": arrival.actor.model_dump(mode="json"),
            "recorded_at": now,
            "fingerprint": arrival.fingerprint,
            "body": arrival.body,
            "channel_id": arrival.channel_id,
            "envelope": arrival.envelope if quarantined else None,
            "due_at": now + timedelta(hours=self.settings.quarantine_hours) if quarantined else None,
        }


def receipt_view(
    row: Mapping[str, Any] | RowMapping, complaint: ComplaintRef | None, suggested: ComplaintRef | None
) -> DeliveryReceipt:
    return DeliveryReceipt(
        **{name: row[name] for name in ("id", "status", "channel", "account", "message_id", "recorded_at", "doubts")},
        complaint=complaint,
        suggested=suggested,
    )


def receipt_of(row: RowMapping) -> DeliveryReceipt:
    """Of a row with the numbers of its complaints."""
    return receipt_view(
        row,
        ComplaintRef(id=row["complaint_id"], number=row["number"]) if row["complaint_id"] else None,
        ComplaintRef(id=row["suggested_id"], number=row["suggested_number"]) if row["suggested_id"] else None,
    )


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
    """Whether it is to be decided what becomes of it: it is new, or retried and still in quarantine."""
    first = known.get(arrival.message.source.key)
    return first is None or (arrival.retried == first["id"] and first["status"] == DeliveryStatus.QUARANTINED)


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


def _message_row(message_id: UUID, complaint_id: UUID, arrival: Arrival, text: str, now: datetime) -> dict[str, Any]:
    source = arrival.message.source
    return {
        "id": message_id,
        "complaint_id": complaint_id,
        "direction": "automatic" if arrival.automatic else "inbound",
        "channel": source.channel,
        "account": source.account,
        "seat": None,
        "message_id": source.message_id,
        "text": text,
        "attachments": [attachment.model_dump(mode="json") for attachment in arrival.message.attachments],
        "actor": arrival.actor.model_dump(mode="json"),
        "sent_at": arrival.message.occurred_at,
        "recorded_at": now,
    }
