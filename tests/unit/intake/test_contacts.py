"""Contacts: one normal form, and masks that never show the whole (A6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.domain.contacts import (
    Contacts,
    NotAContact,
    display,
    mask_email,
    mask_name,
    mask_phone,
    masked,
    normal_email,
    normal_phone,
)

cn_mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
digits = st.text("0123456789", min_size=1, max_size=14)


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("13812341234", "CN", "+8613812341234"),
        ("138 1234 1234", "CN", "+8613812341234"),
        ("138-1234-1234", "CN", "+8613812341234"),
        ("+86 138 1234 1234", "CN", "+8613812341234"),
        ("008613812341234", "CN", "+8613812341234"),
        ("+8613812341234", "US", "+8613812341234"),
        ("010-62345678", "CN", "+861062345678"),
        ("(0571) 8888 8888", "CN", "+8657188888888"),
        ("+1 415 555 2671", "CN", "+14155552671"),
        ("(415) 555-2671", "US", "+14155552671"),
    ],
)
def test_a_phone_number_has_one_form_however_it_is_written(written, region, normal):
    assert normal_phone(written, region) == normal


@pytest.mark.parametrize(
    "written", ["", "12", "abc", "110", "1381234123", "138123412345678", "+999123", "١٣٨١٢٣٤١٢٣٤٥"]
)
def test_what_is_no_phone_number_is_refused(written):
    with pytest.raises(NotAContact):
        normal_phone(written, "CN")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Zhang@Example.COM", "zhang@example.com"),
        (" li.si+shop@mail.example.cn ", "li.si+shop@mail.example.cn"),
        ("用户@例子.公司", "用户@例子.公司"),
        ("a@xn--fsqu00a.com", "a@例子.com"),
    ],
)
def test_a_mail_address_has_one_form_however_it_is_written(written, normal):
    assert normal_email(written) == normal


@pytest.mark.parametrize("written", ["", "a", "a@", "@b.com", "a@b", "a@b..com", "a..b@c.com", "a@-b.com", "a b@c.com"])
def test_what_is_no_mail_address_is_refused(written):
    with pytest.raises(NotAContact):
        normal_email(written)


@given(cn_mobiles, st.sampled_from(["", "+86", "0086", "86", "+86 "]), st.sampled_from(["", " ", "-"]))
def test_separators_and_country_code_make_no_difference(mobile, code, between):
    assert normal_phone(code + between.join((mobile[:3], mobile[3:7], mobile[7:])), "CN") == f"+86{mobile}"


@given(cn_mobiles)
def test_a_normalised_phone_stays_as_it_is(mobile):
    assert normal_phone(f"+86{mobile}", "CN") == f"+86{mobile}"


@given(st.emails())
def test_a_normalised_mail_address_stays_as_it_is(address):
    try:
        normal = normal_email(address)
    except NotAContact:
        return
    assert normal_email(normal) == normal


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+8613812341234", "138****1234"),
        ("+861062345678", "106****678"),
        ("+14155552671", "+1 415****671"),
        ("+3726123456", "+372 6****56"),
        ("+29020001", "+290 ****1"),
    ],
)
def test_a_masked_phone_shows_head_and_tail(phone, shown):
    assert mask_phone(phone) == shown


@given(digits)
def test_a_mask_hides_at_least_four_digits_of_a_phone_or_all_there_are(national):
    shown = sum(sign.isdigit() for sign in mask_phone(f"+86{national}"))
    assert shown <= max(len(national) - 4, 0)
    assert "****" in mask_phone(f"+86{national}")


def test_a_masked_mail_address_shows_the_first_letter_and_the_domain():
    assert mask_email("zhang@example.com") == "z***@example.com"


@given(st.text(min_size=2, max_size=20), st.text("abcxyz.", min_size=3, max_size=20))
def test_a_masked_mail_address_never_shows_more_of_its_local_part(local, domain):
    assert mask_email(f"{local}@{domain}") == f"{local[0]}***@{domain}"


@given(st.text(min_size=1, max_size=40))
def test_a_masked_name_is_its_first_sign_and_a_star(name):
    assert mask_name(name) == f"{name[0]}*"


def test_names_are_masked_in_both_scripts():
    assert (mask_name("张三"), mask_name("欧阳锋"), mask_name("Zhang San"), mask_name("")) == ("张*", "欧*", "Z*", "")


def test_the_display_is_the_surest_thing_there_is():
    both = Contacts(("+8613812341234",), ("zhang@example.com",))
    assert display("张三", both) == "138****1234"
    assert display("张三", Contacts(emails=("zhang@example.com",))) == "z***@example.com"
    assert display("张三", Contacts()) == "张*"
    assert display("", Contacts()) == "*"


def test_masking_contacts_masks_every_one():
    whole = Contacts(("+8613812341234",), ("zhang@example.com",), "zhangsan")
    assert masked(whole) == Contacts(("138****1234",), ("z***@example.com",), "z***")
