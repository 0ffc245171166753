"""Every type of a message of WeCom's customer service, as a message that the desk can read."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_service.channels.wecom.messages import Noted, Said, Unreadable, read
from intake_service.domain.channels import Media
from intake_service.domain.message import IncomingMessage
from tests.support.wecom import ACCOUNT, CUSTOMER, customer_says, event

#: 2024-05-10 10:21 in Shanghai.
AT = 1_715_307_660
SHANGHAI = ZoneInfo("Asia/Shanghai")


def said(item):
    found = read(item, ACCOUNT, SHANGHAI)
    assert isinstance(found, Said), found
    return found


def test_a_text_is_a_message_of_a_known_customer():
    found = said(customer_says("m-1", AT, "订单打不开 🙁")).message
    assert (found.source.channel, found.source.account, found.source.message_id) == ("wecom", ACCOUNT, "m-1")
    assert [(each.kind, each.value) for each in found.sender.identities] == [("wecom", CUSTOMER)]
    assert found.content.text == "订单打不开 🙁"
    assert found.occurred_at == datetime(2024, 5, 10, 2, 21, tzinfo=UTC)


def test_a_conversation_goes_on_from_day_to_day():
    """Midnight in Shanghai is 16:00 UTC: the message after it answers the thread of the day before."""
    before = said(customer_says("m-1", datetime(2024, 5, 10, 15, 59, tzinfo=UTC).timestamp())).message.source
    after = said(customer_says("m-2", datetime(2024, 5, 10, 16, 1, tzinfo=UTC).timestamp())).message.source
    assert (before.thread_id, after.thread_id) == (f"{CUSTOMER}/2024-05-10", f"{CUSTOMER}/2024-05-11")
    assert after.reply_to == before.thread_id


#: A body by its type, and what the desk reads.
TYPES = [
    ({"text": {"content": "退货", "menu_id": "101"}}, "退货"),
    (
        {
            "location": {
                "latitude": 23.106021881103501,
                "longitude": 113.320503234863,
                "name": "广州国际媒体港(广州市海珠区)",
                "address": "广东省广州市海珠区滨江东路",
            }
        },
        "[位置 Location]\n广州国际媒体港(广州市海珠区)\n广东省广州市海珠区滨江东路\n23.1060218811035 113.320503234863",
    ),
    (
        {
            "link": {
                "title": "坏掉的页面",
                "desc": "打开是白的",
                "url": "https://shop.example/x",
                "pic_url": "https://p",
            }
        },
        "[链接 Link]\n坏掉的页面\n打开是白的\nhttps://shop.example/x",
    ),
    ({"business_card": {"userid": "zhangsan"}}, "[名片 Business card]\nzhangsan"),
    (
        {"miniprogram": {"title": "订单", "appid": "wx123", "pagepath": "pages/order?id=1", "thumb_media_id": "t"}},
        "[小程序 Mini program]\n订单\nwx123\npages/order?id=1",
    ),
    (
        {
            "msgmenu": {
                "head_content": "您对本次服务是否满意呢?",
                "tail_content": "欢迎再次光临",
                "list": [
                    {"type": "click", "click": {"id": "101", "content": "满意"}},
                    {"type": "view", "view": {"url": "u", "content": "看看"}},
                    7,
                ],
            }
        },
        "[菜单 Menu]\n您对本次服务是否满意呢?\n满意\n看看\n欢迎再次光临",
    ),
    (
        {
            "channels_shop_product": {
                "product_id": "PRODUCT_ID",
                "title": "水杯",
                "sales_price": "1000",
                "shop_nickname": "小店",
            }
        },
        "[视频号商品 Shop product]\n水杯\nPRODUCT_ID\n小店",
    ),
    (
        {
            "channels_shop_order": {
                "order_id": "O-1",
                "product_titles": "水杯等2件",
                "price_wording": "¥20",
                "state": "待发货",
            }
        },
        "[视频号订单 Shop order]\nO-1\n水杯等2件\n¥20\n待发货",
    ),
    (
        {
            "merged_msg": {
                "title": "群聊的聊天记录",
                "item": [
                    {
                        "sender_name": "小王",
                        "msgtype": "text",
                        "send_time": 1,
                        "msg_content": '{"text":{"content":"坏了"}}',
                    },
                    {"sender_name": "小李", "msgtype": "image", "send_time": 2, "msg_content": "no JSON"},
                ],
            }
        },
        "[聊天记录 Chat history]\n群聊的聊天记录\n小王: 坏了\n小李: [image]",
    ),
    ({"channels": {"sub_type": 1, "nickname": "官方号", "title": "直播"}}, "[视频号 Channels]\n官方号\n直播"),
    (
        {"hologram": {"caption": "新的类型", "frames": [1, 2]}},
        "[无法显示的消息 A message that cannot be shown: hologram]\ncaption: 新的类型",
    ),
    ({"text": "no object"}, ""),
]


@pytest.mark.parametrize(
    ("body", "text"), TYPES, ids=lambda value: next(iter(value)) if isinstance(value, dict) else ""
)
def test_every_type_is_readable(body, text):
    found = said(customer_says("m-1", AT, **body))
    assert found.message.content.text == text
    assert found.media == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [("image", "[图片 Image]"), ("voice", "[语音 Voice]"), ("video", "[视频 Video]"), ("file", "[文件 File]")],
)
def test_a_file_is_named_in_both_languages_and_fetched_by_its_id(kind, text):
    found = said(customer_says("m-1", AT, **{kind: {"media_id": "2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw"}}))
    assert found.message.content.text == text
    assert found.media == (Media("2iSLeVyqzk4eX0IB5kTi9Ljfa2rt9dwfq5WKRQ4Nvvgw", kind),)
    assert said(customer_says("m-1", AT, **{kind: {}})).media == ()


@pytest.mark.parametrize(
    "item",
    [
        event("e-1", AT, "enter_session", scene="123", welcome_code="W"),
        event("e-2", AT, "msg_send_fail", fail_msgid="m-9", fail_type=4),
        event("e-3", AT, "session_status_change", change_type=3),
        event("e-4", AT, "user_recall_msg", recall_msgid="m-1"),
        event("e-5", AT, "of_the_future"),
    ],
)
def test_an_event_is_no_message(item):
    found = read(item, ACCOUNT, SHANGHAI)
    assert isinstance(found, Noted)
    assert found.kind == item["event"]["event_type"]


def test_what_a_colleague_writes_is_no_complaint():
    item = {**customer_says("m-1", AT), "origin": 5, "servicer_userid": "Zhangsan"}
    assert read(item, ACCOUNT, SHANGHAI) == Noted(
        "servicer_message", "m-1", datetime(2024, 5, 10, 2, 21, tzinfo=UTC), {}
    )


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, "no object"),
        ([], "no object"),
        ({}, "no msgid"),
        ({**customer_says("m-1", AT), "msgid": "x" * 256}, "no msgid"),
        ({**customer_says("m-1", AT), "external_userid": 7}, "no external_userid"),
        ({**customer_says("m-1", AT), "send_time": "yesterday"}, "send_time"),
        ({**customer_says("m-1", AT), "send_time": 10**30}, "send_time"),
        ({**customer_says("m-1", AT), "send_time": True}, "send_time"),
    ],
)
def test_an_item_that_is_no_message_is_told_with_its_reason(item, reason):
    found = read(item, ACCOUNT, SHANGHAI)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_what_cannot_stand_in_a_record_is_taken_out():
    item = customer_says("m-1", AT, "坏\x00了\x1b[31m\r\n第二行\ud83d")
    assert said(item).message.content.text == "坏了[31m\n第二行\ufffd"
    assert len(said(customer_says("m-1", AT, "慢" * 200_000)).message.content.text) == 100_000


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KINDS = ("text", "image", "location", "link", "msgmenu", "merged_msg", "event", "unheard-of", "\ud800")


@settings(max_examples=50)
@given(ANY_JSON, st.sampled_from(KINDS), st.sampled_from([3, 4, 5, 6, None]))
def test_any_body_of_any_type_is_kept(body, kind, origin):
    item = {**customer_says("m-1", AT), "origin": origin, "msgtype": kind, kind: body}
    found = read(item, ACCOUNT, SHANGHAI)
    assert isinstance(found, Said if origin not in (4, 5) and kind != "event" else Noted)
    if isinstance(found, Said):
        assert IncomingMessage.model_validate_json(found.message.model_dump_json()) == found.message


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*customer_says("m", AT), "event"]), ANY_JSON))
def test_any_item_is_a_message_a_note_or_unreadable(item):
    found = read(item, ACCOUNT, SHANGHAI)
    json.dumps(found.reason if isinstance(found, Unreadable) else None)
