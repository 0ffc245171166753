"""Frames of live chat, and who a site says its visitor is: whatever comes is read or refused."""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from intake_service.channels.chat import BadFrame, BadIdentity, Ping, Say, read_frame, read_identity, sign_identity
from intake_service.domain.chat import NewChatMessage, Visitor, author_of, delivery_of, fingerprint

NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
AT = int(NOW.timestamp())

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
near_frames = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "message", "typing", "ping", "shout"]) | values},
    optional=dict.fromkeys(("message_id", "text", "files", "token", "bearer", "more"), values),
)


@given(st.text() | st.binary() | near_frames.map(json.dumps) | values.map(json.dumps))
def test_any_frame_is_read_or_refused(data):
    with suppress(BadFrame):
        read_frame(data)


@given(
    st.text(alphabet="abcXYZ019._:-", min_size=1, max_size=100),
    st.text(alphabet=st.characters(categories=("L", "N", "P")), min_size=1, max_size=200),
)
def test_whatever_can_be_read_comes_through_as_it_was_said(message_id, text):
    frame = json.dumps({"type": "message", "message_id": message_id, "text": f" {text} "})
    assert read_frame(frame) == Say(type="message", message_id=message_id, text=text)


def test_a_refused_message_is_named_where_it_can_be_and_what_was_sent_is_not_quoted():
    with pytest.raises(BadFrame) as bad:
        read_frame('{"type": "message", "message_id": "m-1", "text": "\\u0007secret"}')
    assert bad.value.message_id == "m-1"
    assert "secret" not in str(bad.value)
    with pytest.raises(BadFrame) as bad:
        read_frame('{"type": "message", "message_id": "m 1", "text": "x"}')
    assert bad.value.message_id is None
    assert read_frame('{"type": "ping"}') == Ping(type="ping")


FILES = ["0190d0a4-7c1c-7000-8000-000000000001", "0190d0a4-7c1c-7000-8000-000000000002"]


def said(**parts):
    return NewChatMessage.model_validate({"message_id": "1", **parts})


def test_a_message_has_text_or_files_and_names_each_file_once():
    assert said(text=" x ").files == ()
    assert [str(each) for each in said(files=[*FILES, FILES[0]]).files] == FILES
    for wrong in ({}, {"text": " "}, {"text": "\u200b", "files": FILES}, {"files": ["x"]}, {"files": FILES * 26}):
        with pytest.raises(ValidationError):
            said(**wrong)


def test_the_same_message_is_told_by_its_text_and_its_files_in_order_and_by_its_text_alone_as_ever():
    told = [said(text="x"), said(text="x", files=FILES), said(text="x", files=FILES[:1]), said(files=FILES)]
    told.append(said(text="x", files=FILES[::-1]))
    assert len({fingerprint(each) for each in told}) == len(told)
    assert fingerprint(told[0]) == hashlib.sha256(b"x").digest()


def test_a_visitor_is_who_the_site_signed_within_five_minutes():
    stated = json.dumps({"account_id": "u-1", "name": "王女士", "at": AT - 300})
    assert read_identity(sign_identity(stated, "s"), "s", NOW) == Visitor(account_id="u-1", name="王女士")
    for signed, secret in (
        (sign_identity(stated, "s"), "another"),
        (sign_identity(json.dumps({"at": AT - 301}), "s"), "s"),
        (sign_identity(json.dumps({"at": AT + 301}), "s"), "s"),
        (sign_identity(json.dumps({"at": AT, "admin": True}), "s"), "s"),
        (sign_identity(json.dumps({"name": "x"}), "s"), "s"),
    ):
        with pytest.raises(BadIdentity):
            read_identity(signed, secret, NOW)


@given(st.text(max_size=60), st.binary(max_size=40))
def test_what_the_secret_did_not_sign_is_nobody(signed, told):
    for each in (signed, sign_identity(told.hex(), "another")):
        with pytest.raises(BadIdentity):
            read_identity(each, "s", NOW)


@given(st.uuids(), st.text(min_size=1), st.text(alphabet="ab/:", min_size=1, max_size=100))
def test_a_visitor_and_an_agent_never_have_a_message_id_in_common(chat_id, agent, message_id):
    by_visitor = delivery_of(chat_id, "visitor", message_id)
    by_agent = delivery_of(chat_id, author_of(agent), message_id)
    assert by_visitor != by_agent
    assert len(by_agent) <= 255
