"""What DingTalk tells of a robot: whose it is, and what the customer says."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_service.channels.dingtalk.messages import Said, Unreadable, check_signature, read
from intake_service.channels.signed import Forged, Stale
from intake_service.domain.channels import Media
from intake_service.domain.message import IncomingMessage
from tests.support.wecom import APP_SECRET, dingtalk_headers, dingtalk_says
from tests.unit.intake.test_wecom_messages import ANY_JSON

AT = 1_715_307_660
NOW = datetime.fromtimestamp(AT, UTC)
MINUTES = timedelta(minutes=5)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def check(headers, now=NOW):
    check_signature(headers["sign"], headers["timestamp"], APP_SECRET, now, MINUTES)


def said(**changes):
    found = read(dingtalk_says("msg-1", AT, **changes), "robot", SHANGHAI)
    assert isinstance(found, Said), found
    return found


def test_a_signature_is_known_and_good_for_five_minutes():
    check(dingtalk_headers(AT))
    check(dingtalk_headers(AT), NOW + MINUTES)
    for far in (timedelta(minutes=5, milliseconds=1), -timedelta(minutes=5, milliseconds=1), timedelta(hours=1)):
        with pytest.raises(Stale):
            check(dingtalk_headers(AT), NOW + far)


@pytest.mark.parametrize(
    "changed",
    [{"sign": ""}, {"sign": "AAAA"}, {"sign": "签"}, {"timestamp": str(AT * 1000 + 1)}, {"timestamp": "\ud800"}],
)
def test_a_forged_signature_is_refused(changed):
    with pytest.raises(Forged):
        check({**dingtalk_headers(AT), **changed})
    with pytest.raises(Forged):
        check(dingtalk_headers(AT, "another secret"))


def test_a_text_is_a_message_of_a_member():
    found = said()
    assert found.message.source.model_dump(mode="json", exclude_none=True) == {
        "channel": "dingtalk",
        "account": "robot",
        "message_id": "msg-1",
        "thread_id": "cidl2bWgaU1ZvG3xQ7tests==/2024-05-10",
        "reply_to": "cidl2bWgaU1ZvG3xQ7tests==/2024-05-09",
    }
    assert [(each.kind, each.value) for each in found.message.sender.identities] == [("handle", "user123")]
    assert (found.message.sender.name, found.message.content.text) == ("杨女士", "订单打不开")
    assert found.message.occurred_at == NOW


def test_the_session_tells_where_an_answer_goes_and_until_when():
    session = said().session
    assert session.webhook.endswith("session=0123456789abcdef")
    assert session.expires_at == NOW + timedelta(minutes=90)
    assert "0123456789abcdef" not in repr(session)
    assert said(sessionWebhookExpiredTime="never").session is None
    assert said(sessionWebhook="https://x\r\nHost: y").session is None


TYPES = [
    (
        "picture",
        {"downloadCode": "code-1", "pictureDownloadCode": "code-2"},
        "[图片 Image]",
        [("code-1", "picture", "")],
    ),
    (
        "audio",
        {"duration": 4000, "downloadCode": "code-1", "recognition": "我要退款"},
        "[语音 Voice]\n我要退款",
        [("code-1", "audio", "")],
    ),
    (
        "video",
        {"duration": 12, "videoType": "mp4", "downloadCode": "code-1"},
        "[视频 Video]",
        [("code-1", "video", "")],
    ),
    (
        "file",
        {"fileName": "发票.pdf", "fileId": "f", "downloadCode": "code-1"},
        "[文件 File]\n发票.pdf",
        [("code-1", "file", "发票.pdf")],
    ),
    (
        "richText",
        {"richText": [{"text": "看图："}, {"type": "picture", "downloadCode": "code-1"}, {"text": "白屏"}, 7]},
        "看图：\n[图片 Image]\n白屏",
        [("code-1", "picture", "")],
    ),
    ("picture", {"pictureDownloadCode": "code-2"}, "[图片 Image]", [("code-2", "picture", "")]),
    ("picture", "no object", "[图片 Image]", []),
    ("richText", {"richText": "no list"}, "", []),
    ("hologram", {}, "[无法显示的消息 A message that cannot be shown: hologram]", []),
]


@pytest.mark.parametrize(("kind", "content", "text", "media"), TYPES)
def test_every_type_is_readable(kind, content, text, media):
    found = said(msgtype=kind, content=content)
    assert found.message.content.text == text
    assert found.media == tuple(Media(*each) for each in media)


def test_who_is_no_colleague_is_known_by_the_id_that_dingtalk_gives():
    (identity,) = said(senderStaffId=None).message.sender.identities
    assert identity.value == "$:LWCP_v1:$Ff09GIxxxxx"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"msgId": ""}, "msgId"),
        ({"conversationId": None}, "conversationId"),
        ({"senderStaffId": "", "senderId": 7}, "senderId"),
        ({"createAt": -1}, "createAt"),
    ],
)
def test_a_callback_that_is_no_message_is_told_with_its_reason(changes, reason):
    found = read(dingtalk_says("msg-1", AT, **changes), "robot", SHANGHAI)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(list(dingtalk_says("m", AT))), ANY_JSON, max_size=3))
def test_any_callback_is_a_message_or_unreadable(changes):
    found = read(dingtalk_says("msg-1", AT, **changes), "robot", SHANGHAI)
    if isinstance(found, Said):
        assert IncomingMessage.model_validate_json(found.message.model_dump_json()) == found.message
    else:
        json.dumps(found.reason)
