"""An outgoing message as it is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts, StaffContact
from shared.contracts.vocabulary import Channel, Language, Means, Purpose

Audience = Literal["complainant", "staff"]


class Status(StrEnum):
    QUEUED = "queued"
    #: Contacts were not heard yet; addressed when they are, or in the system when the grace time is over.
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    #: The complainant was erased before it was sent.
    WITHDRAWN = "withdrawn"


OPEN = (Status.QUEUED, Status.WAITING)


@dataclass(frozen=True, slots=True)
class Message:
    """`params` are what the templates may use; means, address and text are decided when it is sent, from what is known
    then, so they do not depend on the order in which events came."""

    message_id: UUID
    purpose: Purpose
    audience: Audience
    person_id: UUID | None
    staff: StaffContact | None
    team_id: str | None
    team_role: str
    facts: ComplaintFacts | None
    reference_id: UUID | None
    cycle: int | None
    channel: Channel | None
    params: dict[str, Any]
    occurred_at: datetime
    created_at: datetime
    due_at: datetime
    status: Status
    attempts: int = 0
    round: int = 1
    means: Means | None = None
    language: Language | None = None
    recipient: str = ""
    recipient_key: str = ""
    subject: str = ""
    text: str = ""
    delivered_at: datetime | None = None
    receipt: str = ""
    reason: str = ""
