"""The rule classifier: the matrix's own examples, a labelled set, and what it does where the text says nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Emotion, Kind, Priority, Urgency
from triage_service import data
from triage_service.classifier import Category, Classifier, Dimension, Narrative
from triage_service.domain.taxonomy import categories, seeded

ENTRIES = seeded(data.read("taxonomy"))
CLASSIFIER = Classifier(data.read("lexicon"), data.read("rules"), categories(ENTRIES))
SENTENCES = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text())["rows"]

OWN_CASE_ZH = Narrative(
    symptom="订单管理系统查询近7天订单时加载失败",
    scene="从10:15开始",
    impact="无法核对库存，影响发货",
    demands=("2小时内修复", "赔偿延误发货损失"),
)
OWN_CASE_EN = Narrative(
    symptom="In the order management system, the query of the last seven days' orders shows a load failure",
    scene="Since 10:15",
    impact="We cannot check stock, and shipping suffers",
    demands=("Repaired within 2 hours", "Compensation for the late shipping"),
)


def of(text: str, priority: Priority | None = None) -> tuple[str, str, str, str, str]:
    verdict = CLASSIFIER.classify(Narrative(text, priority=priority))
    return verdict.kind, verdict.issue_type, verdict.urgency, verdict.responsible, verdict.emotion


@pytest.mark.parametrize("narrative", [OWN_CASE_ZH, OWN_CASE_EN], ids=["zh", "en"])
@pytest.mark.parametrize("priority", [None, *Priority])
def test_the_users_own_case_is_a_function_fault_of_medium_urgency_for_research_and_development(
    narrative: Narrative, priority: Priority | None
) -> None:
    asked = Narrative(narrative.symptom, narrative.scene, narrative.impact, narrative.demands, priority)
    verdict = CLASSIFIER.classify(asked)
    assert (verdict.kind, verdict.issue_type) == (Kind.COMPLAINT, "product.function")
    assert (verdict.urgency, verdict.responsible) == (Urgency.MEDIUM, "rnd")
    assert verdict.emotion in (Emotion.ANXIOUS, Emotion.DISSATISFIED)
    assert verdict.confidence > 0.6
    assert "function-down" in [reason.rule for reason in verdict.reasons]
    assert all(reason.text.zh and reason.text.en for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("支付失败", Urgency.HIGH),
        ("无法下单", Urgency.HIGH),
        ("payment is down", Urgency.HIGH),
        ("orders cannot be placed", Urgency.HIGH),
        ("导出失败", Urgency.MEDIUM),
        ("登录慢", Urgency.MEDIUM),
        ("the export fails", Urgency.MEDIUM),
        ("login is slow", Urgency.MEDIUM),
        ("如何使用报表", Urgency.LOW),
        ("希望能支持深色模式", Urgency.LOW),
        ("how to use the report", Urgency.LOW),
        ("I wish there were a dark mode", Urgency.LOW),
    ],
)
def test_the_examples_of_the_matrix_have_its_urgency(text: str, urgency: Urgency) -> None:
    assert CLASSIFIER.classify(Narrative(text)).urgency is urgency


def test_of_the_labelled_sentences_nine_in_ten_come_out_right_in_every_dimension() -> None:
    assert len(SENTENCES) >= 60
    right: dict[int, list[bool]] = {column: [] for column in range(5)}
    for text, *wanted in SENTENCES:
        for column, (said, label) in enumerate(zip(of(text), wanted, strict=True)):
            if label != "-":
                right[column].append(said == label)
    shares = {column: sum(hits) / len(hits) for column, hits in right.items()}
    assert min(shares.values()) >= 0.9, shares


def test_an_empty_text_is_other_and_low_with_low_confidence_and_says_so() -> None:
    verdict = CLASSIFIER.classify(Narrative(""))
    assert (verdict.issue_type, verdict.urgency) == ("other", Urgency.LOW)
    assert verdict.confidence < 0.3
    assert [reason.rule for reason in verdict.reasons] == ["no-rule"]


def test_a_tie_takes_the_safer_outcome_and_says_so() -> None:
    rules = {**data.read("rules"), "rules": [_rule("a", "price"), _rule("b", "logistics")]}
    verdict = Classifier(_lexicon(), rules, categories(ENTRIES)).classify(Narrative("alpha beta"))
    assert verdict.issue_type == "other"
    assert verdict.reasons[0].rule == "tie"


def test_a_tie_between_branches_of_one_issue_type_takes_the_issue_type() -> None:
    rules = {**data.read("rules"), "rules": [_rule("a", "product.function"), _rule("b", "product.performance")]}
    verdict = Classifier(_lexicon(), rules, categories(ENTRIES)).classify(Narrative("alpha beta"))
    assert verdict.issue_type == "product"


def _lexicon() -> dict[str, Any]:
    lexicon = data.read("lexicon")
    return {**lexicon, "concepts": {"a": {"zh": [], "en": ["alpha"]}, "b": {"zh": [], "en": ["beta"]}}}


def _rule(concept: str, issue: str) -> dict[str, Any]:
    return {"id": concept, "all": [concept], "weights": {f"issue.{issue}": 1.0}, "zh": "甲", "en": "A"}


@pytest.mark.parametrize(
    "text", ["没有报错", "并未出现任何故障", "There is no error", "it is not broken", "I am not angry", "不着急"]
)
def test_what_is_denied_does_not_count(text: str) -> None:
    assert of(text) == ("complaint", "other", "low", "support", "calm")


def test_a_failure_that_is_told_by_a_negation_counts() -> None:
    assert of("不能登录")[1:4] == ("product.function", "medium", "rnd")
    assert of("系统不停报错")[1:4] == ("product.function", "medium", "rnd")
    assert of("No one replied to my ticket")[1] == "service.slow"


def test_strong_emotion_raises_the_urgency_one_step_and_says_so() -> None:
    calm, angry = Narrative("导出失败"), Narrative("导出失败，忍无可忍")
    assert CLASSIFIER.classify(calm).urgency is Urgency.MEDIUM
    raised = CLASSIFIER.classify(angry)
    assert (raised.urgency, raised.emotion) == (Urgency.HIGH, Emotion.ANGRY)
    assert raised.reasons[0].rule == "raised-by-emotion"


def test_the_priority_given_at_receipt_decides_where_the_text_says_nothing_and_does_not_where_it_does() -> None:
    assert CLASSIFIER.classify(Narrative("", priority=Priority.URGENT)).urgency is Urgency.HIGH
    assert CLASSIFIER.classify(Narrative("", priority=Priority.IMPORTANT)).urgency is Urgency.MEDIUM
    assert CLASSIFIER.classify(Narrative("支付失败", priority=Priority.GENERAL)).urgency is Urgency.HIGH
    assert CLASSIFIER.classify(Narrative("如何使用报表", priority=Priority.URGENT)).urgency is Urgency.LOW


def test_a_keyword_of_the_companys_own_issue_type_speaks_for_it() -> None:
    own = Category(
        Dimension.ISSUE,
        "billing_system",
        Bilingual(zh="开票系统", en="Invoicing"),
        "finance",
        ("开票抬头", "invoice title"),
    )
    classifier = Classifier(data.read("lexicon"), data.read("rules"), [*categories(ENTRIES), own])
    for text in ("开票抬头不对", "the invoice title is another company's"):
        verdict = classifier.classify(Narrative(text))
        assert (verdict.issue_type, verdict.responsible) == ("billing_system", "finance")
        assert verdict.reasons[0].rule == "keyword:issue.billing_system"


def test_weight_for_an_issue_type_that_is_switched_off_goes_to_its_parent() -> None:
    without = [entry for entry in categories(ENTRIES) if entry.code != "product.function"]
    verdict = Classifier(data.read("lexicon"), data.read("rules"), without).classify(OWN_CASE_ZH)
    assert verdict.issue_type == "product"


def test_words_count_only_as_whole_words() -> None:
    assert of("The download page shows the slowest lap times in sport")[1] == "other"
    assert of("downtown")[1] == "other"


@given(st.text(max_size=400), st.lists(st.text(max_size=60), max_size=3), st.sampled_from([None, *Priority]))
def test_any_text_gets_a_verdict_with_a_reason(symptom: str, demands: list[str], priority: Priority | None) -> None:
    verdict = CLASSIFIER.classify(Narrative(symptom, demands=tuple(demands), priority=priority))
    assert 0 < verdict.confidence <= 1
    assert verdict.reasons
    assert {verdict.issue_type, verdict.responsible} <= {entry.code for entry in ENTRIES}


def test_every_rule_weighs_for_a_category_that_exists_and_has_both_languages() -> None:
    known = {f"{entry.dimension}.{entry.code}" for entry in ENTRIES}
    for rule in data.read("rules")["rules"]:
        assert set(rule["weights"]) <= known, rule["id"]
        assert 1 <= len(rule["all"]) <= 2, rule["id"]
        assert rule["zh"]
        assert rule["en"]
