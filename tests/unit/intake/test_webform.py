"""The public form: from what was typed to the record, its links and its languages."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake_service.domain.template import TEMPLATES, missing
from intake_service.domain.webform import (
    Fault,
    House,
    Incomplete,
    complaint_of_token,
    fields_of,
    record_of,
    token_of,
)
from intake_service.pages import WORDS, language_of
from shared.contracts.vocabulary import CaseState, Channel, Kind, Language, Priority

HOUSE = House(
    zone=ZoneInfo("Asia/Shanghai"), region="CN", now=datetime(2024, 5, 10, 2, 21, tzinfo=UTC), skew=timedelta(minutes=2)
)
FORM_ID = UUID("018f6f2e-3d4a-7c11-9a57-000000000001")
TYPED = {
    "symptom": "查询订单时提示加载失败\r\n重试也不行",
    "name": "王女士",
    "contact": "138 1234 1234",
    "organisation": "某网店",
    "happened_at": "2024-05-10T10:15",
    "scene": "订单管理系统",
    "impact": "发货受到影响",
    "demands": "两小时内修复",
    "product": "order-management",
    "priority": "important",
}


def record(kind=Kind.COMPLAINT, form_id=FORM_ID, **changes):
    typed = {name: text for name, text in {**TYPED, **changes}.items() if text is not None}
    return record_of(kind, typed, form_id, Language.ZH, HOUSE)


def faults(**changes):
    with pytest.raises(Incomplete) as refused:
        record(**changes)
    return refused.value.faults


def test_what_was_typed_becomes_the_standard_record():
    made = record()
    assert (made.channel.channel, made.channel.account) == (Channel.WEB_FORM, "form")
    assert made.symptom == "查询订单时提示加载失败\n重试也不行"
    assert made.happened_at == datetime(2024, 5, 10, 2, 15, tzinfo=UTC)
    assert made.complainant.phones == ("138 1234 1234",)
    assert (made.complainant.emails, made.complainant.account_id) == ((), None)
    assert [demand.text for demand in made.demands] == ["两小时内修复"]
    assert made.priority is Priority.IMPORTANT
    assert missing(made) == ()


@pytest.mark.parametrize("kind", Kind)
def test_the_form_of_a_kind_asks_for_what_its_template_wants_and_files_apart_for_all_of_it(kind):
    asked = [field.pointer for field in fields_of(kind)]
    wanted = [each.pointer for each in TEMPLATES[kind] if each.pointer != "/attachments"]
    assert asked == ["/symptom", *wanted]
    typed = {field.name: TYPED[field.name] for field in fields_of(kind)}
    assert set(missing(record_of(kind, typed, FORM_ID, Language.EN, HOUSE))) <= {"/attachments"}


def test_everything_that_is_wrong_is_told_at_once():
    assert faults(
        symptom=" \r\n ",
        name="a\x00b",
        contact="123",
        happened_at="2024-05-11T10:15",
        demands="长" * 2001,
        product="two\nlines",
    ) == {
        "symptom": Fault.REQUIRED,
        "name": Fault.CHARACTERS,
        "contact": Fault.CONTACT,
        "happened_at": Fault.FUTURE,
        "demands": Fault.TOO_LONG,
        "product": Fault.CHARACTERS,
    }


@pytest.mark.parametrize(
    "moment", ["yesterday", "2024-05-10", "2024-13-01T10:00", "10:15", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_a_time_that_is_none_or_none_of_our_days_is_refused(moment):
    assert faults(happened_at=moment) == {"happened_at": Fault.MOMENT}


def test_a_time_may_have_its_own_offset():
    assert record(happened_at="2024-05-10 02:15+00:00").happened_at == datetime(2024, 5, 10, 2, 15, tzinfo=UTC)


def test_a_contact_is_wanted_unless_the_visitor_says_that_there_is_none():
    assert faults(contact="") == {"contact": Fault.CONTACT_REQUIRED}
    assert missing(record(contact="", anonymous="yes")) == ("/complainant/phones",)
    assert record(contact="wang@example.com").complainant.emails == ("wang@example.com",)


def test_a_text_may_be_as_long_as_the_browser_counts_it():
    text = ("x" * 99 + "\r\n") * 99 + "x" * 100
    assert len(record(symptom=text).symptom) == 10_000


def test_the_same_form_with_the_same_text_is_one_delivery_and_any_change_is_another():
    first = record().channel.message_id
    assert record().channel.message_id == first
    other = UUID("018f6f2e-3d4a-7c11-9a57-000000000002")
    changed = {record(form_id=other).channel.message_id, record(impact="更严重了").channel.message_id}
    assert len({first, *changed}) == 3


def test_who_fills_the_unseen_field_is_received_in_the_junk_folder_and_gets_no_urgency():
    made = record(website="https://spam.example", priority="urgent")
    assert (made.channel.account, made.priority) == ("form-suspected-spam", Priority.GENERAL)
    assert made.symptom == record().symptom


def test_an_urgency_that_is_none_or_of_a_kind_without_one_is_general():
    assert record(priority="super").priority is Priority.GENERAL
    assert record(kind=Kind.SUGGESTION, priority="urgent").priority is Priority.GENERAL


@given(st.dictionaries(st.sampled_from([*TYPED, "anonymous", "website"]), st.text(max_size=300)), st.sampled_from(Kind))
def test_whatever_is_typed_there_is_a_record_or_a_fault_of_a_field(typed, kind):
    wrong = None
    try:
        record_of(kind, typed, FORM_ID, Language.ZH, HOUSE)
    except Incomplete as refused:
        wrong = refused.faults
    assert wrong is None or (wrong and set(wrong) <= {field.name for field in fields_of(kind)})


@given(st.uuids(), st.text(min_size=1))
def test_a_token_opens_its_own_complaint_under_its_own_secret_alone(complaint_id, other):
    token = token_of(complaint_id, "a secret of the tests")
    assert complaint_of_token(token, "a secret of the tests") == complaint_id
    assert complaint_of_token(token, "another secret") is None
    assert complaint_of_token(other, "a secret of the tests") is None


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("en", "zh-CN", Language.EN),
        (None, "en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        (None, "fr, zh-TW;q=0.5, en;q=0.4", Language.ZH),
        (None, "en;q=0, fr", Language.ZH),
        ("fr", "en;q=x", Language.ZH),
        (None, "", Language.ZH),
    ],
)
def test_an_explicit_language_wins_over_the_browsers(asked, accepted, language):
    assert language_of(asked, accepted) is language


@pytest.mark.parametrize("language", Language)
def test_there_are_words_for_every_kind_state_fault_and_priority(language):
    words = WORDS[language]
    assert set(words) == set(WORDS[Language.ZH])
    for name, needed in (("kinds", Kind), ("states", CaseState), ("faults", Fault), ("priorities", Priority)):
        assert set(words[name]) == set(needed)
