"""Posts and comments of a feed: whose they are, what they answer, and when they were made."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_service.channels.social_feed import EXAMPLE, MAX_ITEMS, incoming, split
from intake_service.domain.channels import ChannelSpec, Unreadable
from intake_service.domain.message import IncomingMessage
from tests.support.signing import written
from tests.unit.intake.test_wecom_messages import ANY_JSON

SPEC = ChannelSpec.model_validate(
    {
        "channel_id": "feed",
        "kind": "social_feed",
        "channel": "social",
        "account": "shop",
        "title": {"zh": "社交媒体", "en": "Social media"},
        "owner_team": "support",
        "co_owner_team": "brand",
    }
)
POST, COMMENT = EXAMPLE["items"]


def told(item, **changes):
    body = {name: value for name, value in {**item, **changes}.items() if value is not None}
    found = incoming(SPEC, written(body)).message
    assert isinstance(found, IncomingMessage), found
    return found


def test_a_post_is_a_message_with_its_address_and_author_as_the_scene():
    found = told(POST)
    assert found.source.model_dump(mode="json", exclude_none=True) == {
        "channel": "social",
        "account": "shop",
        "message_id": "weibo:5032871234567890",
        "thread_id": "weibo:5032871234567890",
    }
    assert found.content.scene == (
        "微博 Weibo: https://weibo.com/1760000001/5032871234567890\n作者 Author: 小城吃货, 粉丝 followers 120034"
    )
    assert found.occurred_at.isoformat() == "2024-05-10T01:58:00+00:00"
    assert [(each.name, each.url) for each in found.attachments] == [
        ("abc.jpg", "https://wx1.sinaimg.cn/large/abc.jpg")
    ]


def test_a_comment_is_on_the_thread_of_its_post():
    found = told(COMMENT, root_id="1", parent_id="2")
    assert (found.source.thread_id, found.source.reply_to) == ("weibo:1", "weibo:2")
    assert told(COMMENT, root_id=None).source.thread_id == "weibo:5032871234567890"


def test_ids_mean_something_on_their_own_platform_alone():
    keys = {told(POST, platform=platform).source.key for platform in ("weibo", "douyin", "xiaohongshu", "other")}
    assert len(keys) == 4


def test_a_picture_without_a_word_says_what_it_is():
    assert told(POST, text="").content.text == "[图片或视频 Picture or video]"
    assert told(POST, text="", media=None).content.text == ""
    bare = told(POST, media=[{"url": "https://v.example"}])
    assert [each.name for each in bare.attachments] == ["media"]


@pytest.mark.parametrize(
    "changes",
    [
        {"platform": "myspace"},
        {"author": {}},
        {"made_at": "yesterday"},
        {"url": "javascript:alert(1)"},
        {"post_id": ""},
    ],
)
def test_what_is_not_of_the_format_is_unreadable(changes):
    assert isinstance(incoming(SPEC, written({**POST, **changes})).message, Unreadable)


def test_items_are_split_so_that_none_spoils_another():
    pieces = split(written({"items": [POST, None, 7]}))
    assert pieces is not None
    assert [isinstance(incoming(SPEC, each).message, IncomingMessage) for each in pieces] == [True, False, False]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"items": 3}', written({"items": [1] * (MAX_ITEMS + 1)})])
def test_what_is_no_list_of_items_is_none(raw):
    assert split(raw) is None


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(POST)), ANY_JSON, max_size=4))
def test_whatever_a_feed_sends_is_a_message_or_unreadable(changes):
    pieces = split(json.dumps({"items": [{**POST, **changes}]}).encode())
    assert pieces is not None
    assert isinstance(incoming(SPEC, pieces[0]).message, IncomingMessage | Unreadable)
