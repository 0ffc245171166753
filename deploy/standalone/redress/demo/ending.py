"""What is shown at the end: the dossier as resolution-service has it, the trend of the week, and what was seen."""

from typing import Any

from redress.demo.stage import Stage
from redress.demo.telling import Telling


async def show(stage: Stage, telling: Telling) -> bool:
    """Whether everything that had to be seen was seen."""
    case = await stage.case()
    telling.table(f"dossier · 案卷 {case['number']}", list(_dossier(case)))
    telling.table("timeline · 时间线", [(str(entry["occurred_at"])[:19], _line(entry)) for entry in case["timeline"]])
    trends = await stage.watcher.get("insight", "/v1/trends", period="week", by="issue_type")
    telling.table(
        "complaints per week by issue type · 每周各类投诉",
        [
            (row["period"], f"{row['value']}: {row['count']} ({row['share']:.0%}), resolved {row['resolved']}")
            for row in trends
        ],
    )
    telling.checks("what had to be seen · 核对", stage.checks)
    return stage.all_seen


def _dossier(case: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for key, value in case.items():
        if key in {"timeline", "clocks"} or value in (None, "", [], {}):
            continue
        rows.append((key, _value(value)))
    rows.extend(
        (f"clock {clock['metric']}", f"{clock['status']}, due {clock['due_at']}, on time: {clock['on_time']}")
        for clock in case.get("clocks", [])
    )
    return rows


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_value(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    return str(value)


def _line(entry: dict[str, Any]) -> str:
    return _value({key: value for key, value in entry.items() if key != "occurred_at"})[:160]
