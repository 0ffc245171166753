"""Standard Webhooks: who signed it, with which of the secrets, and when."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from intake_service.channels import ChannelFault
from intake_service.channels.signed import Forged, Stale
from intake_service.channels.webhook import Signature, keys_of
from tests.support.signing import KEY, SECRET, signed

AT = 1_715_307_660
NOW = datetime.fromtimestamp(AT, UTC)
MINUTES = timedelta(minutes=5)
BODY = b'{"text": "\xe6\x85\xa2"}'


def check(headers, body=BODY, keys=(KEY,), now=NOW):
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    Signature(*(headers[name] for name in names)).check(body, keys, now, MINUTES)


def test_the_example_of_the_reference_library_is_good():
    keys = keys_of({"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
    given = Signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    given.check(b'{"test": 2432232314}', keys, datetime.fromtimestamp(1614265330, UTC), MINUTES)


def test_a_signature_is_good_for_five_minutes_either_way():
    for near in (timedelta(), MINUTES, -MINUTES):
        check(signed(BODY, AT), now=NOW + near)
    for far in (timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1), timedelta(days=1)):
        with pytest.raises(Stale):
            check(signed(BODY, AT), now=NOW + far)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,ÿÿÿ"},
        {"webhook-signature": "v2,AAAA"},
    ],
)
def test_a_forged_signature_is_refused(changed):
    with pytest.raises(Forged):
        check({**signed(BODY, AT), **changed})


def test_another_body_or_key_is_refused():
    for body, keys in ((BODY + b" ", (KEY,)), (BODY, (b"another key of 24 bytes..",)), (BODY, ())):
        with pytest.raises(Forged):
            check(signed(BODY, AT), body, keys)


def test_while_a_secret_is_changed_both_are_good_and_either_signature_is_enough():
    old, new = KEY, b"the next twenty-four one"
    keys = keys_of({"signing_secret": f"whsec_{base64.b64encode(new).decode()}", "previous_secret": SECRET})
    assert keys == [new, old]
    for key in keys:
        check(signed(BODY, AT, key), keys=keys)
    both = signed(BODY, AT, b"of somebody else's, long") | {}
    both["webhook-signature"] += " " + signed(BODY, AT, new)["webhook-signature"]
    check(both, keys=[new])


def test_a_plain_secret_is_taken_as_it_stands():
    assert keys_of({"signing_secret": "密钥 of sixteen bytes"}) == ["密钥 of sixteen bytes".encode()]


@pytest.mark.parametrize("secret", ["short", "whsec_!!!!", "whsec_", "whsec_c2hvcnQ="])
def test_a_secret_that_anybody_might_guess_is_no_key(secret):
    with pytest.raises(ChannelFault, match="signing_secret") as found:
        keys_of({"signing_secret": secret})
    assert "c2hvcnQ" not in str(found.value)
