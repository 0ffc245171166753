"""The kind `dingtalk`: a robot that DingTalk calls us for."""

import json
from zoneinfo import ZoneInfo

from intake_service.channels.dingtalk.messages import Said, read
from intake_service.channels.kind import Kind
from intake_service.channels.settings import Zone
from intake_service.domain.channels import ChannelSpec, Incoming, Unreadable
from intake_service.domain.message import ReplyUntil
from intake_service.domain.record import Part
from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Channel


class DingTalkSettings(Part):
    time_zone: Zone = "Asia/Shanghai"


def incoming(spec: ChannelSpec, raw: bytes) -> Incoming:
    """One callback, whatever it is."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    found = read(body, spec.account, ZoneInfo(spec.settings["time_zone"]))
    if not isinstance(found, Said):
        why = Bilingual(zh=f"不是可读的机器人消息：{found.reason}", en=f"It is no readable message: {found.reason}")
        return Incoming(Unreadable(why), raw)
    message = found.message
    if (session := found.session) is not None:
        until = ReplyUntil(expires_at=session.expires_at, webhook=session.webhook)
        message = message.model_copy(update={"reply": until})
    return Incoming(message, raw)


KIND = Kind("dingtalk", Channel.DINGTALK, DingTalkSettings, secret_names=frozenset({"app_secret"}), read=incoming)
