"""Feedback from within an app: what it says, who says it, and where it was seen."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_service.channels.in_app import EXAMPLE, incoming
from intake_service.domain.channels import ChannelSpec, Unreadable
from intake_service.domain.message import IncomingMessage, SenderKind
from tests.support.signing import written
from tests.unit.intake.test_wecom_messages import ANY_JSON

SPEC = ChannelSpec.model_validate(
    {
        "channel_id": "app",
        "kind": "in_app",
        "channel": "in_app",
        "account": "shop-app",
        "title": {"zh": "商城", "en": "Shop"},
        "owner_team": "support",
    }
)


def told(**changes):
    body = copy.deepcopy(EXAMPLE)
    body.update(changes)
    found = incoming(SPEC, written({name: value for name, value in body.items() if value is not None})).message
    assert isinstance(found, IncomingMessage), found
    return found


def test_device_and_version_are_the_scene():
    found = told()
    assert found.content.scene == (
        "应用 App: 5.2.0, 5200417\n设备 Device: iPhone15,2, iOS 17.4, zh-CN\n页面 Screen: /orders/checkout"
    )
    assert found.source.key == ("in_app", "shop-app", "fb-20240510-7f3a")
    assert (found.content.text, found.content.language) == (EXAMPLE["text"], "zh")
    assert told(app={}, device={}, screen="").content.scene == ""


def test_the_account_tells_who_it_is_and_the_device_only_where_nobody_is_signed_in():
    assert [each.kind for each in told().sender.identities] == [SenderKind.ACCOUNT, SenderKind.PHONE]
    nobody = told(account_id=None, contact={"email": "wang@example.com"})
    assert [(each.kind, each.value) for each in nobody.sender.identities] == [
        (SenderKind.HANDLE, "a81c-77"),
        (SenderKind.EMAIL, "wang@example.com"),
    ]


def test_numbers_are_taken_for_text_and_what_a_newer_app_adds_is_passed_over():
    found = told(app={"version": 6, "build": 60001, "store": "huawei"}, battery=0.4)
    assert found.content.scene.startswith("应用 App: 6, 60001\n")


def test_signs_that_the_record_does_not_take_are_cleaned_away():
    assert told(text="慢\x00\x0b了\r\n真的").content.text == "慢了\n真的"
    raw = written(EXAMPLE).replace("已经三次了".encode(), b"\\ud83d")
    found = incoming(SPEC, raw).message
    assert isinstance(found, IncomingMessage)
    assert "\ufffd" in found.content.text


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "/: "),
        ({**EXAMPLE, "at": "2024-05-10T10:20:00"}, "/at: "),
        ({**EXAMPLE, "at": "0001-01-01T00:00:00+14:00"}, "/at: "),
        ({**EXAMPLE, "message_id": ""}, "/message_id: "),
        ({**EXAMPLE, "text": {"a": 1}}, "/text: "),
        ({**EXAMPLE, "attachments": ["photo.jpg"]}, "/attachments/0: "),
    ],
)
def test_what_is_not_of_the_format_is_unreadable_and_says_where(body, where):
    raw = written(body)
    found = incoming(SPEC, raw)
    assert isinstance(found.message, Unreadable)
    assert where in found.message.why.en
    assert found.raw == raw


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(EXAMPLE)), ANY_JSON, max_size=4))
def test_whatever_an_app_sends_is_a_message_or_unreadable(changes):
    found = incoming(SPEC, json.dumps({**EXAMPLE, **changes}).encode())
    assert isinstance(found.message, IncomingMessage | Unreadable)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=100))
def test_whatever_bytes_come_are_kept(raw):
    assert incoming(SPEC, raw).raw == raw
