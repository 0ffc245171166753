"""Tell: what notify-service tells the others."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts, Event, Personal
from shared.contracts.vocabulary import Means, Purpose

TOPIC = "redress.notify"


class OutgoingMessageEvent(Event):
    """`facts` is empty for messages that belong to no single complaint. `recipient` is masked for complainants.
    `reference_id` is the survey, task, clock … that the message is about; `cycle` the case's cycle where it has one."""

    message_id: UUID
    facts: ComplaintFacts | None
    purpose: Purpose
    audience: Literal["complainant", "staff"]
    means: Means
    recipient: Annotated[str, Personal()]
    reference_id: UUID | None = None
    cycle: int | None = None
    subject: Annotated[str, Personal()] = ""
    text: Annotated[str, Personal()] = ""

    @property
    def key(self) -> str:
        return str(self.facts.complaint_id if self.facts else self.message_id)


class MessageDeliveredV1(OutgoingMessageEvent):
    """The next hop took it (SMTP 250, provider's receipt); `occurred_at` is that instant."""

    TYPE: ClassVar[str] = "redress.message.delivered.v1"
    TOPIC: ClassVar[str] = TOPIC

    receipt: str = ""


class MessageFailedV1(OutgoingMessageEvent):
    """Given up after `attempts`; a person has to find another way."""

    TYPE: ClassVar[str] = "redress.message.failed.v1"
    TOPIC: ClassVar[str] = TOPIC

    attempts: int
    reason: str


PUBLISHES: tuple[type[Event], ...] = (MessageDeliveredV1, MessageFailedV1)
