"""Insight's Kafka door: it listens to everything but the contacts, which are for notify-service alone."""

from insight_service.usecases import hear
from shared.bus import Handler
from shared.contracts import BY_TYPE, Event, insight
from shared.contracts.feedback import SurveyAnsweredV1
from shared.contracts.intake import CONTACTS_TOPIC, ComplaintReceivedV1, MessageAddedV1, PersonErasedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1, ProgressToldV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1

CONSUMES: dict[type[Event], Handler] = {
    **{event: hear.keep for event in BY_TYPE.values() if event.TOPIC != CONTACTS_TOPIC},
    ComplaintReceivedV1: hear.hear_received,
    ComplaintClassifiedV1: hear.hear_classified,
    ComplaintAssignedV1: hear.hear_assigned,
    CaseMovedV1: hear.hear_moved,
    CaseResolvedV1: hear.hear_resolved,
    ProgressToldV1: hear.hear_progress,
    SurveyAnsweredV1: hear.hear_answered,
    MessageAddedV1: hear.hear_message,
    MessageDeliveredV1: hear.hear_delivered,
    PersonErasedV1: hear.hear_erased,
}
PUBLISHES = insight.PUBLISHES
