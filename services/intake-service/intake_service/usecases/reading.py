"""Reading complaints and their complainants' history (A9)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.domain import views
from intake_service.domain.receipt import missing_parts
from intake_service.domain.record import Attachment
from intake_service.domain.spam import Spam
from intake_service.domain.template import read_back
from intake_service.store import attachments, persons, receipts
from intake_service.store import complaints as store
from intake_service.store.rows import complaint_of
from intake_service.usecases.arrival import details_view
from intake_service.usecases.calls import call_of_record, view_of
from intake_service.usecases.channels import accounts_of, teams_of
from intake_service.usecases.conversation import ComplaintKey, no_such
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import NoSuchComplainant
from shared.contracts.intake import Source
from shared.contracts.resolution import WrittenResult
from shared.contracts.vocabulary import CaseState, Channel, MeasureKind

HISTORY_SHOWN = 20
Position = tuple[datetime, UUID]


async def show_complaint(key: ComplaintKey, deps: Deps) -> views.ComplaintView:
    """Raises `NoSuchComplaint`."""
    async with deps.reading() as tx:
        row = await store.find(tx, key)
        if row is None:
            raise no_such(key)
        person = await persons.find(tx, row["person_id"])
        links = await store.links_of(tx, row["id"])
        files = (await _attachments(tx, [row["record"]["attachments"]]))[0]
        call = await call_of_record(tx, row["channel"], row["account"], row["message_id"])
        details = (await _details(tx, [row]))[0]
    assert person is not None
    complaint, record = complaint_of(row), row["record"]
    happened_at = row["happened_at"]
    return views.ComplaintView(
        id=complaint.id,
        number=complaint.number,
        kind=row["kind"],
        priority=complaint.priority,
        urgency=complaint.facts.urgency,
        source=_source(row),
        complainant=views.complainant_view(person),
        received_at=complaint.received_at,
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
        happened_at=happened_at,
        made_at=row["made_at"],
        **{name: record[name] for name in ("symptom", "scene", "impact", "demands")},
        attachments=files,
        organisation=complaint.organisation,
        product=complaint.product,
        region=complaint.region,
        earlier_complaints=row["earlier_complaints"],
        missing=missing_parts(row["missing"]),
        read_back=""
        if row["erased_at"]
        else read_back(
            complaint.customer.language,
            symptom=record["symptom"],
            happened_at=happened_at and happened_at.astimezone(deps.settings.zone),
            scene=record["scene"],
            impact=record["impact"],
            demands=[demand["text"] for demand in record["demands"]],
        ),
        outcome=_outcome(row),
        links=tuple(views.LinkView.model_validate(dict(link)) for link in links),
        channel_teams=await teams_of(row["channel"], row["account"], deps),
        call=await view_of(call, deps) if call is not None else None,
        details=details,
        erased=row["erased_at"] is not None,
        spam=_spam(row),
        spam_listed=row["spam_listed"],
    )


async def list_complaints(
    complainant: UUID | None,
    channel: Channel | None,
    team: str | None,
    spam: bool | None,
    after: Position | None,
    limit: int,
    deps: Deps,
) -> Sequence[views.ComplaintItem]:
    """The latest first; `team` wants those of the channels that it owns or shares."""
    accounts = None if team is None else await accounts_of(team, deps)
    async with deps.reading() as tx:
        rows = await store.page_of(
            tx, person_id=complainant, channel=channel, accounts=accounts, spam=spam, after=after, limit=limit
        )
    return [_item(row) for row in rows]


async def show_complainant(person_id: UUID, deps: Deps) -> views.ComplainantHistory:
    """Masked, with the latest complaints and their results. Raises `NoSuchComplainant`."""
    async with deps.reading() as tx:
        person = await persons.find(tx, person_id)
        if person is None:
            raise NoSuchComplainant(f"No complainant has the id {person_id}.")
        rows = await store.page_of(tx, person_id=person_id, limit=HISTORY_SHOWN)
        total = await store.count_of(tx, person_id)
    return views.ComplainantHistory(
        complainant=views.complainant_view(person),
        complaints_total=total,
        complaints=tuple(_item(row) for row in rows),
    )


async def list_messages(
    key: ComplaintKey, after: Position | None, limit: int, deps: Deps
) -> Sequence[views.MessageView]:
    """The thread, the oldest first. Raises `NoSuchComplaint`."""
    async with deps.reading() as tx:
        rows = await store.messages_of(tx, await _id_of(tx, key), after, limit)
        files = await _attachments(tx, [row["attachments"] for row in rows])
        details = await _details(tx, rows)
    plain = views.MessageView.model_fields.keys() - {"source", "attachments", "details"}
    return [
        views.MessageView(
            **{name: row[name] for name in plain}, source=_source(row), attachments=of_row, details=known_of_row
        )
        for row, of_row, known_of_row in zip(rows, files, details, strict=True)
    ]


async def _details(tx: AsyncSession, rows: Sequence[RowMapping]) -> list[views.DetailsView | None]:
    """What the channels by which these came know of them."""
    keys = [(row["channel"], row["account"], row["message_id"] or "") for row in rows]
    found = await receipts.details_of(tx, [key for key in keys if key[2]])
    return [
        details_view(known["id"], known["details"], known["has_html"]) if (known := found.get(key)) else None
        for key in keys
    ]


async def _attachments(
    tx: AsyncSession, documents: Sequence[Sequence[dict[str, Any]]]
) -> list[tuple[views.AttachmentView, ...]]:
    """As readers see them, with where our own files are read and what the scanner said of them."""
    named = [[Attachment.model_validate(each) for each in documents_of] for documents_of in documents]
    scans = await attachments.scans(tx, (each.id for one in named for each in one if each.id is not None))
    return [
        tuple(
            views.AttachmentView(
                **each.model_dump(),
                href=f"/v1/attachments/{each.id}" if each.id in scans else None,
                scan=views.Scan(scans[each.id]) if each.id in scans else None,
            )
            for each in one
        )
        for one in named
    ]


async def list_notes(key: ComplaintKey, after: Position | None, limit: int, deps: Deps) -> Sequence[views.NoteView]:
    """Raises `NoSuchComplaint`."""
    async with deps.reading() as tx:
        rows = await store.notes_of(tx, await _id_of(tx, key), after, limit)
    return [views.NoteView(**row) for row in rows]


async def _id_of(tx: AsyncSession, key: ComplaintKey) -> UUID:
    row = await store.find(tx, key)
    if row is None:
        raise no_such(key)
    found: UUID = row["id"]
    return found


def _spam(row: RowMapping) -> Spam | None:
    return None if row["spam"] is None else Spam.model_validate(row["spam"])


def _source(row: RowMapping) -> Source:
    return Source(
        channel=Channel(row["channel"]), account=row["account"], seat=row["seat"], message_id=row["message_id"]
    )


def _outcome(row: RowMapping) -> views.OutcomeView | None:
    if row["heard"] is None:
        return None
    return views.OutcomeView(
        state=row["state"] and CaseState(row["state"]),
        cycle=row["cycle"],
        moved_at=row["moved_at"],
        resolved_at=row["resolved_at"],
        result=row["result"] and WrittenResult.model_validate(row["result"]),
        measure_kinds=tuple(MeasureKind(kind) for kind in row["measure_kinds"] or ()),
    )


def _item(row: RowMapping) -> views.ComplaintItem:
    complaint = complaint_of(row)
    return views.ComplaintItem(
        id=complaint.id,
        number=complaint.number,
        kind=row["kind"],
        priority=complaint.priority,
        channel=complaint.channel,
        received_at=complaint.received_at,
        complainant_id=complaint.person_id,
        complainant=complaint.customer.display,
        symptom=row["record"]["symptom"],
        product=complaint.product,
        region=complaint.region,
        outcome=_outcome(row),
        erased=row["erased_at"] is not None,
        spam=_spam(row),
        spam_listed=row["spam_listed"],
    )
