"""What the others hear of a message that has come to its end."""

from datetime import datetime

from notify_service.domain import Message, Status
from shared.contracts.envelope import Actor, ActorKind
from shared.contracts.notify import MessageDeliveredV1, MessageFailedV1
from shared.contracts.vocabulary import Means
from shared.ids import derived_id

_ACTOR = Actor(kind=ActorKind.SYSTEM, id="notify-service")


def outcome_event(message: Message, now: datetime) -> MessageDeliveredV1 | MessageFailedV1 | None:
    """Delivered: occurred at the receipt. Failed: given up now. Nothing while it is still on its way or withdrawn."""
    if message.status is Status.DELIVERED and message.delivered_at is not None:
        return MessageDeliveredV1(
            event_id=derived_id("delivered", message.message_id),
            occurred_at=message.delivered_at,
            recorded_at=now,
            actor=_ACTOR,
            message_id=message.message_id,
            facts=message.facts,
            purpose=message.purpose,
            audience=message.audience,
            means=message.means or Means.IN_SYSTEM,
            recipient=message.recipient,
            reference_id=message.reference_id,
            cycle=message.cycle,
            subject=message.subject,
            text=message.text,
            receipt=message.receipt,
        )
    if message.status is Status.FAILED:
        return MessageFailedV1(
            event_id=derived_id("failed", message.message_id, message.round),
            occurred_at=now,
            recorded_at=now,
            actor=_ACTOR,
            message_id=message.message_id,
            facts=message.facts,
            purpose=message.purpose,
            audience=message.audience,
            means=message.means or Means.IN_SYSTEM,
            recipient=message.recipient,
            reference_id=message.reference_id,
            cycle=message.cycle,
            subject=message.subject,
            text=message.text,
            attempts=message.attempts,
            reason=message.reason,
        )
    return None
