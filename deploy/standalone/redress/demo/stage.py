"""What happens on the stage is read back from the system: events from the archive, clocks from sla-service."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from redress.demo.telling import Telling
from redress.demo.world import Person, World, eventually


@dataclass
class Stage:
    """One complaint on its way round the loop.

    `see` waits until the archive has the events that a step must bring, and prints all that came; `check` keeps what
    must hold at the end.
    """

    world: World
    telling: Telling
    watcher: Person
    complaint_id: str = ""
    subjects: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    checks: list[tuple[str, bool, str]] = field(default_factory=list)
    _told: int = 0

    async def at(self, moment: str, title: str) -> None:
        """Let time pass until `moment`."""
        await self.world.times.until(moment)
        self.telling.step(self.world.times.now(), title)

    async def see(self, *types: str, clocks: bool = True) -> None:
        """Wait for events of these types (named twice: two of them) beyond those already told, and tell them."""
        wanted = Counter(types)

        async def arrived() -> bool:
            await self._read()
            return not wanted - Counter(event["type"] for event in self.events[self._told :])

        await eventually(arrived, f"{', '.join(types)} in the archive of {self.complaint_id}")
        new, self._told = self.events[self._told :], len(self.events)
        self.telling.events(sorted(new, key=lambda event: event["occurred_at"]))
        if clocks:
            self.telling.clocks(await self.clocks(), self.world.times.now())

    async def _read(self) -> None:
        known = {event["event_id"] for event in self.events}
        found = await self.archived(complaint=self.complaint_id)
        for subject in self.subjects:
            found += await self.archived(subject=subject)
        found.sort(key=lambda event: event["seq"])
        self.events += [event for event in found if event["event_id"] not in known]

    async def archived(self, **query: str) -> list[dict[str, Any]]:
        """All events of a `complaint` or a `subject`, in the order in which they were archived."""
        found: list[dict[str, Any]] = []
        page = await self.watcher.get("insight", "/v1/archive", limit=200, **query)
        found += page["data"]
        while cursor := page["links"]["next"]:
            token = cursor.split("cursor=", 1)[1].split("&", 1)[0]
            page = await self.watcher.get("insight", "/v1/archive", limit=200, cursor=token, **query)
            found += page["data"]
        return found

    async def clocks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            await self.watcher.get("sla", "/v1/clocks", complaint=self.complaint_id, limit=200)
        )["data"]
        if self.subjects:
            actions = await self.watcher.get("sla", "/v1/clocks", metric="improvement_action", limit=200)
            found += [clock for clock in actions["data"] if clock["subject_id"] in self.subjects]
        return found

    async def clock(self, metric: str, status: str, cycle: int = 1) -> dict[str, Any]:
        """The clock of `metric`, when it has this status."""

        async def found() -> dict[str, Any] | None:
            for each in await self.clocks():
                if (each["metric"], each["cycle"], each["status"]) == (metric, cycle, status):
                    return each
            return None

        return await eventually(found, f"a {metric} clock of cycle {cycle} that is {status}")

    async def case(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.watcher.get("resolution", f"/v1/cases/{self.complaint_id}")
        return found

    async def state_becomes(self, state: str) -> dict[str, Any]:
        async def there() -> dict[str, Any] | None:
            case = await self.case()
            return case if case["state"] == state else None

        return await eventually(there, f"the case in state {state}")

    async def messages(self, purpose: str, status: str = "delivered") -> list[dict[str, Any]]:
        """Messages of this purpose, waited for."""

        async def sent() -> list[dict[str, Any]]:
            page = await self.watcher.get(
                "notify", "/v1/messages", complaint=self.complaint_id, purpose=purpose, status=status
            )
            found: list[dict[str, Any]] = page["data"]
            return found

        return await eventually(sent, f"a {status} message: {purpose}")

    def seen(self, type_: str, **data: Any) -> list[dict[str, Any]]:
        """Archived events of a type whose data has these values."""
        return [
            event
            for event in self.events
            if event["type"] == type_ and all(event["data"].get(key) == value for key, value in data.items())
        ]

    def check(self, what: str, holds: object, read: object = "") -> None:
        self.checks.append((what, bool(holds), str(read)))

    @property
    def all_seen(self) -> bool:
        return bool(self.checks) and all(holds for _, holds, _ in self.checks)


def minutes_between(first: str | datetime, second: str | datetime) -> float:
    start, end = (
        instant if isinstance(instant, datetime) else datetime.fromisoformat(instant) for instant in (first, second)
    )
    return (end - start).total_seconds() / 60
