"""Builders of the events that notify-service hears beside those of every test."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Bilingual, ComplaintFacts, StaffContact
from shared.contracts.feedback import FollowUpAssignedV1, SurveyOfferedV1
from shared.contracts.insight import ActionPlannedV1
from shared.contracts.intake import MessageAddedV1
from shared.contracts.resolution import ProgressToldV1, TransferOpenedV1
from shared.contracts.sla import ClockView, ClockWarnedV1, EscalationRaisedV1
from shared.contracts.triage import ComplaintAssignedV1, Reason, TeamChangedV1
from shared.contracts.vocabulary import Channel, ClockStatus, ClockSubject, Metric
from shared.ids import new_id
from tests.support.builders import ENGINEER, RECEIVED, SYSTEM, at

RD = Bilingual(zh="研发部", en="R&D")
RD_CONTACT = StaffContact(staff_id="rd-1", name="研发联系人", email="rd@shop.example")
RD_MANAGER = StaffContact(staff_id="rd-m", name="研发经理", email="manager@shop.example")
SUPERVISOR = StaffContact(staff_id="sup", name="主管", email="zhang@shop.example")


def _event(hours: float = 0.5) -> dict[str, Any]:
    return {"event_id": new_id(), "occurred_at": at(hours), "recorded_at": at(hours), "actor": SYSTEM}


def team(team_id: str, revision: int = 1, **changes: Any) -> TeamChangedV1:
    people: dict[str, Any] = {"contact": RD_CONTACT, "manager": RD_MANAGER}
    return TeamChangedV1(
        **_event(), team_id=team_id, revision=revision, name=RD, kind="department", **(people | changes)
    )


def progress(of: ComplaintFacts, text: str = "预计 12:00 前修复。") -> ProgressToldV1:
    return ProgressToldV1(**_event(0.7), facts=of, progress_id=new_id(), cycle=1, text=text)


def survey(of: ComplaintFacts, url: str = "http://127.0.0.1:8080/s/abc") -> SurveyOfferedV1:
    return SurveyOfferedV1(
        **_event(3), facts=of, survey_id=new_id(), cycle=1, url=url, expires_at=RECEIVED + timedelta(days=7)
    )


def reply(of: ComplaintFacts, text: str, *, inbound: bool = False, channel: Channel = Channel.SMS) -> MessageAddedV1:
    return MessageAddedV1(**_event(), facts=of, message_id=new_id(), inbound=inbound, channel=channel, text=text)


def transfer(of: ComplaintFacts, contact: StaffContact | None = RD_CONTACT) -> TransferOpenedV1:
    return TransferOpenedV1(
        **_event(),
        facts=of,
        task_id=new_id(),
        team_id="rd",
        team_name=RD,
        contact=contact,
        ask="请排查查询失败的原因。",
    )


def assignment(of: ComplaintFacts, agent: StaffContact | None = ENGINEER, revision: int = 1) -> ComplaintAssignedV1:
    return ComplaintAssignedV1(
        **_event(0.1),
        facts=of,
        revision=revision,
        team_id="support",
        team_name=Bilingual(zh="技术支持", en="Support"),
        agent=agent,
        reasons=(Reason(rule="urgency", weight=1, text=Bilingual(zh="中等紧急", en="medium urgency")),),
        by="rules",
    )


def clock(subject_id: UUID) -> ClockView:
    return ClockView(
        clock_id=new_id(),
        revision=2,
        subject=ClockSubject.TRANSFER,
        subject_id=subject_id,
        metric=Metric.TRANSFER_RESPONSE,
        cycle=1,
        policy="standard",
        policy_version=1,
        calendar=None,
        status=ClockStatus.RUNNING,
        started_at=at(0.5),
        due_at=at(4.5),
        owner_team="rd",
        title=Bilingual(zh="转单响应", en="Transfer response"),
    )


def warning(of: ComplaintFacts | None, recipient: StaffContact | None = ENGINEER) -> ClockWarnedV1:
    return ClockWarnedV1(**_event(4), facts=of, clock=clock(new_id()), detected_at=at(4), recipient=recipient)


def escalation(
    of: ComplaintFacts | None, recipient: StaffContact | None = SUPERVISOR, role: str = "lead"
) -> EscalationRaisedV1:
    return EscalationRaisedV1(
        **_event(4.5),
        facts=of,
        clock=clock(new_id()),
        escalation_id=new_id(),
        step=1,
        role=role,
        recipient=recipient,
        team_id="rd",
        reason=Bilingual(zh="超过时限未答复", en="not answered in time"),
    )


def follow_up(of: ComplaintFacts) -> FollowUpAssignedV1:
    return FollowUpAssignedV1(**_event(30), facts=of, visit_id=new_id(), cycle=1, assignee=ENGINEER, revision=1)


def action() -> ActionPlannedV1:
    return ActionPlannedV1(
        **_event(200),
        action_id=new_id(),
        revision=1,
        review_id=None,
        title="订单库索引巡检",
        kind="process",
        owner=ENGINEER,
        aim="同类投诉减少八成",
        due_at=at(500),
    )
