"""A4: by which means a message leaves the house."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_service.domain import (
    Message,
    Person,
    Preference,
    Status,
    Team,
    complainant_destination,
    mail_address,
    means_in_order,
    staff_destination,
    usable_mobile,
)
from shared.contracts.envelope import StaffContact
from shared.contracts.vocabulary import Channel, Language, Means, Purpose, Urgency
from shared.ids import new_id
from tests.support.builders import facts

NOW = datetime(2024, 5, 10, tzinfo=UTC)
EVERYTHING = Person(new_id(), phones=("+8613812341234",), emails=("wang@shop.example",), wecom_id="wangxx")


def message(urgency: Urgency = Urgency.MEDIUM, purpose: Purpose = Purpose.ACKNOWLEDGEMENT, **changes: Any) -> Message:
    of = facts(**{name: changes.pop(name) for name in ("preferred_channel", "channel", "language") if name in changes})
    given: dict[str, Any] = {
        "message_id": new_id(),
        "purpose": purpose,
        "audience": "complainant",
        "person_id": of.customer.person_id,
        "staff": None,
        "team_id": None,
        "team_role": "contact",
        "facts": of,
        "reference_id": None,
        "cycle": None,
        "channel": None,
        "params": {"urgency": urgency.value},
        "occurred_at": NOW,
        "created_at": NOW,
        "due_at": NOW,
        "status": Status.QUEUED,
    }
    if "chosen" in changes:
        given["channel"] = changes.pop("chosen")
    return Message(**(given | changes))


def means_of(sent: Message, person: Person | None = EVERYTHING, wished: Preference | None = None) -> Means:
    assert sent.facts is not None
    return complainant_destination(sent, sent.facts.customer, person, wished or Preference()).means


@pytest.mark.parametrize(
    ("urgency", "means"),
    [(Urgency.HIGH, Means.SMS), (Urgency.MEDIUM, Means.EMAIL), (Urgency.LOW, Means.IN_SYSTEM)],
)
def test_without_a_preference_the_urgency_decides(urgency: Urgency, means: Means) -> None:
    assert means_of(message(urgency)) is means


@pytest.mark.parametrize(
    ("preferred", "means"),
    [
        (Channel.HOTLINE, Means.SMS),
        (Channel.SMS, Means.SMS),
        (Channel.EMAIL, Means.EMAIL),
        (Channel.WECOM, Means.WECOM),
        (Channel.IN_APP, Means.EMAIL),
        (Channel.CHAT, Means.EMAIL),
        (Channel.WEB_FORM, Means.EMAIL),
    ],
)
@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_preferred_channel_wins_over_the_urgency(preferred: Channel, means: Means, urgency: Urgency) -> None:
    assert means_of(message(urgency, preferred_channel=preferred)) is means


def test_somebody_who_prefers_the_app_and_has_no_mail_address_gets_a_notice() -> None:
    person = Person(new_id(), phones=("+8613812341234",))
    assert means_of(message(Urgency.HIGH, preferred_channel=Channel.IN_APP), person) is Means.IN_SYSTEM


def test_without_the_fitting_address_whatever_there_is_serves() -> None:
    only_phone = Person(new_id(), phones=("+8613812341234",))
    only_wecom = Person(new_id(), wecom_id="wangxx")
    assert means_of(message(Urgency.MEDIUM), only_phone) is Means.SMS
    assert means_of(message(Urgency.HIGH), only_wecom) is Means.WECOM
    assert means_of(message(Urgency.HIGH), Person(new_id())) is Means.IN_SYSTEM
    assert means_of(message(Urgency.HIGH), None) is Means.IN_SYSTEM


def test_what_was_asked_for_here_goes_before_what_intake_knows_and_that_before_the_complaint() -> None:
    person = Person(new_id(), EVERYTHING.phones, EVERYTHING.emails, EVERYTHING.wecom_id, Channel.EMAIL, Language.EN)
    sent = message(preferred_channel=Channel.SMS)
    assert means_of(sent) is Means.SMS
    assert means_of(sent, person) is Means.EMAIL
    assert means_of(sent, person, Preference(Channel.WECOM)) is Means.WECOM
    assert sent.facts is not None
    assert complainant_destination(sent, sent.facts.customer, person, Preference()).language is Language.EN
    wished = complainant_destination(sent, sent.facts.customer, person, Preference(language=Language.ZH))
    assert wished.language is Language.ZH


def test_a_survey_goes_by_the_channel_the_complaint_came_by() -> None:
    assert means_of(message(purpose=Purpose.SURVEY, channel=Channel.HOTLINE)) is Means.SMS
    assert means_of(message(purpose=Purpose.SURVEY, channel=Channel.WECOM)) is Means.WECOM
    assert means_of(message(purpose=Purpose.SURVEY, channel=Channel.SOCIAL)) is Means.EMAIL


def test_a_result_goes_in_writing_even_where_the_urgency_is_low() -> None:
    assert means_of(message(Urgency.LOW, Purpose.RESULT)) is Means.EMAIL


def test_a_reply_goes_by_the_channel_it_was_written_on() -> None:
    sent = message(purpose=Purpose.REPLY, chosen=Channel.WECOM, preferred_channel=Channel.EMAIL)
    assert means_of(sent) is Means.WECOM


def test_a_land_line_takes_no_text_message() -> None:
    assert usable_mobile("+8613812341234")
    assert usable_mobile("+14155550123")
    assert not usable_mobile("+861088886666")
    person = Person(new_id(), phones=("+861088886666", "+8613812341234"))
    sent = message(Urgency.HIGH)
    assert sent.facts is not None
    assert complainant_destination(sent, sent.facts.customer, person, Preference()).address == "+8613812341234"


@pytest.mark.parametrize(
    "address",
    [
        "wang@shop.example\r\nBcc: all@shop.example",
        "wang@shop.example, all@shop.example",
        "<wang@shop.example>",
        "wang",
        "@shop.example",
        "wang@",
        "",
        "王女士@shop.example",
        f"wang@{'a' * 70}.example",
        "wang@shop.example\x00",
    ],
)
def test_an_address_that_is_none_or_more_than_one_is_not_used(address: str) -> None:
    assert mail_address(address) is None


def test_an_international_domain_is_written_in_its_ascii_form() -> None:
    assert mail_address("wang@例子.公司") == "wang@xn--fsqu00a.xn--55qx5d"
    assert mail_address("wang@shop.example") == "wang@shop.example"


@given(st.text(max_size=40))
def test_whatever_stands_for_an_address_is_judged_without_an_error(address: str) -> None:
    mail_address(address)
    usable_mobile(address)
    mail_address(f"{address}@shop.example")


@given(
    st.sampled_from(Purpose),
    st.sampled_from(Urgency),
    st.none() | st.sampled_from(Channel),
    st.none() | st.sampled_from(Channel),
    st.none() | st.sampled_from(Channel),
)
def test_every_order_of_means_holds_each_of_them_once(
    purpose: Purpose, urgency: Urgency, preferred: Channel | None, incoming: Channel | None, chosen: Channel | None
) -> None:
    assert sorted(means_in_order(purpose, urgency, preferred, incoming, chosen)) == sorted(Means)


def test_the_display_of_a_recipient_is_masked() -> None:
    sent = message(Urgency.HIGH)
    assert sent.facts is not None
    by_sms = complainant_destination(sent, sent.facts.customer, EVERYTHING, Preference())
    by_mail = complainant_destination(sent, sent.facts.customer, EVERYTHING, Preference(Channel.EMAIL))
    by_wecom = complainant_destination(sent, sent.facts.customer, EVERYTHING, Preference(Channel.WECOM))
    assert (by_sms.recipient, by_mail.recipient, by_wecom.recipient) == ("138****1234", "w***@shop.example", "wa***")
    abroad = Person(new_id(), phones=("+14155550123",))
    assert complainant_destination(sent, sent.facts.customer, abroad, Preference()).recipient == "+14****0123"


def test_a_colleague_is_told_by_mail_and_a_team_without_anybody_by_a_notice() -> None:
    li = StaffContact(staff_id="li", name="李工", email="li@shop.example", phone="+8613900001111")
    zhao = StaffContact(staff_id="zhao", name="赵", phone="+8613900002222")
    told = staff_destination(message(audience="staff"), li, Language.ZH)
    assert (told.means, told.address, told.recipient) == (Means.EMAIL, "li@shop.example", "李工 l***@shop.example")
    assert staff_destination(message(audience="staff"), zhao, Language.ZH).means is Means.SMS
    nobody = staff_destination(message(audience="staff", team_id="rd"), None, Language.ZH)
    assert (nobody.means, nobody.recipient_key) == (Means.IN_SYSTEM, "team:rd")
    assert staff_destination(message(audience="staff"), None, Language.ZH).recipient_key == "unassigned"


def test_a_team_is_reached_by_role_and_else_by_whoever_answers_for_it() -> None:
    contact = StaffContact(staff_id="c", name="联系人")
    manager = StaffContact(staff_id="m", name="经理")
    team = Team("rd", {"contact": contact, "manager": manager})
    assert team.who("manager") == manager
    assert team.who("department_manager") == manager
    assert team.who("executive") == contact
    assert Team("rd", {}).who("contact") is None
