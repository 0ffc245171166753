"""A complaint as it is kept, and the events that tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from intake_service.domain.contacts import Contacts, NotAContact, normal_email, normal_phone
from intake_service.domain.person import Stated
from intake_service.domain.record import NewComplaint, StatedChannel, StatedComplainant
from shared.contracts.envelope import Actor, ComplaintFacts, CustomerRef, Money
from shared.contracts.intake import (
    ComplaintReceivedV1,
    ComplaintsLinkedV1,
    Demand,
    MessageAddedV1,
    NoteAddedV1,
    ReplySession,
    Source,
)
from shared.contracts.vocabulary import URGENCY_OF_PRIORITY, Channel, LinkRelation, Priority

#: (channel, account, provider's message id): one delivery, however often it is repeated (A8).
NaturalKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value of the record, and where (JSON Pointer)."""

    pointer: str
    message: str


class RecordRefused(ValueError):
    """The record is well-formed, but some of its values can't be true."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Times:
    """When it happened, was made and was received; `happened_at` is kept to the minute (A2)."""

    received_at: datetime
    happened_at: datetime | None
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class Complaint:
    """The head of a complaint: all that any later event of it needs. `customer` is how the complainant was known at
    receipt, so that every event of the complaint says the same of them."""

    id: UUID
    number: str
    person_id: UUID
    customer: CustomerRef
    channel: Channel
    priority: Priority
    received_at: datetime
    organisation: str | None = None
    product: str | None = None
    region: str | None = None

    @property
    def facts(self) -> ComplaintFacts:
        return ComplaintFacts(
            complaint_id=self.id,
            number=self.number,
            received_at=self.received_at,
            channel=self.channel,
            urgency=URGENCY_OF_PRIORITY[self.priority],
            urgency_revision=0,
            customer=self.customer,
            organisation=self.organisation,
            product=self.product,
            region=self.region,
        )


def number_of(day: str, serial: int) -> str:
    """`C-20240510-000001`: day of receipt in the house's own time zone, then a serial that is unique in the day."""
    return f"C-{day}-{serial:06d}"


def day_of(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y%m%d")


def natural_key(channel: StatedChannel) -> NaturalKey | None:
    return None if channel.message_id is None else (channel.channel, channel.account, channel.message_id)


def times(record: NewComplaint, now: datetime, skew: timedelta) -> tuple[Times, list[Fault]]:
    """The instants of the record, and what can't be true of them. Clocks may differ by `skew`."""
    received_at = record.received_at or now
    latest = now + skew
    faults: list[Fault] = []
    if received_at > latest:
        faults.append(Fault("/received_at", "must not be in the future"))
    if record.happened_at and record.happened_at > latest:
        faults.append(Fault("/happened_at", "must not be in the future"))
    elif record.happened_at and record.happened_at > received_at + skew:
        faults.append(Fault("/happened_at", "must not be after the complaint was received"))
    if record.made_at and record.made_at > received_at + skew:
        faults.append(Fault("/made_at", "must not be after the complaint was received"))
    happened_at = record.happened_at and record.happened_at.replace(second=0, microsecond=0)
    return Times(received_at, happened_at, record.made_at), faults


def stated(complainant: StatedComplainant, region: str) -> tuple[Stated, list[Fault]]:
    """The complainant with normalised contacts; phones without a country code are of `region`."""
    faults: list[Fault] = []
    phones: list[str] = []
    for place, phone in enumerate(complainant.phones):
        try:
            phones.append(normal_phone(phone, region))
        except NotAContact as error:
            faults.append(Fault(f"/complainant/phones/{place}", str(error)))
    emails: list[str] = []
    for place, email in enumerate(complainant.emails):
        try:
            emails.append(normal_email(email))
        except NotAContact as error:
            faults.append(Fault(f"/complainant/emails/{place}", str(error)))
    return Stated(
        name=complainant.name,
        contacts=Contacts(tuple(dict.fromkeys(phones)), tuple(dict.fromkeys(emails)), complainant.wecom),
        organisation=complainant.organisation,
        account_id=complainant.account_id,
        preferred_channel=complainant.preferred_channel,
        language=complainant.language,
        level=complainant.level,
    ), faults


def received(
    complaint: Complaint,
    record: NewComplaint,
    when: Times,
    *,
    event_id: UUID,
    now: datetime,
    actor: Actor,
    earlier_complaints: int,
    reply: ReplySession | None = None,
    suspected_spam: bool = False,
) -> ComplaintReceivedV1:
    return ComplaintReceivedV1(
        event_id=event_id,
        occurred_at=complaint.received_at,
        recorded_at=now,
        actor=actor,
        facts=complaint.facts,
        priority=record.priority,
        source=Source(
            channel=record.channel.channel,
            account=record.channel.account,
            seat=record.channel.seat,
            message_id=record.channel.message_id,
        ),
        symptom=record.symptom,
        scene=record.scene,
        impact=record.impact,
        demands=tuple(
            [
                Demand(
                    text=demand.text,
                    amount=None
                    if demand.amount is None
                    else Money(amount_minor=demand.amount.amount_minor, currency=demand.amount.currency),
                    deadline=demand.deadline,
                )
                for demand in record.demands
            ]
        ),
        happened_at=when.happened_at,
        made_at=when.made_at,
        earlier_complaints=earlier_complaints,
        reply=reply,
        suspected_spam=suspected_spam,
    )


def message_added(
    complaint: Complaint,
    message_id: UUID,
    *,
    inbound: bool,
    channel: Channel,
    text: str,
    sent_at: datetime,
    event_id: UUID,
    now: datetime,
    actor: Actor,
    reply: ReplySession | None = None,
) -> MessageAddedV1:
    return MessageAddedV1(
        event_id=event_id,
        occurred_at=sent_at,
        recorded_at=now,
        actor=actor,
        facts=complaint.facts,
        message_id=message_id,
        inbound=inbound,
        channel=channel,
        text=text,
        reply=reply,
    )


def note_added(
    complaint: Complaint, note_id: UUID, text: str, *, event_id: UUID, now: datetime, actor: Actor
) -> NoteAddedV1:
    return NoteAddedV1(
        event_id=event_id,
        occurred_at=now,
        recorded_at=now,
        actor=actor,
        facts=complaint.facts,
        note_id=note_id,
        text=text,
    )


def linked(
    complaint: Complaint,
    other: Complaint,
    relation: LinkRelation,
    reason: str,
    *,
    event_id: UUID,
    now: datetime,
    actor: Actor,
) -> ComplaintsLinkedV1:
    return ComplaintsLinkedV1(
        event_id=event_id,
        occurred_at=now,
        recorded_at=now,
        actor=actor,
        facts=complaint.facts,
        other_id=other.id,
        other_number=other.number,
        relation=relation,
        reason=reason,
    )
