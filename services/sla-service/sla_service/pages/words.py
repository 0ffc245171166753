"""What the page says, in Chinese and English."""

from typing import Any

from shared.contracts.vocabulary import Language

WORDS: dict[Language, dict[str, Any]] = {
    Language.ZH: {
        "title": "我们的服务承诺",
        "intro": "这是我们对每一位客户的时限承诺,以及上个月的兑现情况。",
        "other_language": "English",
        "urgency": "紧急度",
        "urgencies": {"high": "高", "medium": "中", "low": "低"},
        "within": "承诺时限",
        "kept": "上月按时",
        "month": "上月",
        "of": "{on_time} / {clocks} 件",
        "none": "无记录",
        "since": "自 {day} 起施行",
        "always": "现行承诺",
        "note": "按截止时刻或(提前完成时)完成时刻计入当月;迟到的也计算在内。",
    },
    Language.EN: {
        "title": "Our service promise",
        "intro": "How soon we promise to act for every customer, and how we kept to it last month.",
        "other_language": "中文",
        "urgency": "Urgency",
        "urgencies": {"high": "High", "medium": "Medium", "low": "Low"},
        "within": "We promise",
        "kept": "Kept last month",
        "month": "Last month",
        "of": "{on_time} of {clocks}",
        "none": "no cases",
        "since": "In force since {day}",
        "always": "In force",
        "note": "A case counts in the month in which it was due, or was done if sooner. Late ones are included.",
    },
}
