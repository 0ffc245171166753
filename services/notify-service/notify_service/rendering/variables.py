"""The variables that templates may use, and how instants and words are put for a reader of either language."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

from shared.contracts.vocabulary import Language, Purpose

_COMPLAINT: dict[str, Any] = {
    "number": "C-20240510-000001",
    "received_at": "2024-05-10T02:20:00+00:00",
    "urgency": "medium",
    "urgency_label": {"zh": "中", "en": "medium"},
}
_COLLEAGUE = _COMPLAINT | {"customer": "138****1234"}
#: Clocks of improvement actions belong to no complaint: these are empty then, and there is no `received_at`.
_CLOCK = {name: value for name, value in _COLLEAGUE.items() if name != "received_at"}

#: Per purpose: every variable that there is, with an example of its value.
SAMPLES: Mapping[Purpose, Mapping[str, Any]] = MappingProxyType(
    {
        Purpose.ACKNOWLEDGEMENT: _COMPLAINT | {"symptom": "查询近七天订单时页面提示“加载失败”"},
        Purpose.PROGRESS: _COMPLAINT
        | {"progress": "工程师已定位到数据库索引异常,预计 12:00 前修复。", "told_at": "2024-05-10T03:00:00+00:00"},
        Purpose.RESULT: _COMPLAINT
        | {
            "cause": "订单数据库的一个索引损坏,查询超时。",
            "measures": "已重建索引并恢复查询,数据完整。",
            "improvement": "每日检查索引并提前告警。",
            "compensation": "赠送一个月高级功能使用权。",
            "resolved_at": "2024-05-10T04:30:00+00:00",
        },
        Purpose.SURVEY: _COMPLAINT | {"url": "https://example.com/s/aBcDeF", "expires_at": "2024-05-17T04:30:00+00:00"},
        Purpose.REPLY: _COMPLAINT | {"reply": "您好,订单查询已经恢复,请您再试一次。"},
        Purpose.TRANSFER_REQUEST: _COLLEAGUE
        | {
            "team": {"zh": "研发部", "en": "R&D"},
            "ask": "请排查近七天订单查询加载失败的原因并修复。",
            "opened_at": "2024-05-10T02:35:00+00:00",
        },
        Purpose.ASSIGNMENT: _COLLEAGUE
        | {
            "team": {"zh": "技术支持", "en": "Support"},
            "reason": {"zh": "中等紧急,由工程师处理", "en": "medium urgency goes to an engineer"},
        },
        Purpose.CLOCK_WARNING: _CLOCK
        | {"clock": {"zh": "转单响应", "en": "Transfer response"}, "due_at": "2024-05-10T06:35:00+00:00"},
        Purpose.ESCALATION: _CLOCK
        | {
            "clock": {"zh": "转单响应", "en": "Transfer response"},
            "due_at": "2024-05-10T06:35:00+00:00",
            "step": 1,
            "reason": {"zh": "超过时限未答复", "en": "not answered in time"},
        },
        Purpose.FOLLOW_UP_TASK: _COLLEAGUE,
        Purpose.ACTION_TASK: {
            "title": "订单库索引巡检",
            "kind": "process",
            "aim": "同类投诉三个月内减少八成",
            "due_at": "2024-05-31T10:00:00+00:00",
            "revision": 1,
        },
    }
)


def context(
    params: Mapping[str, Any], language: Language, *, zone: tzinfo, house: str, first_response: int, transfer_hours: int
) -> dict[str, Any]:
    """`params` as a reader of `language` sees them, and what every template has: `house` (who writes),
    `first_response_minutes` and `transfer_hours` (F1, F3: the promise for this urgency)."""
    shown: dict[str, Any] = {
        "house": house,
        "first_response_minutes": first_response,
        "transfer_hours": transfer_hours,
    }
    for name, value in params.items():
        if name.endswith("_at"):
            shown[name] = _moment(datetime.fromisoformat(value).astimezone(zone), language)
        elif isinstance(value, dict):
            shown[name] = value[language.value]
        else:
            shown[name] = value
    return shown


def _moment(at: datetime, language: Language) -> str:
    if language is Language.ZH:
        return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} ({at:UTC%z})"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
