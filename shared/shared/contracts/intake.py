"""Receive 接收: what intake-service tells the others."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.envelope import ComplaintEvent, Data, Event, Money, Personal
from shared.contracts.vocabulary import Channel, Language, LinkRelation, Priority

TOPIC = "redress.intake"
CONTACTS_TOPIC = "redress.intake.contacts"


class Demand(Data):
    """What the complainant wants (A2)."""

    text: Annotated[str, Personal()]
    amount: Money | None = None
    deadline: AwareDatetime | None = None


class Source(Data):
    """How it came in: the channel's account, the seat that took it, the provider's id of the message."""

    channel: Channel
    account: str
    seat: str | None = None
    message_id: str | None = None


class ReplySession(Data):
    """Where an answer goes in the conversation that a message came by, while its channel takes one. `address` is the
    sender's id in that account; `webhook` takes an answer without more, where the channel gives one."""

    account: str
    address: Annotated[str, Personal()]
    webhook: Annotated[str | None, Personal()] = None
    expires_at: AwareDatetime


class ComplaintReceivedV1(ComplaintEvent):
    """A complaint is in the system. `occurred_at` is when it was received; `happened_at` is when the trouble began;
    `made_at` is when the complainant made it where it was found outside (F7)."""

    TYPE: ClassVar[str] = "redress.complaint.received.v1"
    TOPIC: ClassVar[str] = TOPIC

    priority: Priority
    source: Source
    symptom: Annotated[str, Personal()]
    scene: Annotated[str, Personal()] = ""
    impact: Annotated[str, Personal()] = ""
    demands: tuple[Demand, ...] = ()
    happened_at: AwareDatetime | None = None
    made_at: AwareDatetime | None = None
    earlier_complaints: int = 0
    reply: ReplySession | None = None
    suspected_spam: bool = False


class ClearedOfSpamV1(ComplaintEvent):
    """A lead says that a complaint that was received as suspected spam is none: what waited for that is done now."""

    TYPE: ClassVar[str] = "redress.complaint.cleared-of-spam.v1"
    TOPIC: ClassVar[str] = TOPIC

    priority: Priority
    symptom: Annotated[str, Personal()]


class MessageAddedV1(ComplaintEvent):
    """A message on the complaint's thread, from or to the complainant (A3)."""

    TYPE: ClassVar[str] = "redress.complaint.message-added.v1"
    TOPIC: ClassVar[str] = TOPIC

    message_id: UUID
    inbound: bool
    channel: Channel
    text: Annotated[str, Personal()]
    reply: ReplySession | None = None


class NoteAddedV1(ComplaintEvent):
    """An internal note; never shown to the complainant."""

    TYPE: ClassVar[str] = "redress.complaint.note-added.v1"
    TOPIC: ClassVar[str] = TOPIC

    note_id: UUID
    text: Annotated[str, Personal()]


class ComplaintsLinkedV1(ComplaintEvent):
    """`facts` is the complaint that is linked, `other_id` the one it is linked to. `duplicate_of` merges it (C7)."""

    TYPE: ClassVar[str] = "redress.complaint.linked.v1"
    TOPIC: ClassVar[str] = TOPIC

    other_id: UUID
    other_number: str
    relation: LinkRelation
    reason: Annotated[str, Personal()] = ""


class PersonErasedV1(Event):
    """Every service that keeps a copy of something personal of this person deletes it."""

    TYPE: ClassVar[str] = "redress.person.erased.v1"
    TOPIC: ClassVar[str] = TOPIC

    person_id: UUID
    complaint_ids: tuple[UUID, ...] = ()

    @property
    def key(self) -> str:
        return str(self.person_id)


class ContactsChangedV1(Event):
    """The full contacts of a complainant, on a compacted topic that notify-service alone reads. `revision` grows."""

    TYPE: ClassVar[str] = "redress.contacts.changed.v1"
    TOPIC: ClassVar[str] = CONTACTS_TOPIC

    person_id: UUID
    revision: int
    name: Annotated[str, Personal()]
    phones: Annotated[tuple[str, ...], Personal()] = ()
    emails: Annotated[tuple[str, ...], Personal()] = ()
    wecom_id: Annotated[str | None, Personal()] = None
    preferred_channel: Channel | None = None
    language: Language = Language.ZH

    @property
    def key(self) -> str:
        return str(self.person_id)


class ContactsErasedV1(Event):
    """The tombstone of `ContactsChangedV1`: an empty value on the person's key."""

    TYPE: ClassVar[str] = "redress.contacts.erased.v1"
    TOPIC: ClassVar[str] = CONTACTS_TOPIC
    TOMBSTONE: ClassVar[bool] = True

    person_id: UUID

    @property
    def key(self) -> str:
        return str(self.person_id)


PUBLISHES: tuple[type[Event], ...] = (
    ComplaintReceivedV1,
    ClearedOfSpamV1,
    MessageAddedV1,
    NoteAddedV1,
    ComplaintsLinkedV1,
    PersonErasedV1,
    ContactsChangedV1,
    ContactsErasedV1,
)
