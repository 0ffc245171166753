"""Who acts, what is said, and when: the facts of the users' own example. 2024-05-10 is a Friday."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from redress.demo.telling import ZONE
from redress.demo.world import Person, World
from shared.web.auth import Role


def _at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, month, day, hour, minute, tzinfo=ZONE)


#: When things happen in the script. "earlier" are the similar cases of the days before.
SCRIPT: Mapping[str, datetime] = {
    "earlier": _at(5, 7, 9, 30),
    "receipt": _at(5, 10, 10, 20),
    "transfer": _at(5, 10, 10, 25),
    "answer": _at(5, 10, 10, 50),
    "progress": _at(5, 10, 11),
    "promised": _at(5, 10, 12),
    "repaired": _at(5, 10, 12),
    "result": _at(5, 10, 12, 30),
    "survey": _at(5, 10, 15),
    "visit": _at(5, 11, 14),
    "closing": _at(5, 11, 14, 30),
    "review": _at(5, 17, 10),
    "first action due": _at(5, 31, 18),
    "second action due": _at(6, 28, 18),
}

#: The unhappy twin, on the Monday after. R&D is asked at 10:30 and has until 14:30.
TWIN_SCRIPT: Mapping[str, datetime] = {
    "receipt": _at(5, 20, 10, 20),
    "transfer": _at(5, 20, 10, 30),
    "warned": _at(5, 20, 14),
    "breached": _at(5, 20, 14, 45),
    "answer": _at(5, 20, 15),
    "result": _at(5, 20, 16, 30),
    "survey": _at(5, 20, 18),
    "analysis": _at(5, 21, 9, 30),
    "second result": _at(5, 21, 11),
    "second survey": _at(5, 21, 15),
    "visit": _at(5, 22, 14),
    "closing": _at(5, 22, 14, 30),
}

#: The same order with seconds between, for policies scaled to seconds and the real clock.
SECONDS: Mapping[str, float] = {
    "earlier": 0,
    "receipt": 1,
    "transfer": 2,
    "answer": 4,
    "progress": 5,
    "promised": 9,
    "repaired": 7,
    "result": 8,
    "survey": 10,
    "visit": 13,
    "closing": 14,
    "review": 15,
    "first action due": 60,
    "second action due": 120,
}
TWIN_SECONDS: Mapping[str, float] = {
    "receipt": 0,
    "transfer": 1,
    "warned": 5,
    "breached": 8,
    "answer": 9,
    "result": 10,
    "survey": 11,
    "analysis": 12,
    "second result": 13,
    "second survey": 14,
    "visit": 18,
    "closing": 19,
}

HOTLINE = {"channel": "hotline", "account": "4008001234", "seat": "seat-07"}

COMPLAINANT = {
    "name": "张女士",
    "phones": ["13800001234"],
    "emails": ["zhang@example.com"],
    "organisation": "晨光网店有限公司",
    "account_id": "shop-1001",
    "preferred_channel": "sms",
    "language": "zh",
}


def complaint(message_id: str, happened_at: datetime, complainant: Mapping[str, Any] = COMPLAINANT) -> dict[str, Any]:
    """The complaint of the example as the hotline's seat records it."""
    return {
        "channel": HOTLINE | {"message_id": message_id},
        "complainant": dict(complainant),
        "kind": "complaint",
        "priority": "important",
        "happened_at": happened_at.isoformat(),
        "scene": "订单管理系统,查询近7天订单",
        "symptom": "订单管理系统查询近7天订单时加载失败",
        "impact": "无法核对库存,影响发货",
        "demands": [{"text": "2小时内修复"}, {"text": "赔偿延误发货的损失"}],
        "product": "订单管理系统",
        "region": "CN-ZJ",
    }


#: Earlier complaints of others: three like the one to come, one that is not.
EARLIER = (
    ("查询最近7天的订单列表加载失败,页面一直转圈", "阳光网店", "13911110001"),
    ("订单管理系统近7天订单加载失败,无法核对库存", "远山网店", "13911110002"),
    ("近7天订单查询报错,加载失败,影响我们发货", "小满网店", "13911110003"),
    ("快递员态度很差,包裹晚到三天还破损", "大禾网店", "13911110004"),
)


class Cast:
    """The people of the play, each with the role they have."""

    def __init__(self, world: World) -> None:
        self.seat = world.acts("seat-07", "热线坐席 07", Role.ADAPTER)
        self.engineer = world.acts("he.jun", "何军", Role.AGENT)
        self.rnd = world.acts("luo.feng", "罗峰", Role.AGENT)
        self.lead = world.acts("lin.yue", "林悦", Role.LEAD)
        self.quality = world.acts("quality-mei", "梅质检", Role.QUALITY, Role.MANAGER)
        self.watcher: Person = world.acts("watcher", "观察员", Role.MANAGER)


RND_MANAGER = "han.lei"
ACTION_OWNERS = (
    {"staff_id": "luo.feng", "name": "罗峰", "email": "luo.feng@example.com"},
    {"staff_id": "su.qing", "name": "苏晴", "email": "su.qing@example.com"},
)
