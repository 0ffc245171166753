"""What readers see: contacts masked everywhere but in `WholeContacts` (A6)."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from intake_service.domain import contacts
from intake_service.domain.calls import Dismissed
from intake_service.domain.details import Check, DeliveryReport
from intake_service.domain.message import Doubt
from intake_service.domain.person import Person
from intake_service.domain.receipt import MissingPart
from intake_service.domain.record import Attachment, Sha256
from intake_service.domain.spam import Spam
from shared.contracts.envelope import Actor
from shared.contracts.intake import Demand, Source
from shared.contracts.resolution import WrittenResult
from shared.contracts.vocabulary import (
    CaseState,
    Channel,
    Kind,
    Language,
    LinkRelation,
    MeasureKind,
    Priority,
    Urgency,
)


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ComplainantView(View):
    """A complainant, masked. `erased` tells that nothing of them is left."""

    id: UUID
    display: str
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    wecom: str | None
    organisation: str | None
    account_id: str | None
    preferred_channel: Channel | None
    language: Language
    level: str
    erased: bool


class WholeContacts(View):
    """Contacts as they are; every look at them is recorded."""

    complainant_id: UUID
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    wecom: str | None


class OutcomeView(View):
    """How the case stands, as resolution told: the latest state, and the latest written result (A9)."""

    state: CaseState | None
    cycle: int | None
    moved_at: datetime | None
    resolved_at: datetime | None
    result: WrittenResult | None
    measure_kinds: tuple[MeasureKind, ...]


class LinkView(View):
    complaint_id: UUID
    number: str
    relation: LinkRelation
    other_id: UUID
    other_number: str
    reason: str
    linked_at: datetime


class ComplaintItem(View):
    """A complaint in a list."""

    id: UUID
    number: str
    kind: Kind
    priority: Priority
    channel: Channel
    received_at: datetime
    complainant_id: UUID
    complainant: str
    symptom: str
    product: str | None
    region: str | None
    outcome: OutcomeView | None
    erased: bool
    spam: Spam | None
    spam_listed: bool = Field(description="Suspected to be spam, and not taken out.")


class Scan(StrEnum):
    """What the virus scanner said. `not_scanned`: there was none when the file came; `failed`: it could not tell."""

    PENDING = "pending"
    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not_scanned"
    FAILED = "failed"


class AttachmentReceipt(View):
    """An uploaded file is kept. `media_type` is what its first bytes say. Name its `id` in a complaint or message
    within a day; what nobody names is deleted."""

    id: UUID
    sha256: Sha256
    size_bytes: int
    media_type: str
    name: str
    scan: Scan


class AttachmentView(Attachment):
    """`href` is where a file of our own store is read, by whoever may read the complaint."""

    href: str | None = Field(None, examples=["/v1/attachments/0190d0a4-7c1c-7000-8000-000000000000"])
    scan: Scan | None = None


class AttachmentLink(View):
    """Whoever has the link may download the file until it expires."""

    url: str
    expires_at: datetime


class AttachmentAccess(View):
    """Who downloaded a file, or took a link to it, and when."""

    id: UUID
    attachment_id: UUID
    actor: Actor
    what: Literal["download", "link"]
    accessed_at: datetime


class ComplaintRef(View):
    id: UUID
    number: str


class CallView(View):
    """A call. `due_at` is when its record must be there; `complaint` is that record, or `dismissed` says why it needs
    none. The caller is masked."""

    id: UUID
    channel_id: str
    account: str
    call_id: str
    caller: str | None
    seat: str | None
    rang_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    recording_url: str | None
    heard_at: datetime
    due_at: datetime
    complaint: ComplaintRef | None
    dismissed: Dismissed | None


class DetailsView(View):
    """What its channel knows of a message beside what it says. `html_href` is where it is read as its writer laid it
    out, by whoever may read the complaint."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    report: DeliveryReport | None
    html_href: str | None = Field(examples=["/v1/receipts/0190d0a4-7c1c-7000-8000-000000000000/html"])


class ComplaintView(View):
    """The whole standard record (A2). `read_back` is to be told to the complainant and confirmed."""

    id: UUID
    number: str
    kind: Kind
    priority: Priority
    urgency: Urgency
    source: Source
    complainant: ComplainantView
    received_at: datetime
    recorded_at: datetime
    recorded_by: str
    happened_at: datetime | None
    made_at: datetime | None
    symptom: str
    scene: str
    impact: str
    demands: tuple[Demand, ...]
    attachments: tuple[AttachmentView, ...]
    organisation: str | None
    product: str | None
    region: str | None
    earlier_complaints: int
    missing: tuple[MissingPart, ...]
    read_back: str
    outcome: OutcomeView | None
    links: tuple[LinkView, ...]
    details: DetailsView | None = Field(None, description="Of the message that it came by.")
    channel_teams: tuple[str, ...] = Field(
        description="The teams that own the channel it came by: the one in charge, and the one it shares it with (A1)."
    )
    call: CallView | None = Field(description="The call that it was recorded of, as the telephone system told.")
    erased: bool
    spam: Spam | None
    spam_listed: bool = Field(description="Suspected to be spam, and not taken out.")


class ComplainantHistory(View):
    """A complainant with their latest complaints and how these ended (A9)."""

    complainant: ComplainantView
    complaints_total: int
    complaints: tuple[ComplaintItem, ...]


class MessageReceipt(View):
    id: UUID
    complaint_id: UUID
    direction: Literal["inbound", "outbound", "automatic"]
    sent_at: datetime
    recorded_at: datetime


class MessageView(MessageReceipt):
    source: Source
    text: str
    attachments: tuple[AttachmentView, ...]
    actor: Actor
    details: DetailsView | None = None


class DeliveryStatus(StrEnum):
    """What became of a message."""

    CREATED = "created"
    APPENDED = "appended"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    SUGGESTION = "suggestion"
    NOTED = "noted"


class DeliveryReceipt(View):
    """What became of a message. `complaint` is the new one (`created`, `suggestion`), the one that it was added to
    (`appended`), the one that has the delivery by another door (`duplicate`), or the one that a machine's message is
    about (`noted`, or none); `suggested` is the one that a new complaint may belong to; `doubts` say why it is
    `quarantined`. Nothing personal stands in it."""

    id: UUID
    status: DeliveryStatus
    channel: Channel
    account: str
    message_id: str
    recorded_at: datetime
    complaint: ComplaintRef | None
    suggested: ComplaintRef | None
    doubts: tuple[Doubt, ...]
    details: DetailsView | None = None


class QuarantinedMessage(View):
    """A message that could not be understood; `owner` is in charge of it. One that was noted as a machine's has neither
    owner nor due time."""

    id: UUID
    channel: Channel
    account: str
    message_id: str
    recorded_at: datetime
    owner: str | None
    doubts: tuple[Doubt, ...]
    channel_id: str | None = Field(description="Of the configured channel that it came by.")
    due_at: datetime | None = Field(description="When it must have been looked at.")


class QuarantineAccess(View):
    """Who looked at the body of a message in quarantine, when and why (A6)."""

    id: UUID
    receipt_id: UUID
    actor: Actor
    reason: str
    accessed_at: datetime


class QuarantinedBody(QuarantinedMessage):
    """With the request as it came. It may hold personal data."""

    body: str = Field(description="The bytes of the request, in Base64.")


class NoteReceipt(View):
    id: UUID
    complaint_id: UUID
    written_at: datetime


class NoteView(NoteReceipt):
    text: str
    actor: Actor


class ErasureReceipt(View):
    """`complaints` is how many complaints of the person were redacted."""

    complainant_id: UUID
    erased_at: datetime
    complaints: int


class ContactAccess(View):
    """Who looked at whole contacts, when and why (A6)."""

    id: UUID
    complainant_id: UUID
    actor: Actor
    reason: str
    accessed_at: datetime


class AdapterKeyView(View):
    """An adapter's key without the key. Bound to `channel` and `account` where these are given."""

    id: UUID
    name: str
    prefix: str
    channel: Channel | None
    account: str | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


class NewAdapterKey(AdapterKeyView):
    """`key` is shown this once; it is kept as a hash alone."""

    key: str


def complainant_view(person: Person) -> ComplainantView:
    masked = contacts.masked(person.contacts)
    return ComplainantView(
        id=person.id,
        display=person.display,
        name=contacts.mask_name(person.name),
        phones=masked.phones,
        emails=masked.emails,
        wecom=masked.wecom,
        organisation=person.organisation,
        account_id=person.account_id,
        preferred_channel=person.preferred_channel,
        language=person.language,
        level=person.level,
        erased=person.erased_at is not None,
    )


def whole_contacts(person: Person) -> WholeContacts:
    return WholeContacts(
        complainant_id=person.id,
        name=person.name,
        phones=person.contacts.phones,
        emails=person.contacts.emails,
        wecom=person.contacts.wecom,
    )
