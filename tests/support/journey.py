"""One complaint from the call to its closing, by what people do at the doors; and how it ended."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redress.demo.case import RESULT
from redress.demo.cast import COMPLAINANT, Cast, complaint
from redress.demo.stage import Stage
from redress.demo.telling import Telling
from redress.demo.world import Person, World, eventually
from shared.web.auth import Role
from tests.support.house import PATIENCE

T = TypeVar("T")


class Journey:
    """Each step waits until its door lets it in, and for nothing else: not for clocks, messages or the archive."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.cast = Cast(world)
        self.number = number
        self.id = ""

    async def receive(self) -> None:
        person = COMPLAINANT | {"phones": [f"138{self.number:08d}"], "account_id": f"shop-{self.number}", "emails": []}
        body = complaint(f"journey-{self.number}", self.world.times.now(), person)
        self.id = (await self.cast.seat.post("intake", "/v1/complaints", body))["id"]

    async def handle(self) -> None:
        case = await self.becomes("assessed")
        agent = case["assignment"][-1]["agent"]
        engineer: Person = self.world.acts(agent["staff_id"], agent["name"], Role.AGENT)
        self.cast.engineer = engineer
        path = f"/v1/cases/{self.id}"
        await engineer.post("resolution", f"{path}/moves", {"to": "in_progress", "reason": ""})
        task = await engineer.post("resolution", f"{path}/transfers", {"team_id": "rnd", "ask": "请排查加载失败的原因"})
        answer = {"answer": "索引失效,正在重建"}
        await self.cast.rnd.post("resolution", f"/v1/transfers/{task['task_id']}/answer", answer)
        due = self.world.times.now().replace(year=self.world.times.now().year + 1, day=1)
        told = {"text": "已定位原因,正在修复。", "promise": {"text": "恢复查询", "due_at": due.isoformat()}}
        progress = await engineer.post("resolution", f"{path}/progress", told)
        finding = {"method": "reproduction", "nature": "fact", "text": "重建索引后查询恢复"}
        await engineer.post("resolution", f"{path}/findings", finding)
        await engineer.post("resolution", f"/v1/promises/{progress['promise']['promise_id']}/keep", {})
        await engineer.post("resolution", f"{path}/measures", {"kind": "apology", "text": "向客户致歉"})

    async def tell_result(self) -> None:
        await self.cast.engineer.post("resolution", f"/v1/cases/{self.id}/resolution", RESULT)

    async def answer_survey(self) -> None:
        """On the phone, to the engineer, by a customer who has got the message."""

        async def got() -> bool:
            case = await self.cast.watcher.get("resolution", f"/v1/cases/{self.id}")
            return any(each["purpose"] == "survey" for each in case["messages"])

        await self.patiently(got, "the survey's message")
        page = await self.cast.engineer.get("feedback", "/v1/surveys", complaint=self.id)
        survey = page["data"][0]["survey_id"]
        given = {"answers": {"satisfaction": 5}, "reasons": [], "comment": "处理很快"}
        await self.cast.engineer.post("feedback", f"/v1/surveys/{survey}/answer", given)

    async def visit(self) -> None:
        async def planned() -> str | None:
            page = await self.cast.engineer.get("feedback", "/v1/follow-ups", complaint=self.id, open="true")
            return str(page["data"][0]["visit_id"]) if page["data"] else None

        visit = await self.patiently(planned, "the visit")
        done = {"outcome": "satisfied", "note": "客户确认恢复正常"}
        await self.cast.engineer.post("feedback", f"/v1/follow-ups/{visit}/done", done)

    async def close(self) -> None:
        await self.becomes("confirmed")
        summary = {"complaint_id": self.id, "summary": "索引失效;已修复并致歉。", "other_wishes": ""}
        await self.cast.engineer.post("feedback", "/v1/closings", summary)

    async def becomes(self, state: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            answer = await self.world.http.get(
                f"{self.world.urls['resolution']}/v1/cases/{self.id}", headers=dict(self.cast.watcher.headers)
            )
            case: dict[str, Any] = answer.json()
            return case if answer.status_code == 200 and case["state"] == state else None

        return await self.patiently(there, f"the case in state {state}")

    async def patiently(self, probe: Callable[[], Awaitable[T | None]], what: str) -> T:
        return await eventually(probe, what, PATIENCE)

    async def ending(self) -> dict[str, Any]:
        """What must not depend on who was away: dossier, clocks and archive without ids, people and times."""
        stage = Stage(self.world, Telling(), self.cast.watcher, complaint_id=self.id)
        case = await stage.case()
        parts = {part: _many(case[part], *fields) for part, fields in _PARTS.items()}
        archive = await stage.archived(complaint=self.id)
        counted = sorted(Counter(event["type"] for event in archive).items())
        return {
            **{field: case[field] for field in ("state", "cycle", "reopened", "urgency", "organisation")},
            **parts,
            "sla": _many(await stage.clocks(), "metric", "cycle", "status", "on_time"),
            "archive": {type_: times for type_, times in counted if type_ not in _AS_THEY_CAME},
            "moves": sorted({event["data"]["to_state"] for event in archive if "to_state" in event["data"]} - _MAYBE),
        }


_PARTS = {
    "classification": ("kind", "issue_type", "responsible", "by"),
    "assignment": ("team_id", "by"),
    "tasks": ("team_id", "status", "ask", "answer"),
    "promises": ("text", "status"),
    "findings": ("method", "nature", "text"),
    "measures": ("kind", "status", "text"),
    "result": ("cycle", "cause", "measures", "improvement", "compensation"),
    "messages": ("inbound", "means", "purpose", "status"),
    "survey": ("cycle", "satisfaction", "satisfied", "comment"),
    "visits": ("cycle", "outcome", "note"),
    "escalations": ("metric", "step"),
    "closing": ("cycle", "summary"),
    "clocks": ("metric", "cycle", "status", "on_time"),
}
#: These tell in what order things were heard: a case that is assessed before its acknowledgement is heard of moves once
#: less, a clock whose fulfilment is heard of late is cancelled first. What they come to is compared by itself.
_AS_THEY_CAME = {"redress.case.moved.v1", "redress.clock.cancelled.v1", "redress.clock.fulfilled.v1"}
_MAYBE = {"acknowledged"}


def _many(items: list[dict[str, Any]], *fields: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(item.get(field) for field in fields) for item in items), key=repr)
