"""What the other services tell of the complaint of 2024-05-10."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from resolution_service import events as doors
from resolution_service.settings import Settings
from resolution_service.usecases import Deps
from shared.clock import SimulatedClock
from shared.contracts.envelope import Actor, ActorKind, Bilingual, ComplaintFacts, Event, StaffContact
from shared.contracts.feedback import (
    ClosingSummaryWrittenV1,
    ComplainantDissatisfiedV1,
    FollowUpAssignedV1,
    FollowUpDoneV1,
    FollowUpPlannedV1,
    SurveyAnsweredV1,
    SurveyOfferedV1,
)
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.intake import ComplaintsLinkedV1, MessageAddedV1, NoteAddedV1
from shared.contracts.notify import MessageDeliveredV1, MessageFailedV1
from shared.contracts.sla import ClockActivatedV1, ClockEvent, ClockView, EscalationRaisedV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1, Reason, TeamChangedV1
from shared.contracts.vocabulary import (
    Channel,
    ClockStatus,
    ClockSubject,
    Emotion,
    Kind,
    LinkRelation,
    Means,
    Metric,
    Purpose,
    Urgency,
    VisitOutcome,
)
from shared.db import Database
from shared.ids import derived_id, new_id
from tests.support.builders import ENGINEER, SYSTEM, at, facts, received

CUSTOMER = Actor(kind=ActorKind.COMPLAINANT, id="customer", name="王女士")
SUPPORT = Bilingual(zh="技术支持组", en="Technical support")
RND = Bilingual(zh="研发部", en="R&D")
RND_CONTACT = StaffContact(staff_id="rnd-zhao", name="赵工", email="zhao@example.com")


def deps_of(database: Database, now: datetime, **settings: Any) -> Deps:
    return Deps(
        session=database.session,
        reading=database.reading,
        clock=SimulatedClock(now),
        ids=new_id,
        settings=Settings(database_url=database.url, **settings),
    )


async def hear(deps: Deps, *events: Event) -> None:
    """Each event by itself, as the bus would hand it over."""
    for event in events:
        async with deps.session() as tx:
            await doors.CONSUMES[type(event)]([event], tx, deps)


async def hear_together(deps: Deps, events: Sequence[Event]) -> None:
    async with deps.session() as tx:
        await doors.CONSUMES[type(events[0])](events, tx, deps)


def _about(of: ComplaintFacts, hours: float, actor: Actor = SYSTEM) -> dict[str, Any]:
    when = at(hours)
    return {"event_id": new_id(), "occurred_at": when, "recorded_at": when, "actor": actor, "facts": of}


def classified(
    of: ComplaintFacts,
    hours: float = 0.02,
    *,
    revision: int = 1,
    responsible: str = "rnd",
    urgency: Urgency = Urgency.MEDIUM,
) -> ComplaintClassifiedV1:
    decided = of.model_copy(update={"urgency": urgency, "urgency_revision": revision})
    return ComplaintClassifiedV1(
        **_about(decided, hours),
        revision=revision,
        kind=Kind.COMPLAINT,
        issue_type="product.function",
        responsible=responsible,
        emotion=Emotion.ANXIOUS,
        confidence=0.9,
        reasons=(Reason(rule="load-failure", weight=2.0, text=Bilingual(zh="加载失败", en="fails to load")),),
        by="rules",
    )


def assigned(
    of: ComplaintFacts,
    hours: float = 0.03,
    *,
    revision: int = 1,
    team: str = "support",
    agent: StaffContact | None = ENGINEER,
) -> ComplaintAssignedV1:
    return ComplaintAssignedV1(
        **_about(of, hours), revision=revision, team_id=team, team_name=SUPPORT, agent=agent, reasons=(), by="rules"
    )


def outgoing(
    of: ComplaintFacts | None, purpose: Purpose, hours: float, *, audience: str = "complainant", failed: bool = False
) -> MessageDeliveredV1 | MessageFailedV1:
    given = {
        "message_id": new_id(),
        "purpose": purpose,
        "audience": audience,
        "means": Means.SMS,
        "recipient": "138****1234",
        "text": "您的投诉已收到",
        **_about(facts() if of is None else of, hours),
        "facts": of,
    }
    return MessageFailedV1(**given, attempts=5, reason="unreachable") if failed else MessageDeliveredV1(**given)


def acknowledged(of: ComplaintFacts, hours: float = 0.05) -> MessageDeliveredV1:
    made = outgoing(of, Purpose.ACKNOWLEDGEMENT, hours)
    assert isinstance(made, MessageDeliveredV1)
    return made


def clock(
    of: ComplaintFacts | None,
    metric: Metric,
    due: float,
    *,
    revision: int = 1,
    kind: type[ClockEvent] = ClockActivatedV1,
    hours: float = 0,
    status: ClockStatus = ClockStatus.RUNNING,
    warn: float | None = None,
    breached: float | None = None,
    fulfilled: float | None = None,
    **rest: Any,
) -> ClockEvent:
    subject = of.complaint_id if of else new_id()
    view = ClockView(
        clock_id=derived_id("clock", subject, metric),
        revision=revision,
        subject=ClockSubject.COMPLAINT,
        subject_id=subject,
        metric=metric,
        cycle=1,
        policy="standard",
        policy_version=1,
        calendar=None,
        status=status,
        started_at=at(0),
        due_at=at(due),
        warn_at=None if warn is None else at(warn),
        breached_at=None if breached is None else at(breached),
        fulfilled_at=None if fulfilled is None else at(fulfilled),
        title=Bilingual(zh="解决时限", en="Resolution"),
    )
    return kind(**{**_about(facts() if of is None else of, hours), "facts": of}, clock=view, **rest)


def escalated(of: ComplaintFacts, hours: float, step: int = 1) -> EscalationRaisedV1:
    view = clock(of, Metric.RESOLUTION, 2).clock
    return EscalationRaisedV1(
        **_about(of, hours),
        clock=view,
        escalation_id=new_id(),
        step=step,
        role="manager",
        recipient=RND_CONTACT,
        team_id="rnd",
        reason=Bilingual(zh="超时未回复", en="Not answered in time"),
    )


def message(of: ComplaintFacts, hours: float, text: str = "还是打不开", *, inbound: bool = True) -> MessageAddedV1:
    actor = CUSTOMER if inbound else SYSTEM
    return MessageAddedV1(
        **_about(of, hours, actor), message_id=new_id(), inbound=inbound, channel=Channel.HOTLINE, text=text
    )


def note(of: ComplaintFacts, hours: float, text: str = "客户情绪激动") -> NoteAddedV1:
    return NoteAddedV1(**_about(of, hours), note_id=new_id(), text=text)


def linked(
    of: ComplaintFacts, other: ComplaintFacts, hours: float, relation: LinkRelation = LinkRelation.DUPLICATE_OF
) -> ComplaintsLinkedV1:
    return ComplaintsLinkedV1(
        **_about(of, hours), other_id=other.complaint_id, other_number=other.number, relation=relation, reason="重复"
    )


def offered(of: ComplaintFacts, hours: float, cycle: int = 1) -> SurveyOfferedV1:
    return SurveyOfferedV1(
        **_about(of, hours),
        survey_id=derived_id("survey", of.complaint_id, cycle),
        cycle=cycle,
        url="http://127.0.0.1/s/secret",
        expires_at=at(hours + 72),
    )


def answered(of: ComplaintFacts, hours: float, satisfaction: int = 5, cycle: int = 1) -> SurveyAnsweredV1:
    return SurveyAnsweredV1(
        **_about(of, hours, CUSTOMER),
        survey_id=derived_id("survey", of.complaint_id, cycle),
        cycle=cycle,
        satisfaction=satisfaction,
        satisfied=satisfaction >= 3,
        comment="处理很快",
    )


def planned(of: ComplaintFacts, hours: float, cycle: int = 1) -> FollowUpPlannedV1:
    return FollowUpPlannedV1(
        **_about(of, hours),
        visit_id=derived_id("visit", of.complaint_id, cycle),
        cycle=cycle,
        means="phone",
        earliest_at=at(hours + 24),
        due_at=at(hours + 72),
    )


def visit_assigned(of: ComplaintFacts, hours: float, cycle: int = 1, revision: int = 1) -> FollowUpAssignedV1:
    return FollowUpAssignedV1(
        **_about(of, hours),
        visit_id=derived_id("visit", of.complaint_id, cycle),
        cycle=cycle,
        assignee=ENGINEER,
        revision=revision,
    )


def visited(
    of: ComplaintFacts, hours: float, outcome: VisitOutcome = VisitOutcome.SATISFIED, cycle: int = 1
) -> FollowUpDoneV1:
    return FollowUpDoneV1(
        **_about(of, hours),
        visit_id=derived_id("visit", of.complaint_id, cycle),
        cycle=cycle,
        outcome=outcome,
        note="客户表示满意",
    )


def dissatisfied(of: ComplaintFacts, hours: float, cycle: int = 1) -> ComplainantDissatisfiedV1:
    return ComplainantDissatisfiedV1(
        **_about(of, hours, CUSTOMER),
        cycle=cycle,
        source="survey",
        source_id=derived_id("survey", of.complaint_id, cycle),
        reason="问题又出现了",
    )


def summary(of: ComplaintFacts, hours: float, cycle: int = 1) -> ClosingSummaryWrittenV1:
    return ClosingSummaryWrittenV1(**_about(of, hours), cycle=cycle, summary="已解决并回访", satisfied=True)


def team(team_id: str = "rnd", name: Bilingual = RND, revision: int = 1) -> TeamChangedV1:
    given = _about(facts(), 0)
    del given["facts"]
    return TeamChangedV1(**given, team_id=team_id, revision=revision, name=name, kind="department", contact=RND_CONTACT)


def action(complaints: Sequence[UUID], hours: float, revision: int = 1) -> ActionPlannedV1:
    given = _about(facts(), hours)
    del given["facts"]
    return ActionPlannedV1(
        **given,
        action_id=derived_id("action", *complaints),
        revision=revision,
        review_id=None,
        title="升级检查单加入索引校验",
        kind="process",
        owner=RND_CONTACT,
        aim="同类投诉下降50%",
        due_at=at(24 * 14),
        complaint_ids=tuple(complaints),
    )


def action_done(complaints: Sequence[UUID], hours: float) -> ActionDoneV1:
    given = _about(facts(), hours)
    del given["facts"]
    return ActionDoneV1(**given, action_id=derived_id("action", *complaints), note="完成")


def first_leg(of: ComplaintFacts) -> list[Event]:
    """What is heard of every complaint."""
    return [
        received(of),
        classified(of),
        assigned(of),
        clock(of, Metric.FIRST_RESPONSE, 0.5, warn=0.4),
        clock(of, Metric.RESOLUTION, 2, warn=1.6),
        acknowledged(of),
    ]
