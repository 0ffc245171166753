"""What is shown at the end: the dossier as resolution-service has it, the trend of the week, and what was seen."""

from collections.abc import Iterator
from typing import Any

from redress.demo.stage import Stage
from redress.demo.telling import Telling, local

#: A line of each part of the dossier says these fields.
PARTS: dict[str, tuple[str, ...]] = {
    "classification": ("kind", "issue_type", "responsible", "emotion", "confidence", "by"),
    "assignment": ("team_name", "agent", "by"),
    "tasks": ("team_name", "status", "ask", "answer"),
    "promises": ("text", "due_at", "status", "ended_at"),
    "findings": ("method", "nature", "text"),
    "measures": ("kind", "status", "text"),
    "result": ("cycle", "cause", "measures", "improvement", "compensation"),
    "messages": ("inbound", "means", "purpose", "status", "at"),
    "survey": ("cycle", "satisfaction", "satisfied", "reasons", "comment"),
    "visits": ("cycle", "due_at", "done_at", "outcome", "note"),
    "escalations": ("metric", "step", "role", "recipient", "at"),
    "closing": ("cycle", "summary", "other_wishes"),
    "actions": ("title", "owner", "due_at", "done_at"),
}


async def show(stage: Stage, telling: Telling) -> bool:
    """Whether everything that had to be seen was seen."""
    case = await stage.case()
    telling.table(f"dossier 案卷 {case['number']}", list(_dossier(case)))
    telling.table(
        "timeline 时间线",
        [
            (local(entry["occurred_at"]), f"{entry['label']['zh']} · {_person(entry['actor'])}")
            for entry in case["timeline"]
        ],
    )
    trends = await stage.watcher.get("insight", "/v1/trends", period="week", by="issue_type")
    telling.table(
        "complaints per week by issue type 每周各类投诉",
        [
            (row["period"], f"{row['value']}: {row['count']} ({row['share']:.0%}), resolved {row['resolved']}")
            for row in trends
        ],
    )
    telling.checks("what had to be seen 核对", stage.checks)
    return stage.all_seen


def _dossier(case: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        "state 状态",
        f"{case['state_label']['zh']} ({case['state']}), cycle {case['cycle']}, reopened {case['reopened']}",
    )
    yield "customer 客户", f"{case['customer']['display']} · {case['organisation']}"
    yield "received 受理", f"{local(case['received_at'])} · {case['channel']} · {case['urgency']}"
    record = case["record"]
    yield "record 记录", f"{record['symptom']} · {record['scene']} · {record['impact']}"
    yield "demands 诉求", " · ".join(demand["text"] for demand in record["demands"])
    for part, fields in PARTS.items():
        for item in case[part]:
            yield part, " · ".join(_said(item[field]) for field in fields if item[field] not in (None, "", []))
    for clock in case["clocks"]:
        kept = {True: "on time", False: "late", None: "open"}[clock["on_time"]]
        yield f"clock {clock['metric']}", f"{clock['status']} · due {local(clock['due_at'])} · {kept}"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("zh") or value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    return local(text) if len(text) >= 19 and text[10:11] == "T" else text


def _person(actor: dict[str, Any]) -> str:
    return "客户 complainant" if actor["kind"] == "complainant" else str(actor["name"] or actor["id"])
