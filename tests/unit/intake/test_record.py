"""Numbers, instants, what is missing, and what is read back."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from intake_service.domain.complaint import day_of, number_of, times
from intake_service.domain.record import COMPLAINT_EXAMPLE, NewComplaint, StatedChannel
from intake_service.domain.template import QUESTIONS, TEMPLATES, missing, read_back
from shared.contracts.vocabulary import Channel, Kind, Language

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 5, 10, 2, 21, tzinfo=UTC)
SKEW = timedelta(minutes=2)


def record(**changes):
    return NewComplaint(channel=StatedChannel(channel=Channel.CHAT), symptom="慢", **changes)


def test_the_day_of_a_number_is_that_of_shanghai():
    assert day_of(datetime(2024, 5, 9, 15, 59, 59, tzinfo=UTC), SHANGHAI) == "20240509"
    assert day_of(datetime(2024, 5, 9, 16, 0, tzinfo=UTC), SHANGHAI) == "20240510"
    assert number_of("20240510", 1) == "C-20240510-000001"
    assert number_of("20240510", 1_234_567) == "C-20240510-1234567"


def test_the_instant_of_the_trouble_is_kept_to_the_minute():
    when, faults = times(record(happened_at=datetime(2024, 5, 10, 2, 15, 42, 7, UTC)), NOW, SKEW)
    assert when.happened_at == datetime(2024, 5, 10, 2, 15, tzinfo=UTC)
    assert faults == []


def test_clocks_may_be_a_little_ahead_and_no_more():
    assert times(record(received_at=NOW + SKEW), NOW, SKEW)[1] == []
    late = times(record(received_at=NOW + SKEW + timedelta(seconds=1)), NOW, SKEW)[1]
    assert [fault.pointer for fault in late] == ["/received_at"]


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_of_trouble_is_never_after_now(instant):
    _, faults = times(record(happened_at=instant), NOW, SKEW)
    assert bool(faults) == (instant > NOW + SKEW)


def test_the_whole_example_lacks_nothing():
    assert missing(NewComplaint.model_validate_json(json.dumps(COMPLAINT_EXAMPLE))) == ()


def test_every_kind_has_a_template_and_every_question_both_languages():
    assert set(TEMPLATES) == set(Kind)
    assert all(question.zh and question.en for question in QUESTIONS.values())


def test_what_was_written_in_lines_and_sentences_is_read_back_as_one_sentence():
    assert read_back(Language.ZH, symptom="等了四十分钟。", scene="微博 Weibo:\n小城吃货", demands=["退款。"]) == (
        "在“微博 Weibo: 小城吃货”时，您遇到：等了四十分钟。您希望：退款。我理解得对吗？"
    )


def test_what_was_understood_is_read_back_in_the_complainants_language():
    happened = datetime(2024, 5, 10, 10, 15, tzinfo=SHANGHAI)
    assert read_back(
        Language.ZH, symptom="加载失败", happened_at=happened, impact="发货受影响", demands=["修复", "赔偿"]
    ) == ("2024-05-10 10:15 起，您遇到：加载失败；影响：发货受影响。您希望：修复；赔偿。我理解得对吗？")
    assert read_back(Language.EN, symptom="Orders do not load", demands=["a repair"]) == (
        "Orders do not load. You wish: a repair. Did I understand you rightly?"
    )
