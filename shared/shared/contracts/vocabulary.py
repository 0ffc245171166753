"""The words that all services share, as they are stored and sent. Labels in both languages belong to triage's taxonomy
(issue types, parties) and to `LABELS` here (fixed vocabularies)."""

from enum import StrEnum


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


class Channel(StrEnum):
    """A1: how a complaint comes in, and how a customer may be answered."""

    HOTLINE = "hotline"
    CHAT = "chat"
    EMAIL = "email"
    WEB_FORM = "web_form"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    IN_APP = "in_app"
    SOCIAL = "social"
    SERVICE_POINT = "service_point"
    SMS = "sms"


class Priority(StrEnum):
    """A7: first priority at receipt, 紧急 / 重要 / 一般."""

    URGENT = "urgent"
    IMPORTANT = "important"
    GENERAL = "general"


class Urgency(StrEnum):
    """B1: high = core business stopped, medium = part of a function, low = how-to or wish."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


URGENCY_OF_PRIORITY = {
    Priority.URGENT: Urgency.HIGH,
    Priority.IMPORTANT: Urgency.MEDIUM,
    Priority.GENERAL: Urgency.LOW,
}


class Kind(StrEnum):
    """B1: 咨询 / 售后 / 投诉 / 建议."""

    ENQUIRY = "enquiry"
    AFTER_SALES = "after_sales"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


class Emotion(StrEnum):
    """B3."""

    CALM = "calm"
    ANXIOUS = "anxious"
    DISSATISFIED = "dissatisfied"
    ANGRY = "angry"


class CaseState(StrEnum):
    """C7."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    ASSESSED = "assessed"
    IN_PROGRESS = "in_progress"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_THIRD_PARTY = "waiting_third_party"
    RESOLVED = "resolved"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class MeasureKind(StrEnum):
    """C1."""

    APOLOGY = "apology"
    COMPENSATION = "compensation"
    REPLACEMENT = "replacement"
    REFUND = "refund"
    RETURN = "return"
    REPAIR = "repair"
    SERVICE_UPGRADE = "service_upgrade"
    OTHER = "other"


class MeasureStatus(StrEnum):
    PROPOSED = "proposed"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    REFUSED = "refused"
    DONE = "done"


class Means(StrEnum):
    """How a message leaves the house (A4)."""

    SMS = "sms"
    EMAIL = "email"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    IN_SYSTEM = "in_system"


class Purpose(StrEnum):
    """Why a message was sent."""

    ACKNOWLEDGEMENT = "acknowledgement"
    PROGRESS = "progress"
    RESULT = "result"
    SURVEY = "survey"
    TRANSFER_REQUEST = "transfer_request"
    FOLLOW_UP_TASK = "follow_up_task"
    CLOCK_WARNING = "clock_warning"
    ESCALATION = "escalation"
    ASSIGNMENT = "assignment"
    ACTION_TASK = "action_task"
    REPLY = "reply"


class Metric(StrEnum):
    """What an SLA clock measures (F1-F8, and what a company or a regulator asks beside them)."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"
    TRANSFER_RESPONSE = "transfer_response"
    PERIODIC_UPDATE = "periodic_update"
    SURVEY = "survey"
    FOLLOW_UP = "follow_up"
    RECORDING = "recording"
    IMPROVEMENT_ACTION = "improvement_action"
    PROMISE = "promise"
    ACKNOWLEDGE = "acknowledge"
    NEXT_RESPONSE = "next_response"
    PAUSABLE_UPDATE = "pausable_update"
    AGENT_WORK_TIME = "agent_work_time"
    THIRD_PARTY_RESPONSE = "third_party_response"
    REGULATOR_DISPATCH = "regulator_dispatch"
    REGULATOR_ACCEPT = "regulator_accept"
    REGULATOR_RESPOND = "regulator_respond"
    REGULATOR_DECIDE = "regulator_decide"
    REGULATOR_INFORM = "regulator_inform"
    REGULATOR_FINAL = "regulator_final"


class ClockSubject(StrEnum):
    COMPLAINT = "complaint"
    TRANSFER = "transfer"
    PROMISE = "promise"
    SURVEY = "survey"
    FOLLOW_UP = "follow_up"
    IMPROVEMENT_ACTION = "improvement_action"
    REGULATOR_STAGE = "regulator_stage"


class RegulatorStage(StrEnum):
    """How far a regulator's proceeding on a complaint has come. `received` is the complaint with the authority or its
    portal, `dispatched` its handing on to the one who must deal with it, `responded` a first answer to the authority,
    `decided` the end of the mediation or the final response, `informed` the parties told of it."""

    RECEIVED = "received"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RESPONDED = "responded"
    DECIDED = "decided"
    INFORMED = "informed"
    WITHDRAWN = "withdrawn"


class ClockStatus(StrEnum):
    """`fulfilled` and `cancelled` are ends. Breached is not a status: a clock that runs on after its due instant is
    running with `breached_at` set."""

    RUNNING = "running"
    PAUSED = "paused"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


class LinkRelation(StrEnum):
    DUPLICATE_OF = "duplicate_of"
    SPLIT_FROM = "split_from"
    RELATED_TO = "related_to"


class VisitOutcome(StrEnum):
    SATISFIED = "satisfied"
    DISSATISFIED = "dissatisfied"
    UNREACHABLE = "unreachable"
