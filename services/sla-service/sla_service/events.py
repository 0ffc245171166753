"""The Kafka door of sla-service."""

from typing import Any

from shared.contracts import Event, sla
from shared.contracts.feedback import FollowUpAssignedV1, FollowUpDoneV1, FollowUpPlannedV1
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.intake import ComplaintReceivedV1, MessageAddedV1, PersonErasedV1
from shared.contracts.notify import MessageDeliveredV1
from shared.contracts.resolution import (
    CaseMovedV1,
    CaseResolvedV1,
    ProgressToldV1,
    PromiseKeptV1,
    PromiseMadeV1,
    PromiseWithdrawnV1,
    RegulatorStageRecordedV1,
    RegulatorStageTakenBackV1,
    TransferAnsweredV1,
    TransferCancelledV1,
    TransferOpenedV1,
)
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, TeamChangedV1
from sla_service.usecases import hear

CONSUMES: dict[type[Event], Any] = {
    ComplaintReceivedV1: hear.learn,
    MessageAddedV1: hear.learn,
    ComplaintClassifiedV1: hear.learn,
    ComplaintAssignedV1: hear.learn,
    CaseMovedV1: hear.learn,
    CaseResolvedV1: hear.learn,
    ProgressToldV1: hear.learn,
    TransferOpenedV1: hear.learn,
    TransferAnsweredV1: hear.learn,
    TransferCancelledV1: hear.learn,
    PromiseMadeV1: hear.learn,
    PromiseKeptV1: hear.learn,
    PromiseWithdrawnV1: hear.learn,
    RegulatorStageRecordedV1: hear.learn,
    RegulatorStageTakenBackV1: hear.learn,
    FollowUpPlannedV1: hear.learn,
    FollowUpAssignedV1: hear.learn,
    FollowUpDoneV1: hear.learn,
    MessageDeliveredV1: hear.learn,
    ActionPlannedV1: hear.learn,
    ActionDoneV1: hear.learn,
    TeamChangedV1: hear.learn_roster,
    PersonErasedV1: hear.erase,
}
PUBLISHES = sla.PUBLISHES
