"""Builders of events for the tests: everything that a test does not care about has a plain value.

The complaint is the one of 2024-05-10, a Friday, in Asia/Shanghai.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts, CustomerRef, StaffContact
from shared.contracts.intake import ComplaintReceivedV1, Demand, PersonErasedV1, Source
from shared.contracts.resolution import CaseMovedV1, CaseResolvedV1, WrittenResult
from shared.contracts.vocabulary import CaseState, Channel, Language, Priority, Urgency
from shared.ids import new_id

#: 2024-05-10 10:20 in Shanghai.
RECEIVED = datetime(2024, 5, 10, 2, 20, tzinfo=UTC)
SYSTEM = Actor(kind=ActorKind.SYSTEM, id="test")
AGENT = Actor(kind=ActorKind.PERSON, id="agent-li", name="李工")
ENGINEER = StaffContact(staff_id="agent-li", name="李工", email="li@example.com")


def at(hours: float) -> datetime:
    """So many hours after the receipt."""
    return RECEIVED + timedelta(hours=hours)


def facts(complaint_id: UUID | None = None, **changes: Any) -> ComplaintFacts:
    person = changes.pop("person_id", None) or new_id()
    given: dict[str, Any] = {
        "complaint_id": complaint_id or new_id(),
        "number": "C-20240510-000001",
        "received_at": RECEIVED,
        "channel": Channel.HOTLINE,
        "urgency": Urgency.MEDIUM,
        "customer": CustomerRef(
            person_id=person,
            display="138****1234",
            language=changes.pop("language", Language.ZH),
            preferred_channel=changes.pop("preferred_channel", None),
        ),
        "organisation": "某网店公司",
        "product": "订单管理系统",
    }
    return ComplaintFacts(**(given | changes))


def _event(of: ComplaintFacts | None, occurred_at: datetime, **rest: Any) -> dict[str, Any]:
    return {
        "event_id": new_id(),
        "occurred_at": occurred_at,
        "recorded_at": occurred_at,
        "actor": SYSTEM,
        **({"facts": of} if of else {}),
        **rest,
    }


def received(of: ComplaintFacts, **changes: Any) -> ComplaintReceivedV1:
    given: dict[str, Any] = {
        "priority": Priority.IMPORTANT,
        "source": Source(channel=of.channel, account="400-800-1234", seat="07", message_id=f"call-{new_id()}"),
        "symptom": "订单管理系统查询近7天订单时加载失败",
        "scene": "10:15起,客服后台",
        "impact": "无法核对库存,影响发货",
        "demands": (Demand(text="2小时内修复"), Demand(text="赔偿延误发货损失")),
        "happened_at": of.received_at - timedelta(minutes=5),
    }
    return ComplaintReceivedV1(**_event(of, of.received_at), **(given | changes))


def moved(
    of: ComplaintFacts, to: CaseState, revision: int, *, cycle: int = 1, when: datetime | None = None
) -> CaseMovedV1:
    return CaseMovedV1(
        **_event(of, when or at(0.1 * revision)), revision=revision, cycle=cycle, from_state=None, to_state=to
    )


def resolved(
    of: ComplaintFacts,
    *,
    cycle: int = 1,
    when: datetime | None = None,
    agent: StaffContact | None = ENGINEER,
    **changes: Any,
) -> CaseResolvedV1:
    result = WrittenResult(
        cause="数据库索引失效,查询超时",
        measures="已重建索引,查询恢复",
        improvement="升级检查单加入索引校验",
        compensation="赠送一个月高级功能",
    )
    return CaseResolvedV1(**_event(of, when or at(2)), **({"cycle": cycle, "result": result, "agent": agent} | changes))


def erased(of: ComplaintFacts, when: datetime | None = None) -> PersonErasedV1:
    return PersonErasedV1(
        **_event(None, when or at(100)), person_id=of.customer.person_id, complaint_ids=(of.complaint_id,)
    )
