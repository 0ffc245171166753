"""DingTalk 钉钉: what customers tell a robot, as it calls us.

By the developer documentation 机器人接收消息 (open.dingtalk.com/document/orgapp/receive-message): the headers
`timestamp` (milliseconds) and `sign`, Base64 of HMAC-SHA-256 of timestamp, line feed and AppSecret under the AppSecret.
The signature does not cover the body, so the channel believes whoever holds a fresh one: the door is for TLS only.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

from intake_service.channels.signed import Forged, check_age
from intake_service.channels.wording import clean_line, clean_text, identifier, instant, part, placeholder, thread_of
from intake_service.domain.channels import Media
from intake_service.domain.message import Content, IncomingMessage, MessageSource, Sender, SenderIdentity, SenderKind
from shared.contracts.vocabulary import Channel

MILLI = 1000
MAX_PARTS = 100
MAX_LINE = 2000
_WEBHOOK = re.compile(r"https?://[!-~]{1,1900}")


def check_signature(sign: str, timestamp: str, secret: str, now: datetime, most: timedelta) -> None:
    """Raises `Forged`, and `Stale` where it was signed more than `most` from now (DingTalk itself allows an hour)."""
    expected = b64encode(
        hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode("utf-8", "replace"), hashlib.sha256)
    )
    if not hmac.compare_digest(expected, sign.encode("utf-8", "replace")):
        raise Forged
    check_age(instant(timestamp, MILLI), now, most)


@dataclass(frozen=True, slots=True)
class Session:
    """Where an answer to this conversation goes, and until when. Whoever has the address may write there."""

    webhook: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    message: IncomingMessage
    media: tuple[Media, ...] = ()
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A callback without what makes it a message: its id, conversation, sender or time."""

    reason: str


def read(body: object, account: str, zone: ZoneInfo) -> Said | Unreadable:
    """One callback of the robot, whatever it is."""
    if not isinstance(body, Mapping):
        return Unreadable("it is no object")
    message_id, conversation = identifier(body.get("msgId")), identifier(body.get("conversationId"))
    sender = identifier(body.get("senderStaffId")) or identifier(body.get("senderId"))
    sent_at = instant(body.get("createAt"), MILLI)
    if message_id is None or conversation is None:
        return Unreadable("it has no msgId or no conversationId")
    if sender is None:
        return Unreadable("it has neither senderStaffId nor senderId")
    if sent_at is None:
        return Unreadable("its createAt is no Unix time in milliseconds")
    text, media = _told(clean_line(body.get("msgtype"), 50), body)
    thread, before = thread_of(conversation, sent_at, zone)
    return Said(
        IncomingMessage(
            source=MessageSource(
                channel=Channel.DINGTALK, account=account, message_id=message_id, thread_id=thread, reply_to=before
            ),
            sender=Sender(
                identities=(SenderIdentity(kind=SenderKind.HANDLE, value=sender),),
                name=clean_line(body.get("senderNick")),
            ),
            content=Content(text=text),
            occurred_at=sent_at,
        ),
        media,
        _session(body),
    )


def _session(body: Mapping[str, Any]) -> Session | None:
    webhook, until = body.get("sessionWebhook"), instant(body.get("sessionWebhookExpiredTime"), MILLI)
    if until is None or not isinstance(webhook, str) or not _WEBHOOK.fullmatch(webhook):
        return None
    return Session(webhook, until)


_FILES = {
    "picture": ("图片", "Image"),
    "audio": ("语音", "Voice"),
    "video": ("视频", "Video"),
    "file": ("文件", "File"),
}


def _told(kind: str, body: Mapping[str, Any]) -> tuple[str, tuple[Media, ...]]:
    content = part(body, "content")
    if kind == "text":
        return clean_text(part(body, "text").get("content")), ()
    if kind in _FILES:
        name = clean_line(content.get("fileName"))
        # DingTalk's own transcript of a voice message is what the customer said.
        said = clean_text(content.get("recognition"))
        return clean_text(placeholder(*_FILES[kind], name, said)), _media(content, kind, name)
    if kind == "richText":
        return _rich(content.get("richText"))
    return placeholder("无法显示的消息", f"A message that cannot be shown: {kind or '?'}"), ()


def _rich(parts: object) -> tuple[str, tuple[Media, ...]]:
    """Text and pictures in turn."""
    told: list[str] = []
    media: list[Media] = []
    for each in parts[:MAX_PARTS] if isinstance(parts, list) else []:
        if not isinstance(each, Mapping):
            continue
        if text := clean_text(each.get("text")):
            told.append(text)
        if found := _media(each, "picture", ""):
            told.append(placeholder(*_FILES["picture"]))
            media += found
    return clean_text("\n".join(told)), tuple(media)


def _media(holder: Mapping[str, Any], kind: str, name: str) -> tuple[Media, ...]:
    for field_name in ("downloadCode", "pictureDownloadCode"):
        code = holder.get(field_name)
        if _is_plain(code):
            return (Media(code, kind, name),)
    return ()


def _is_plain(value: object) -> TypeGuard[str]:
    """A filled line that may be used as it stands."""
    return isinstance(value, str) and value != "" and clean_line(value, MAX_LINE) == value
