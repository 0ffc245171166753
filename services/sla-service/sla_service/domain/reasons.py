"""Why a policy holds for a clock, in words."""

from collections.abc import Callable

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric
from sla_service.clocks.conditions import Choice, Compared
from sla_service.domain.titles import METRICS

_CONDITIONS = {
    "channels": Bilingual(zh="渠道", en="channel"),
    "levels": Bilingual(zh="客户等级", en="customer level"),
    "products": Bilingual(zh="产品", en="product"),
    "regions": Bilingual(zh="地区", en="region"),
    "organisations": Bilingual(zh="单位", en="organisation"),
    "kinds": Bilingual(zh="类别", en="kind"),
    "issue_types": Bilingual(zh="问题类型", en="issue type"),
    "urgencies": Bilingual(zh="紧急程度", en="urgency"),
    "tags": Bilingual(zh="标签", en="tag"),
}

#: The title of a version of a policy: (policy, version) -> title.
TitleOf = Callable[[str, int], Bilingual]


def why_chosen(policy: str, version: int, why: Choice, title_of: TitleOf) -> Bilingual:
    """Those that were passed over in their order, then the one that was chosen."""
    parts = [
        Bilingual(zh=f"未选用《{title.zh}》：{failed.zh}", en=f"{title.en} was passed over: {failed.en}")
        for one in why.passed_over
        for title, failed in [(title_of(one.policy, one.version), _failed(one.failed))]
    ]
    title, met = title_of(policy, version), [_met(one) for one in why.met]
    zh = "，".join(one.zh for one in met) or "没有条件"
    en = ", ".join(one.en for one in met) or "it asks nothing"
    parts.append(Bilingual(zh=f"选用《{title.zh}》：{zh}", en=f"{title.en} was chosen: {en}"))
    return Bilingual(zh="；".join(one.zh for one in parts) + "。", en="; ".join(one.en for one in parts) + ".")


def _failed(one: Compared) -> Bilingual:
    if one.condition == "rules":
        metric = METRICS[Metric(str(one.has))]
        return Bilingual(zh=f"没有“{metric.zh}”的规则", en=f"it has no rule for {metric.en.lower()}")
    name = _CONDITIONS[one.condition]
    zh_has, en_has = (one.has, one.has) if one.has else ("空", "unknown")
    return Bilingual(
        zh=f"{name.zh}为{zh_has}，要求{'或'.join(one.asked)}",
        en=f"{name.en} is {en_has}, asked {' or '.join(one.asked)}",
    )


def _met(one: Compared) -> Bilingual:
    name = _CONDITIONS[one.condition]
    return Bilingual(zh=f"{name.zh}为{one.has}", en=f"{name.en} is {one.has}")
