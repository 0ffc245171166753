"""Signed reply addresses and message ids."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.replies import MAX_LOCAL, Replies, Use, token_of_address, token_of_message_id, without_token

CASE = UUID("0190d0a4-7c1c-7000-8000-000000000001")
LETTER = UUID("0190d0a4-7c1c-7000-8000-000000000002")
OURS = Replies(b"a secret of the tests")


def test_an_address_tells_its_complaint_also_in_capitals():
    address = OURS.address(Use.REPLY, "help@shop.example", CASE)
    assert address.startswith("help+c.")
    assert without_token(address) == "help@shop.example"
    for written in (address, address.upper(), f"Help <{address}>"):
        token = token_of_address(written)
        assert token is not None
        assert OURS.read(token) == (Use.REPLY, CASE)


def test_an_address_is_no_longer_than_servers_must_take():
    address = OURS.address(Use.REPLY, "x" * MAX_LOCAL + "@shop.example", CASE)
    assert len(address.partition("@")[0]) == 64


def test_a_message_id_tells_its_complaint_but_is_no_reply_address():
    token = token_of_message_id(OURS.message_id(LETTER, CASE, "shop.example"))
    assert token is not None
    assert OURS.read(token) == (Use.MAIL, CASE)
    assert OURS.read(token.replace("m.", "c.", 1)) is None
    assert OURS.read(token.replace("m.", "b.", 1)) is None


def test_another_secret_ends_a_token():
    token = token_of_address(OURS.address(Use.REPLY, "help@shop.example", CASE))
    assert token is not None
    assert Replies(b"another secret of tests").read(token) is None


@given(st.integers(2, 43), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_no_changed_token_is_ours(place, letter):
    token = token_of_address(OURS.address(Use.REPLY, "help@shop.example", CASE))
    assert token is not None
    changed = token[:place] + letter + token[place + 1 :]
    # The last letter's lowest bits stand for nothing.
    assert changed == token or OURS.read(changed) is None or (place == 43 and OURS.read(changed) == (Use.REPLY, CASE))


@given(st.text(max_size=60))
def test_nothing_else_is_a_token(text):
    assert OURS.read(text) is None
    token_of_address(text)
    token_of_message_id(text)
