"""Kafka door: what is heard, and what is told."""

from resolution_service.usecases import hearing
from shared.bus import Handler
from shared.contracts import feedback, insight, intake, notify, resolution, sla, triage
from shared.contracts.envelope import Event

CONSUMES: dict[type[Event], Handler] = {
    intake.ComplaintReceivedV1: hearing.learn,
    intake.MessageAddedV1: hearing.learn,
    intake.NoteAddedV1: hearing.learn,
    intake.ComplaintsLinkedV1: hearing.learn,
    intake.PersonErasedV1: hearing.forget,
    triage.ComplaintClassifiedV1: hearing.learn,
    triage.ComplaintAssignedV1: hearing.learn,
    triage.TeamChangedV1: hearing.learn_of_teams,
    sla.ClockActivatedV1: hearing.learn_of_clocks,
    sla.ClockWarnedV1: hearing.learn_of_clocks,
    sla.ClockBreachedV1: hearing.learn_of_clocks,
    sla.ClockFulfilledV1: hearing.learn_of_clocks,
    sla.ClockRepricedV1: hearing.learn_of_changed_clocks,
    sla.ClockPausedV1: hearing.learn_of_changed_clocks,
    sla.ClockResumedV1: hearing.learn_of_changed_clocks,
    sla.BreachWithdrawnV1: hearing.learn_of_changed_clocks,
    sla.ClockCancelledV1: hearing.learn_of_changed_clocks,
    sla.EscalationRaisedV1: hearing.learn_of_escalations,
    sla.EscalationAcknowledgedV1: hearing.learn_of_escalations,
    feedback.SurveyOfferedV1: hearing.learn,
    feedback.SurveyAnsweredV1: hearing.learn,
    feedback.FollowUpPlannedV1: hearing.learn,
    feedback.FollowUpAssignedV1: hearing.learn,
    feedback.FollowUpDoneV1: hearing.learn,
    feedback.ComplainantDissatisfiedV1: hearing.learn,
    feedback.ClosingSummaryWrittenV1: hearing.learn,
    insight.ActionPlannedV1: hearing.learn_of_actions,
    insight.ActionDoneV1: hearing.learn_of_done_actions,
    notify.MessageDeliveredV1: hearing.learn_of_messages,
    notify.MessageFailedV1: hearing.learn_of_messages,
}
PUBLISHES: tuple[type[Event], ...] = resolution.PUBLISHES
