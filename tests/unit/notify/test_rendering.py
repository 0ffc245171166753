"""G6, C6: what customers and colleagues read, and what a company's own templates may do."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notify_service.rendering import SAMPLES, Rendered, TemplateFault, TemplateParts, check, context, render, shipped
from shared.contracts.vocabulary import Language, Purpose

HOUSES = {Language.ZH: "客户服务中心", Language.EN: "Customer Care"}


def variables(purpose: Purpose, language: Language, **changes: Any) -> dict[str, Any]:
    return context(
        {**SAMPLES[purpose], **changes},
        language,
        zone=ZoneInfo("Asia/Shanghai"),
        house=HOUSES[language],
        first_response=30,
        transfer_hours=4,
    )


def written(purpose: Purpose, language: Language = Language.ZH, **changes: Any) -> Rendered:
    return render(shipped(purpose, language), variables(purpose, language, **changes))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_purpose_has_a_template_in_both_languages_that_asks_only_for_what_there_is(
    purpose: Purpose, language: Language
) -> None:
    rendered = check(shipped(purpose, language), variables(purpose, language))
    assert HOUSES[language] in rendered.text
    assert rendered.subject
    assert rendered.short
    assert rendered.html.startswith("<!doctype html>")


def test_the_acknowledgement_says_the_number_and_promises_the_first_response() -> None:
    chinese = written(Purpose.ACKNOWLEDGEMENT)
    assert chinese.subject == "您反映的问题已受理,编号 C-20240510-000001"
    assert "您于 2024年5月10日 10:20 反映的问题" in chinese.text
    assert "30 分钟内会有专人与您联系" in chinese.text
    assert chinese.short == (
        "【客户服务中心】您好,您反映的问题已受理,编号 C-20240510-000001。专人将在 30 分钟内与您联系,请保持电话畅通。"
        "给您带来不便,敬请谅解。"
    )
    english = written(Purpose.ACKNOWLEDGEMENT, Language.EN)
    assert english.subject == "We have received your complaint C-20240510-000001"
    assert "10 May 2024, 10:20 (UTC+0800)" in english.text
    assert "within 30 minutes" in english.text


def test_the_result_has_its_four_parts_by_every_means() -> None:
    result = written(Purpose.RESULT)
    for part in (result.text, result.short, result.html):
        for said in ("索引损坏", "已重建索引", "每日检查索引", "一个月高级功能"):
            assert said in part
    for heading in ("一、问题原因", "二、处理措施", "三、改进计划", "四、补偿方案"):
        assert heading in result.text


def test_the_survey_carries_its_link() -> None:
    survey = written(Purpose.SURVEY)
    assert '<a href="https://example.com/s/aBcDeF"' in survey.html
    assert "https://example.com/s/aBcDeF" in survey.short


def test_what_a_customer_wrote_is_never_markup_nor_template() -> None:
    symptom = "<script>alert(1)</script> {{ house }} {% for x in y %}"
    rendered = written(Purpose.ACKNOWLEDGEMENT, symptom=symptom)
    assert symptom in rendered.text
    assert "<script>" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    assert "{{ house }}" in rendered.html


def test_a_subject_is_one_line_whatever_stands_in_it() -> None:
    rendered = written(Purpose.ACTION_TASK, title="巡检\r\nBcc: all@shop.example\x00")
    assert rendered.subject == "【改进措施】巡检 Bcc: all@shop.example"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ nobody }}", "unknown variables nobody"),
        ("{{ number", "line 1"),
        ("{% for x in number %}{{ x }}{% endfor %}", "For is not allowed"),
        ("{{ number.__class__ }}", "Getattr is not allowed"),
        ("{{ number['x'] }}", "Getitem is not allowed"),
        ("{{ 'a' * 999999999 }}", "Mul is not allowed"),
        ("{{ 10 ** 999999999 }}", "Pow is not allowed"),
        ("{{ number ~ number }}", "Concat is not allowed"),
        ("{{ number() }}", "Call is not allowed"),
        ("{{ number|center(999999999) }}", "center"),
        ("{% include 'x' %}", "Include is not allowed"),
        ("{% set x = 1 %}", "is not allowed"),
        ("{{ number }}" * 101, "more than 100 variables"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
        ("{{ " + "9" * 5000 + " }}", "nested too deeply, or a number too long"),
        ("{{ number < 3 }}", "not supported"),
        ("{% if 1 %}" * 120 + "{% endif %}" * 120, "indentation"),
    ],
)
def test_a_template_of_ones_own_that_asks_for_too_much_is_refused_with_the_reason(source: str, why: str) -> None:
    purpose = Purpose.PROGRESS
    with pytest.raises(TemplateFault, match="(?i)" + why.replace("(", r"\(")) as fault:
        check(TemplateParts("主题", source), variables(purpose, Language.ZH))
    assert fault.value.part == "text"


def test_a_template_of_ones_own_may_use_variables_conditions_and_simple_filters() -> None:
    own = TemplateParts(
        subject="{{ number|lower }}",
        text="{% if urgency == 'medium' and not urgency == 'low' %}{{ progress|trim }}{% else %}-{% endif %}",
        html="<b>{{ progress }}</b>",
    )
    rendered = check(own, variables(Purpose.PROGRESS, Language.ZH, progress=" a<b "))
    assert (rendered.subject, rendered.text, rendered.short) == ("c-20240510-000001", "a<b\n", "a<b")
    assert "<b> a&lt;b </b>" in rendered.html
