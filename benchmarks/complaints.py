"""Realistic complaints for the load: nested records of about 900 bytes, each with its own phone, provider's message id,
account and order number; and the same as messages and mails."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
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


def messages() -> list[dict[str, Any]]:
    """The same troubles as messages of a chat (`POST /v1/messages`), each of a person and a conversation of its own."""
    return [
        {
            "source": {
                "channel": "chat",
                "account": "shop",
                "message_id": f"chat-20261122-{SERIAL}",
                "thread_id": f"conversation-{SERIAL}",
            },
            "sender": {
                "identities": [
                    {"kind": "phone", "value": f"138{SERIAL}"},
                    {
                        "kind": "account",
                        "value": f"shop-{SERIAL}",
                        "organisation": f"晨光网店有限公司{SERIAL}",
                    },
                ],
                "name": "王女士",
            },
            "content": {"text": _told(record), "language": "zh"},
            "occurred_at": record["happened_at"],
        }
        for record in records()
    ]


def mails(recipient: str) -> list[bytes]:
    """The same troubles as mails, text beside HTML, each of a sender of its own."""
    return [_mail(recipient, place, record) for place, record in enumerate(records())]


def _mail(recipient: str, place: int, record: dict[str, Any]) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"王女士 <wang-{SERIAL}@example.com>"
    mail["To"] = recipient
    mail["Date"] = datetime.now(UTC)
    mail["Subject"] = f"{record['product']} 2026{SERIAL}"
    mail["Message-ID"] = f"<{place}.{SERIAL}@mail.example.com>"
    mail.set_content(_told(record), cte="8bit")
    paragraphs = "".join(f"<p>{line}</p>" for line in _told(record).splitlines())
    mail.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html", cte="8bit")
    return mail.as_bytes(policy=SMTP)


def _told(record: dict[str, Any]) -> str:
    return f"{record['scene']}\n{record['symptom']}\n{record['impact']}\n{record['demands'][0]['text']}"


def posts(url: str, host: str, token: str, documents: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Whole HTTP requests with these as bodies."""
    made: list[bytes] = []
    for document in documents:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        head = (
            f"POST {url} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def numbered(templates: Sequence[bytes], serial: int) -> bytes:
    """One of them by its serial number; made by filling eight digits into bytes made beforehand."""
    return templates[serial % len(templates)].replace(SERIAL.encode(), b"%08d" % serial)
