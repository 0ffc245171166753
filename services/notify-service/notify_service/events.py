"""The Kafka door: what notify-service listens to and what it tells."""

from notify_service import usecases
from shared.bus import Handler
from shared.contracts import Event, notify
from shared.contracts.feedback import FollowUpAssignedV1, SurveyOfferedV1
from shared.contracts.insight import ActionPlannedV1
from shared.contracts.intake import (
    ClearedOfSpamV1,
    ComplaintReceivedV1,
    ContactsChangedV1,
    ContactsErasedV1,
    MessageAddedV1,
    PersonErasedV1,
)
from shared.contracts.resolution import CaseResolvedV1, ProgressToldV1, TransferOpenedV1
from shared.contracts.sla import ClockWarnedV1, EscalationRaisedV1
from shared.contracts.triage import ComplaintAssignedV1, TeamChangedV1

CONSUMES: dict[type[Event], Handler] = {
    ContactsChangedV1: usecases.learn_contacts,
    ContactsErasedV1: usecases.forget_people,
    PersonErasedV1: usecases.forget_people,
    TeamChangedV1: usecases.learn_teams,
    ComplaintReceivedV1: usecases.tell,
    ClearedOfSpamV1: usecases.tell,
    MessageAddedV1: usecases.tell,
    ProgressToldV1: usecases.tell,
    CaseResolvedV1: usecases.tell,
    SurveyOfferedV1: usecases.tell,
    TransferOpenedV1: usecases.tell,
    ComplaintAssignedV1: usecases.tell,
    ClockWarnedV1: usecases.tell,
    EscalationRaisedV1: usecases.tell,
    FollowUpAssignedV1: usecases.tell,
    ActionPlannedV1: usecases.tell,
}
PUBLISHES = notify.PUBLISHES
