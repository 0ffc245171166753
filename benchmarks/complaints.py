"""Realistic complaints for the load: nested records of about 900 bytes, each with its own phone, provider's message id,
account and order number."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

#: Eight digits: with `138` before them a mobile number.
SERIAL = "@@@@@@@@"

_TROUBLES = (
    ("订单管理系统,查询近7天订单", "查询近7天订单时加载失败,页面一直转圈", "无法核对库存,影响发货", "订单管理系统"),
    ("对账中心,导出上月账单", "导出的账单金额与后台显示不一致,差额三百二十元", "财务无法按时结账", "对账中心"),
    ("手机客户端,提交退款申请", "退款申请提交后一直显示处理中,已经超过五天", "买家给了差评并要求平台介入", "售后服务"),
    ("客服热线,咨询物流进度", "客服态度很差,说不清楚包裹在哪里,通话中途挂断", "客户要求道歉并尽快送达", "物流配送"),
)


def records(priority: str = "important") -> list[dict[str, Any]]:
    """One record for each kind of trouble, with `SERIAL` where they differ."""
    now = datetime.now(UTC)
    return [
        {
            "channel": {
                "channel": "hotline",
                "account": "4008001234",
                "seat": "seat-07",
                "message_id": f"call-20261122-{SERIAL}",
            },
            "complainant": {
                "name": "王女士",
                "phones": [f"138{SERIAL}"],
                "organisation": f"晨光网店有限公司{SERIAL}",
                "account_id": f"shop-{SERIAL}",
                "preferred_channel": "sms",
                "language": "zh",
            },
            "kind": "complaint",
            "priority": priority,
            "happened_at": (now - timedelta(minutes=5)).isoformat(timespec="seconds"),
            "scene": scene,
            "symptom": f"{symptom}(订单号 2026{SERIAL})。重启浏览器、换电脑之后都是一样的结果",
            "impact": impact,
            "demands": [
                {"text": "两小时内修复,并电话告知处理结果", "deadline": (now + timedelta(hours=2)).isoformat()},
                {"text": "赔偿延误造成的损失", "amount": {"amount_minor": 50000, "currency": "CNY"}},
            ],
            "product": product,
            "region": "CN-ZJ",
        }
        for scene, symptom, impact, product in _TROUBLES
    ]


class Requests:
    """HTTP requests, whole, by serial number; made by filling eight digits into bytes made beforehand."""

    def __init__(self, host: str, path: str, token: str) -> None:
        self._templates: list[bytes] = []
        for record in records():
            body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
            head = (
                f"POST {path}/v1/complaints HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self._templates.append(head.encode() + body)

    def of(self, serial: int) -> bytes:
        return self._templates[serial % len(self._templates)].replace(SERIAL.encode(), b"%08d" % serial)
