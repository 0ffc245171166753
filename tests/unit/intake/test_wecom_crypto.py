"""WeCom's callbacks: whose they are, and what is in them."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.channels.signed import Forged, Stale
from intake_service.channels.wecom.crypto import Crypto, Hint, Malformed, Signed, aes_key, encrypted_of, hint_of
from tests.support.wecom import ACCOUNT, CALLBACK_TOKEN, CORP_ID, ENCODING_AES_KEY, callback, callback_query, encrypted

AT = 1_715_307_660
MINUTES = timedelta(minutes=5)
CRYPTO = Crypto(CALLBACK_TOKEN, aes_key(ENCODING_AES_KEY), CORP_ID)


def signed(query):
    return Signed(query["msg_signature"], query["timestamp"], query["nonce"])


def test_the_example_of_the_documentation_is_opened():
    """The known answer that WeCom's own sample code ships with."""
    crypto = Crypto("QDG6eK", aes_key("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"), "wx5823bf96d3bd56c7")
    cipher = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    given_by = Signed("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780")
    assert crypto.open(cipher, given_by) == b"1616140317555161061"


def test_a_callback_says_what_to_pull():
    query, body = callback(AT, "ENC-token")
    message = CRYPTO.open(encrypted_of(body.encode()), signed(query))
    assert hint_of(message) == Hint("kf_msg_or_event", "ENC-token", ACCOUNT)


@given(st.binary(max_size=300))
def test_what_the_platform_encrypts_is_opened(message):
    cipher = encrypted(message)
    assert CRYPTO.open(cipher, signed(callback_query(cipher, AT))) == message


@pytest.mark.parametrize(
    "changed",
    [{"timestamp": str(AT + 1)}, {"nonce": "1"}, {"signature": "0" * 40}, {"signature": ""}, {"signature": "签\ud800"}],
)
def test_a_forged_signature_opens_nothing(changed):
    cipher = encrypted(b"hello")
    query = signed(callback_query(cipher, AT))
    with pytest.raises(Forged):
        CRYPTO.open(
            cipher,
            Signed(**{"signature": query.signature, "timestamp": query.timestamp, "nonce": query.nonce, **changed}),
        )


def test_another_token_another_key_and_another_receiver_open_nothing():
    own, strange_key = encrypted(b"hello"), encrypted(b"hello", key="A" * 43)
    strange_company = encrypted(b"hello", receiver="ww-another")
    for cipher, token in ((own, "another"), (strange_key, CALLBACK_TOKEN), (strange_company, CALLBACK_TOKEN)):
        with pytest.raises(Forged):
            CRYPTO.open(cipher, signed(callback_query(cipher, AT, token=token)))


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda data: b64encode(data).decode())))
def test_whatever_is_signed_is_opened_or_refused(cipher):
    """Even one who knows the token and not the key gets nothing but a refusal."""
    query = callback_query(cipher.encode("utf-8", "replace").decode(), AT)
    with pytest.raises(Forged):
        CRYPTO.open(cipher, signed(query))


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_callback_older_than_five_minutes_is_refused(seconds, fresh):
    now = datetime.fromtimestamp(AT + seconds, UTC)
    query = Signed("", str(AT), "")
    if fresh:
        query.check_age(now, MINUTES)
    else:
        with pytest.raises(Stale):
            query.check_age(now, MINUTES)


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "99999999999999999999", "١٢٣", "\x00"])
def test_a_time_that_is_none_is_no_fresh_one(timestamp):
    with pytest.raises(Stale):
        Signed("", timestamp, "").check_age(datetime.fromtimestamp(AT, UTC), MINUTES)


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "!" * 43, "键" * 43])
def test_a_key_that_is_none_is_told(key):
    with pytest.raises(Malformed, match="EncodingAESKey"):
        aes_key(key)


BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'
BY_DTD = '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><xml><Encrypt>x</Encrypt></xml>'


@pytest.mark.parametrize(
    "body",
    [BILLION, OUTSIDE, BY_DTD, "", "{}", "<xml>", "<xml/>", '<?xml version="1.0" encoding="nonsense"?><xml/>', "\x00"],
)
def test_a_body_that_is_not_as_documented_is_refused(body):
    with pytest.raises(Malformed):
        encrypted_of(body.encode())


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body):
    for reader in (encrypted_of, hint_of):
        try:
            reader(body)
        except Malformed:
            continue
