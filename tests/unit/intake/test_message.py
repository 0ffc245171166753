"""What of a message can be understood, and what it says then."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.domain.message import MESSAGE_EXAMPLE, IncomingMessage, Reason, Understood, understand
from intake_service.usecases.messages import fingerprint

NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
SKEW = timedelta(minutes=2)


def message(**parts):
    return IncomingMessage.model_validate_json(json.dumps({**MESSAGE_EXAMPLE, **parts}))


def content(text, **rest):
    return message(content={"text": text, **rest})


def sender(*identities):
    return message(sender={"identities": [{"kind": kind, "value": value} for kind, value in identities]})


def raw(data, **rest):
    return message(raw={"data": data, **rest})


def reasons(given_message):
    found = understand(given_message, NOW, SKEW, "CN")
    return [doubt.reason for doubt in found] if isinstance(found, tuple) else []


def test_the_example_is_understood():
    found = understand(message(), NOW, SKEW, "CN")
    assert isinstance(found, Understood)
    assert found.text == "订单无法查询\n\n从早上开始一直加载失败，请尽快处理。"
    assert found.complainant.emails == ("zhang@example.com",)
    assert found.record(message()).made_at == datetime(2024, 5, 10, 2, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u200b", "\ufffd\ufffd"])
def test_text_that_nobody_can_read_is_none(text):
    assert reasons(content(text, subject="退款")) == [Reason.NO_TEXT]


def test_a_text_is_as_long_as_a_complaint_may_be():
    assert reasons(content("慢" * 10_000)) == []
    assert reasons(content("慢" * 10_001)) == [Reason.TOO_LONG]
    assert reasons(content("慢" * 9_997, subject="急")) == []
    assert reasons(content("慢" * 9_998, subject="急")) == [Reason.TOO_LONG]


@pytest.mark.parametrize(
    "identities",
    [(), (("phone", ""),), (("phone", "12"),), (("email", "nobody"),), (("handle", " "),), (("account", "x" * 101),)],
)
def test_a_sender_without_a_readable_identity_is_nobody(identities):
    assert reasons(sender(*identities)) == [Reason.NO_IDENTITY]


def test_an_identity_that_can_not_be_read_beside_one_that_can_is_left_out():
    found = understand(sender(("phone", "anonymous"), ("phone", "138 0000 1234")), NOW, SKEW, "CN")
    assert isinstance(found, Understood)
    assert found.complainant.phones == ("+8613800001234",)


@pytest.mark.parametrize(
    ("part", "readable"),
    [
        (("not base64!", {}), False),
        (("AAA", {}), False),
        (("", {}), True),
        ((b64encode(b"\xff\xfe\xfd").decode(), {}), True),
        ((b64encode(b"\xff\xfe\xfd").decode(), {"media_type": "text/plain"}), False),
        ((b64encode("慢".encode("gb18030")).decode(), {"media_type": "text/plain", "charset": "GB18030"}), True),
        ((b64encode(b"x").decode(), {"media_type": "text/plain", "charset": "klingon"}), False),
        ((b64encode(b"x").decode(), {"media_type": "text/plain", "charset": "unicode_escape"}), False),
    ],
)
def test_a_raw_part_is_base64_and_its_text_readable(part, readable):
    data, rest = part
    assert reasons(raw(data, **rest)) == ([] if readable else [Reason.UNDECODABLE_RAW])


def test_all_that_is_wrong_is_told_at_once():
    wrong = message(
        content={"text": ""}, sender={}, raw={"data": "?"}, occurred_at=(NOW + timedelta(days=1)).isoformat()
    )
    assert reasons(wrong) == [Reason.NO_TEXT, Reason.NO_IDENTITY, Reason.FROM_THE_FUTURE, Reason.UNDECODABLE_RAW]


@given(st.integers(-10_000, 10_000))
def test_a_message_may_be_from_the_future_by_the_skew_of_clocks_and_no_more(seconds):
    sent = message(occurred_at=(NOW + timedelta(seconds=seconds)).isoformat())
    assert reasons(sent) == ([Reason.FROM_THE_FUTURE] if seconds > 120 else [])


@given(
    text=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200),
    subject=st.text(st.characters(categories=["L", "N", "P"]), max_size=100),
    identities=st.lists(
        st.tuples(
            st.sampled_from(["phone", "email", "handle"]),
            st.one_of(
                st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30),
                st.sampled_from(["13800001234", "a@example.com"]),
            ),
        ),
        max_size=5,
    ),
    data=st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=20).map(lambda data: b64encode(data).decode())),
    charset=st.sampled_from(["utf-8", "gbk", "utf-16", "zip", "idna", "punycode"]),
)
def test_whatever_passes_the_envelope_is_understood_or_doubted_and_what_is_understood_makes_a_record(
    text, subject, identities, data, charset
):
    stated = {"identities": [{"kind": kind, "value": value} for kind, value in identities]}
    part = None if data is None else {"data": data, "media_type": "text/plain", "charset": charset}
    sent = message(content={"text": text, "subject": subject}, sender=stated, raw=part)
    found = understand(sent, NOW, SKEW, "CN")
    if isinstance(found, Understood):
        assert found.record(sent).symptom
        assert found.complainant.phones or found.complainant.emails or found.handles
    else:
        assert found
        assert all(doubt.message.zh and doubt.message.en for doubt in found)


def test_the_fingerprint_is_of_what_is_said_and_not_of_how_it_is_written():
    assert fingerprint(message(occurred_at="2024-05-10T02:20:00Z", raw=None)) == fingerprint(message())
    assert fingerprint(content("另一条")) != fingerprint(message())
