"""The world of the play: where the services are, who acts, and how time passes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import httpx

from shared.clock import SimulatedClock, SystemClock
from shared.web.auth import Role
from shared.web.tokens import Signer

T = TypeVar("T")
#: How long (real seconds) an effect may take until the play gives up on it.
PATIENCE = 60.0
PAUSE = 0.05


class NotSeen(Exception):
    """Something that should have happened was not seen in time."""


class Timetable(Protocol):
    """When the moments of the play are."""

    def now(self) -> datetime: ...

    def when(self, moment: str) -> datetime: ...

    async def until(self, moment: str) -> None: ...


@dataclass(frozen=True)
class SimulatedTimes:
    """The instants of the script, reached by moving a clock that all services share."""

    clock: SimulatedClock
    moments: Mapping[str, datetime]

    def now(self) -> datetime:
        return self.clock.now()

    def when(self, moment: str) -> datetime:
        return self.moments[moment]

    async def until(self, moment: str) -> None:
        await self.clock.advance_to(self.when(moment))


@dataclass
class RealTimes:
    """The same moments, some seconds apart. They count from when the play begins, and wait for a play that is late."""

    seconds: Mapping[str, float]
    clock: SystemClock = field(default_factory=SystemClock)
    start: datetime | None = None

    def now(self) -> datetime:
        return self.clock.now()

    def when(self, moment: str) -> datetime:
        self.start = self.start or self.now()
        return self.start + timedelta(seconds=self.seconds[moment])

    async def until(self, moment: str) -> None:
        late = (self.now() - self.when(moment)).total_seconds()
        if late > 0:
            assert self.start is not None
            self.start += timedelta(seconds=late)
        else:
            await asyncio.sleep(-late)


@dataclass(frozen=True)
class World:
    http: httpx.AsyncClient
    urls: Mapping[str, str]
    signer: Signer
    times: Timetable

    def acts(self, subject: str, name: str, *roles: Role) -> "Person":
        token = self.signer.token(subject, *roles, name=name, seconds=24 * 3600)
        return Person(self, {"Authorization": f"Bearer {token}"}, {"staff_id": subject, "name": name})


@dataclass(frozen=True)
class Person:
    """Somebody signed in. Calls raise `UnexpectedAnswer` unless the answer is a success or what is expected."""

    world: World
    headers: Mapping[str, str]
    contact: Mapping[str, str]

    async def get(self, service: str, path: str, **query: Any) -> Any:
        return await self._call("GET", service, path, params={k: str(v) for k, v in query.items()})

    async def post(self, service: str, path: str, body: Any) -> Any:
        return await self._call("POST", service, path, json=body)

    async def put(self, service: str, path: str, body: Any) -> Any:
        return await self._call("PUT", service, path, json=body)

    async def refused(self, service: str, path: str, body: Any) -> dict[str, Any]:
        """The problem with which a POST is refused."""
        answer = await self.world.http.post(self.world.urls[service] + path, json=body, headers=dict(self.headers))
        if answer.status_code < 400 or answer.status_code >= 500:
            raise UnexpectedAnswer(answer)
        problem: dict[str, Any] = answer.json()
        return problem

    async def _call(self, method: str, service: str, path: str, **given: Any) -> Any:
        url = self.world.urls[service] + path
        answer = await self.world.http.request(method, url, headers=dict(self.headers), **given)
        if not answer.is_success:
            raise UnexpectedAnswer(answer)
        return answer.json()


class UnexpectedAnswer(Exception):
    def __init__(self, answer: httpx.Response) -> None:
        request = answer.request
        super().__init__(f"{request.method} {request.url} answered {answer.status_code}: {answer.text[:600]}")


async def eventually(probe: Callable[[], Awaitable[T | None]], what: str, patience: float = PATIENCE) -> T:
    """The first thing that `probe` finds; raises `NotSeen` with `what` was waited for."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        found = await probe()
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise NotSeen(f"not seen within {patience:.0f} s: {what}")
        await asyncio.sleep(PAUSE)


def parse(instant: str) -> datetime:
    return datetime.fromisoformat(instant)
