"""What is said about a complaint after its receipt: messages both ways, internal notes, links (A3, A8)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import complaint as rules
from intake_service.domain.record import NewLink, NewMessage, NewNote
from intake_service.domain.views import LinkView, MessageReceipt, NoteReceipt
from intake_service.store import complaints as store
from intake_service.store.attachments import insert_uses
from intake_service.store.rows import complaint_of
from intake_service.usecases import files
from intake_service.usecases.access import check_channel
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import BadLink, DeliveryElsewhere, Erased, NoSuchComplaint, UnknownAttachment
from intake_service.usecases.reception import impossible
from shared.bus import outbox
from shared.contracts.vocabulary import LinkRelation
from shared.web.auth import Principal
from shared.web.idempotency import Once

ComplaintKey = UUID | str


def no_such(key: ComplaintKey) -> NoSuchComplaint:
    return NoSuchComplaint(f"No complaint has the id or number {key}.")


async def add_message(key: ComplaintKey, message: NewMessage, principal: Principal, once: Once, deps: Deps) -> Response:
    """201, or 200 with the first answer where this delivery was added before.

    Raises `NoSuchComplaint`, `Erased`, `NotYourChannel`, `ImpossibleRecord`, `DeliveryElsewhere`,
    `UnknownAttachment`.
    """
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        row, repeated = await write_message(tx, key, message, principal, deps)
        receipt = MessageReceipt.model_validate(row, from_attributes=False, extra="ignore")
        return await once.record(tx, receipt, status=200 if repeated else 201)


async def write_message(
    tx: AsyncSession, key: ComplaintKey, message: NewMessage, principal: Principal, deps: Deps
) -> tuple[Mapping[str, Any] | RowMapping, bool]:
    """The message with its event, and whether it had been added before. The complaint is held until the commit.

    Raises what `add_message` raises.
    """
    check_channel(principal, message.channel)
    now = deps.clock.now()
    sent_at = message.sent_at or now
    if sent_at > now + timedelta(seconds=deps.settings.clock_skew_seconds):
        raise impossible([rules.Fault("/sent_at", "must not be in the future")])
    row = await _hold(tx, key)
    held = (await files.hold(tx, [files.Named(message.attachments, principal.actor)], deps.ids, now))[0]
    if isinstance(held, UnknownAttachment):
        raise held
    written = {
        "id": deps.ids(),
        "complaint_id": row["id"],
        "direction": message.direction,
        "channel": message.channel.channel,
        "account": message.channel.account,
        "seat": message.channel.seat,
        "message_id": message.channel.message_id,
        "text": message.text,
        "attachments": [attachment.model_dump(mode="json") for attachment in held.attachments],
        "actor": principal.actor.model_dump(mode="json"),
        "sent_at": sent_at,
        "recorded_at": now,
    }
    repeated = await store.insert_message(tx, written)
    if repeated is not None:
        if repeated["complaint_id"] != row["id"]:
            raise DeliveryElsewhere(
                f"It was added to complaint {repeated['complaint_id']}; one delivery belongs to one complaint.",
                pointer="/channel/message_id",
            )
        return repeated, True
    await insert_uses(tx, [(upload, row["id"]) for upload in held.uploads])
    outbox.add(
        tx,
        rules.message_added(
            complaint_of(row),
            written["id"],
            inbound=message.direction == "inbound",
            channel=message.channel.channel,
            text=message.text,
            sent_at=sent_at,
            event_id=deps.ids(),
            now=now,
            actor=principal.actor,
        ),
    )
    return written, False


async def add_note(key: ComplaintKey, note: NewNote, principal: Principal, once: Once, deps: Deps) -> Response:
    """Raises `NoSuchComplaint`, `Erased`."""
    now = deps.clock.now()
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        row = await _hold(tx, key)
        receipt = NoteReceipt(id=deps.ids(), complaint_id=row["id"], written_at=now)
        actor = principal.actor
        await store.insert_note(tx, {**receipt.model_dump(), "text": note.text, "actor": actor.model_dump(mode="json")})
        outbox.add(
            tx, rules.note_added(complaint_of(row), receipt.id, note.text, event_id=deps.ids(), now=now, actor=actor)
        )
        return await once.record(tx, receipt, status=201)


async def link_complaints(key: ComplaintKey, link: NewLink, principal: Principal, once: Once, deps: Deps) -> Response:
    """201, or 200 where the same link stands already.

    Raises `NoSuchComplaint`, and `BadLink` for a link to itself, a second original, or an original that is itself a
    duplicate: every duplicate points straight at the complaint that goes on.
    """
    other_key: ComplaintKey = link.other if link.other.startswith("C-") else UUID(link.other)
    now = deps.clock.now()
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        held = await store.hold(tx, [key, other_key], alone=True)
        row, other = _chosen(held, key), _chosen(held, other_key)
        if row is None:
            raise no_such(key)
        if other is None:
            raise BadLink(f"No complaint has the id or number {link.other}.", pointer="/other")
        complaint, original = complaint_of(row), complaint_of(other)
        if complaint.id == original.id:
            raise BadLink("A complaint can't be linked to itself.", pointer="/other")
        if link.relation is LinkRelation.DUPLICATE_OF:
            await _check_originals(tx, complaint.id, original.id)
        view = LinkView(
            complaint_id=complaint.id,
            number=complaint.number,
            relation=link.relation,
            other_id=original.id,
            other_number=original.number,
            reason="",
            linked_at=now,
        )
        written = {
            **view.model_dump(include={"complaint_id", "other_id", "relation", "linked_at"}),
            "reason": "" if row["erased_at"] else link.reason,
            "actor": principal.actor.model_dump(mode="json"),
        }
        new = await store.insert_link(tx, written)
        if new:
            outbox.add(
                tx,
                rules.linked(
                    complaint,
                    original,
                    link.relation,
                    written["reason"],
                    event_id=deps.ids(),
                    now=now,
                    actor=principal.actor,
                ),
            )
        return await once.record(tx, view, status=201 if new else 200)


async def _check_originals(tx: AsyncSession, complaint_id: UUID, original_id: UUID) -> None:
    originals = await store.originals_of(tx, [complaint_id, original_id])
    if originals.get(complaint_id, original_id) != original_id:
        raise BadLink(
            f"It is a duplicate of {originals[complaint_id]} already; a complaint has one original.", pointer="/other"
        )
    if original_id in originals:
        raise BadLink(
            f"The other one is itself a duplicate of {originals[original_id]}; link to that one.", pointer="/other"
        )
    if await store.has_duplicates(tx, complaint_id):
        raise BadLink("Other complaints are duplicates of this one; link those to the other first.", pointer="/other")


async def _hold(tx: AsyncSession, key: ComplaintKey) -> RowMapping:
    held = await store.hold(tx, [key])
    if not held:
        raise no_such(key)
    if held[0]["erased_at"] is not None:
        raise Erased("Nothing can be added to it. If they write again, receive it as a new complaint.")
    return held[0]


def _chosen(rows: list[RowMapping], key: ComplaintKey) -> RowMapping | None:
    return next((row for row in rows if key in (row["id"], row["number"])), None)
