"""What `kf/sync_msg` tells, as messages of customers.

By the developer documentation 接收消息和事件 (developer.work.weixin.qq.com/document/path/94670). `origin` 3 is a
customer, 4 the system, 5 a colleague in the WeCom client. Whatever type a customer's message has, known to us or not,
is a message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from intake_service.channels.wording import clean_line, clean_text, identifier, instant, part, placeholder, thread_of
from intake_service.domain.channels import Media
from intake_service.domain.message import Content, IncomingMessage, MessageSource, Sender, SenderIdentity, SenderKind
from shared.contracts.vocabulary import Channel

CUSTOMER, SYSTEM, SERVICER = 3, 4, 5
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class Said:
    """A customer's message."""

    message: IncomingMessage
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """Nothing that a customer says: an event of the system, or what a colleague wrote in the WeCom client."""

    kind: str
    message_id: str
    at: datetime | None
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item without what makes it a message: its id, its sender or its time."""

    reason: str


def read(item: object, account: str, zone: ZoneInfo) -> Said | Noted | Unreadable:
    """One item of `msg_list`, whatever it is."""
    if not isinstance(item, Mapping):
        return Unreadable("it is no object")
    message_id, sent_at = identifier(item.get("msgid")), instant(item.get("send_time"))
    origin, kind = item.get("origin"), clean_line(item.get("msgtype"), 50)
    event = part(item, "event")
    if message_id is None:
        return Unreadable("it has no msgid")
    if kind == "event" or origin == SYSTEM:
        return Noted(clean_line(event.get("event_type"), 50) or kind or "unknown", message_id, sent_at, event)
    if origin == SERVICER:
        return Noted("servicer_message", message_id, sent_at, {})
    sender = identifier(item.get("external_userid"))
    if sender is None:
        return Unreadable("it has no external_userid")
    if sent_at is None:
        return Unreadable("its send_time is no Unix time")
    text, media = _told(kind, part(item, kind))
    thread, before = thread_of(sender, sent_at, zone)
    return Said(
        IncomingMessage(
            source=MessageSource(
                channel=Channel.WECOM, account=account, message_id=message_id, thread_id=thread, reply_to=before
            ),
            sender=Sender(identities=(SenderIdentity(kind=SenderKind.WECOM, value=sender),)),
            content=Content(text=text),
            occurred_at=sent_at,
        ),
        media,
    )


_FILES = {"image": ("图片", "Image"), "voice": ("语音", "Voice"), "video": ("视频", "Video"), "file": ("文件", "File")}


def _told(kind: str, body: Mapping[str, Any]) -> tuple[str, tuple[Media, ...]]:
    """What a message of that type says, and its files."""
    if kind == "text":
        return clean_text(body.get("content")), ()
    if kind in _FILES:
        media_id = identifier(body.get("media_id"))
        return placeholder(*_FILES[kind]), () if media_id is None else (Media(media_id, kind),)
    return clean_text(_described(kind, body)), ()


def _described(kind: str, body: Mapping[str, Any]) -> str:
    def line(name: str) -> str:
        return clean_line(body.get(name), 1000)

    match kind:
        case "location":
            place = " ".join(filter(None, (line("latitude"), line("longitude"))))
            return placeholder("位置", "Location", line("name"), line("address"), place)
        case "link":
            return placeholder("链接", "Link", line("title"), line("desc"), line("url"))
        case "business_card":
            return placeholder("名片", "Business card", line("userid") or line("user_id"))
        case "miniprogram":
            return placeholder("小程序", "Mini program", line("title"), line("appid"), line("pagepath"))
        case "msgmenu":
            return placeholder("菜单", "Menu", line("head_content"), *_menu(body.get("list")), line("tail_content"))
        case "channels_shop_product":
            return placeholder("视频号商品", "Shop product", line("title"), line("product_id"), line("shop_nickname"))
        case "channels_shop_order":
            order = (line(name) for name in ("order_id", "product_titles", "price_wording", "state", "shop_nickname"))
            return placeholder("视频号订单", "Shop order", *order)
        case "merged_msg":
            return placeholder("聊天记录", "Chat history", line("title"), *_merged(body.get("item")))
        case "channels":
            return placeholder("视频号", "Channels", line("nickname"), line("title"))
        case _:
            return placeholder("无法显示的消息", f"A message that cannot be shown: {kind or '?'}", *_values(body))


def _menu(items: object) -> list[str]:
    return [
        clean_line(part(each, clean_line(each.get("type"))).get("content"), 1000)
        for each in _listed(items)
        if isinstance(each, Mapping)
    ]


def _merged(items: object) -> list[str]:
    """The lines of a chat that was passed on: who, and what. `msg_content` is JSON in a string."""
    lines = []
    for each in _listed(items):
        if not isinstance(each, Mapping):
            continue
        kind = clean_line(each.get("msgtype"), 50)
        try:
            content = json.loads(each.get("msg_content", ""))
        except (TypeError, ValueError, RecursionError):
            content = {}
        said = part(content, kind) if isinstance(content, Mapping) else {}
        text = clean_line(said.get("content") or said.get("title"), 2000)
        lines.append(f"{clean_line(each.get('sender_name'))}: {text or f'[{kind}]'}")
    return lines


def _values(body: Mapping[str, Any]) -> list[str]:
    """What an unknown type holds in plain sight, so that a reader may guess what it is."""
    return [
        f"{clean_line(name, 50)}: {shown}"
        for name, value in list(body.items())[:MAX_LISTED]
        if (shown := clean_line(value, 500))
    ]


def _listed(items: object) -> list[Any]:
    return items[:MAX_LISTED] if isinstance(items, list) else []
