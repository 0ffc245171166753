"""Why a policy holds: which were looked at before it, what failed, what met it. Expectations are written by hand."""

from typing import Any

import pytest

from shared.contracts.vocabulary import Channel, Metric
from sla_service.clocks.conditions import Choice, Compared, PassedOver
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.domain.reasons import why_chosen
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story, clock

RULE = {"every": {"due": {"kind": "elapsed", "time": "PT5M"}}}


def version(policy_id: str, position: int, metric: str = "first_response", **when: Any) -> PolicyVersion:
    title = {"zh": f"{policy_id}承诺", "en": policy_id.upper()}
    spec = {"policy_id": policy_id, "title": title, "position": position, "calendar": "cn-office", "when": when}
    track = {"track": "agreement"} if policy_id == "ola" else {}
    return PolicyVersion.model_validate(
        {"spec": {**spec, **track, "rules": {metric: RULE}}, "version": 1, "valid_from": LONG_AGO}
    )


STANDARD_VERSION = PolicyVersion(spec=STANDARD[0], version=1, valid_from=LONG_AGO)
LOOKED_AT = Book(
    [
        STANDARD_VERSION,
        version("vip", 10, levels=["vip", "gold"]),
        version("visits", 20, metric="follow_up"),
        version("phone", 30, channels=["hotline"], levels=["standard"]),
        version("ola", 5, products=["x1"]),
    ],
    BOOK.calendars,
)
NOT_VIP = PassedOver(
    policy="vip", version=1, failed=Compared(condition="levels", asked=("vip", "gold"), has="standard")
)
NO_RULE = PassedOver(
    policy="visits", version=1, failed=Compared(condition="rules", asked=("follow_up",), has="first_response")
)
NOT_PHONE = PassedOver(
    policy="phone", version=1, failed=Compared(condition="channels", asked=("hotline",), has="email")
)


@pytest.mark.parametrize(
    ("level", "channel", "policy", "why"),
    [
        (
            "gold",
            Channel.HOTLINE,
            "vip",
            Choice(met=(Compared(condition="levels", asked=("vip", "gold"), has="gold"),)),
        ),
        (
            "standard",
            Channel.HOTLINE,
            "phone",
            Choice(
                passed_over=(NOT_VIP, NO_RULE),
                met=(
                    Compared(condition="channels", asked=("hotline",), has="hotline"),
                    Compared(condition="levels", asked=("standard",), has="standard"),
                ),
            ),
        ),
        ("standard", Channel.EMAIL, "standard", Choice(passed_over=(NOT_VIP, NO_RULE, NOT_PHONE))),
    ],
)
def test_the_why_names_the_policies_of_the_track_before_it_and_the_first_condition_that_failed(
    level: str, channel: Channel, policy: str, why: Choice
) -> None:
    story = Story(level=level, channel=channel)
    story.received()
    priced = clock(story, Metric.FIRST_RESPONSE, book=LOOKED_AT).priced
    assert (priced.policy.policy_id, priced.why) == (policy, why)


def test_the_why_is_told_in_both_languages() -> None:
    story = Story(channel=Channel.EMAIL)
    story.received()
    priced = clock(story, Metric.FIRST_RESPONSE, book=LOOKED_AT).priced
    text = why_chosen("standard", 1, priced.why, LOOKED_AT.title)
    assert text.zh == (
        "未选用《vip承诺》：客户等级为standard，要求vip或gold；未选用《visits承诺》：没有“首次响应”的规则；"
        "未选用《phone承诺》：渠道为email，要求hotline；选用《标准服务承诺》：没有条件。"
    )
    assert text.en == (
        "VIP was passed over: customer level is standard, asked vip or gold; "
        "VISITS was passed over: it has no rule for first response; "
        "PHONE was passed over: channel is email, asked hotline; "
        "Standard service levels was chosen: it asks nothing."
    )


def test_what_is_not_known_of_the_complaint_meets_no_condition() -> None:
    book = Book([STANDARD_VERSION, version("x1", 10, products=["x1"])], BOOK.calendars)
    story = Story()
    story.received()
    priced = clock(story, Metric.FIRST_RESPONSE, book=book).priced
    assert [one.failed for one in priced.why.passed_over] == [Compared(condition="products", asked=("x1",), has=None)]
    assert "product is unknown, asked x1" in why_chosen("standard", 1, priced.why, book.title).en


def test_of_a_policy_that_asks_for_several_things_all_must_be_met() -> None:
    book = Book([STANDARD_VERSION, version("both", 10, channels=["hotline"], levels=["vip"])], BOOK.calendars)
    story = Story()
    story.received()
    (passed,) = clock(story, Metric.FIRST_RESPONSE, book=book).priced.why.passed_over
    assert passed.failed == Compared(condition="levels", asked=("vip",), has="standard")
