"""Which cases are alike (B4)."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from insight_service.domain.similarity import MAX_TERMS, Candidate, rank, terms_of


def _case(number: int, text: str, issue: str | None = None) -> Candidate:
    return Candidate(UUID(int=number), frozenset(terms_of(text)), issue, None)


def test_chinese_is_compared_by_pairs_of_characters_and_english_by_words():
    assert terms_of("订单加载失败") == ["订单", "单加", "加载", "载失", "失败"]
    assert terms_of("The order-list of 7 days") == ["order-list", "7", "days"]


def test_the_case_with_the_same_trouble_comes_first_whatever_its_wording():
    one = _case(1, "订单管理系统查询近7天订单时加载失败")
    others = [
        _case(2, "快递员态度很差,包裹晚到三天"),
        _case(3, "查询订单列表加载失败,打不开"),
        _case(4, "近7天订单无法加载,系统报错"),
        _case(5, "想咨询会员积分怎么兑换"),
    ]
    found = [match.complaint_id.int for match in rank(one, others, at_least=0.15, limit=10)]
    assert sorted(found) == [3, 4]


def test_the_same_issue_type_decides_between_equal_texts():
    one = _case(1, "export fails with an error in the report", "product.function")
    others = [_case(2, "export fails every day", "price"), _case(3, "export fails every week", "product.function")]
    first, second = rank(one, others, at_least=0.1, limit=2)
    assert (first.complaint_id.int, second.complaint_id.int) == (3, 2)
    assert (first.same_issue_type, second.same_issue_type) == (True, False)


def test_what_shares_nothing_is_not_similar_even_with_the_same_issue_type():
    assert rank(_case(1, "苹果", "x"), [_case(2, "香蕉", "x")], at_least=0.1, limit=5) == []


@given(st.text(max_size=3000))
def test_any_text_gives_bounded_terms_once_each(text):
    terms = terms_of(text)
    assert len(terms) <= MAX_TERMS
    assert len(set(terms)) == len(terms)
    assert all(term and " " not in term for term in terms)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_scores_lie_between_zero_and_one_and_fall(texts):
    cases = [_case(number + 2, text) for number, text in enumerate(texts)]
    matches = rank(_case(1, "订单 failed 失败 order"), cases, at_least=0.0, limit=50)
    scores = [match.score for match in matches]
    assert all(0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)
