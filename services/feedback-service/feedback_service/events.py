"""Feedback's Kafka door: what it listens to and what it tells."""

from feedback_service.usecases import hear
from shared.bus import Handler
from shared.contracts import Event, feedback
from shared.contracts.intake import PersonErasedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1

CONSUMES: dict[type[Event], Handler] = {
    CaseResolvedV1: hear.ask_and_plan,
    CaseMovedV1: hear.follow_case,
    MessageDeliveredV1: hear.note_delivery,
    PersonErasedV1: hear.forget,
}
PUBLISHES = feedback.PUBLISHES
