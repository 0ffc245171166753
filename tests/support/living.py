"""The whole system in this process with one life behind it, for tests that knock at every door.

    with living(folder) as system:
        answer = system.send("intake", "GET", "/v1/complaints", headers=system.as_(Role.ADMIN))

The services live on the loop of a thread of their own, on PostgreSQL and the local bus, so that tests which are not
coroutines (hypothesis, schemathesis) can call them. Time stands still after the life.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from rich.console import Console

from intake_service.domain.channels import CHANNEL_EXAMPLE
from redress.app import Standalone, standalone
from redress.database import Databases
from redress.demo import case
from redress.demo.cast import SCRIPT
from redress.demo.telling import Telling
from redress.demo.world import SimulatedTimes, World, eventually
from redress.embedded import postgres
from shared.clock import SimulatedClock
from shared.contracts import SERVICES
from shared.db import provision
from shared.telemetry.logs import configure_logging
from shared.web.auth import Role
from shared.web.body import is_json
from sla_service.api.whatif import SHADOW_EXAMPLE
from tests.support.signing import SECRET, signed, written

T = TypeVar("T")
BASE = "http://redress.test"
#: Seconds until an answer that does not come fails the test.
PATIENCE = 300.0
#: How many values of one name are kept.
KEPT = 40
#: What a path, a query or a body calls things, beside the names under which answers tell them.
ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "complaint": ("complaint_id", "number"),
    "complaint_ids": ("complaint_id",),
    "complainant_id": ("person_id",),
    "person_id": ("complainant_id",),
    "agent": ("agent_id",),
    "staff_id": ("agent_id",),
    "team": ("team_id",),
    "subject": ("subject_id",),
}

#: A message that nobody can understand, so that there is a receipt.
UNREADABLE = {
    "source": {"channel": "chat", "account": "shop", "message_id": "m-1"},
    "sender": {},
    "content": {},
    "occurred_at": "2024-05-10T10:20:00+08:00",
}
#: The channel of a telephone system, so that there is a call.
HOTLINE = {
    "kind": "cti",
    "account": "4008001234",
    "title": {"zh": "热线", "en": "Hotline"},
    "owner_team": "support",
    "secrets": {"signing_secret": "env:INTAKE_SECRET_LIVING"},
}
#: What is uploaded, so that there is something to download.
FILES = (b"a small file of text", b"")


@dataclass
class Living:
    """The running system. `known` are real values by the names that answers give them: ids, numbers, codes."""

    system: Standalone
    _run: Callable[[Coroutine[Any, Any, Any]], Any]
    _clients: Mapping[str, httpx.AsyncClient]
    known: dict[str, list[str]] = field(default_factory=dict)

    def document(self, service: str) -> dict[str, Any]:
        document: dict[str, Any] = self.system.services[service].app.openapi()
        return document

    def as_(self, *roles: Role, subject: str = "he.jun") -> dict[str, str]:
        token = self.system.signer.token(subject, *roles, name="何军", seconds=24 * 3600)
        return {"Authorization": f"Bearer {token}"}

    def send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | httpx.Headers | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        answer: httpx.Response = self._run(
            self._clients[service].request(method, path, headers=headers, content=content)
        )
        return answer

    def real(self, name: str) -> list[str]:
        """Values that exist, for whatever is called `name`; none where nothing of the kind is known."""
        return [value for each in (name, *ALSO_CALLED.get(name, ())) for value in self.known.get(each, ())]


@contextmanager
def living(folder: Path) -> Generator[Living]:
    """The system after a closed case with its review, and a second case that is being handled."""
    configure_logging("error", "console")
    with postgres(folder / "postgres") as url, _loop() as run:
        stopped: asyncio.Event = run(_made(asyncio.Event))
        ready: asyncio.Future[Living] = run(_made(lambda: asyncio.get_running_loop().create_future()))

        async def live() -> None:
            try:
                await _live(folder, Databases(url, {}), run, ready, stopped)
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        life = run(_made(lambda: asyncio.create_task(live())))
        try:
            yield run(_done(ready))
        finally:
            run(_made(stopped.set))
            run(_done(life))


async def _made(make: Callable[[], T]) -> T:
    return make()


async def _done(awaited: Awaitable[T]) -> T:
    return await awaited


@contextmanager
def _loop() -> Generator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """A running loop in a thread of its own; what is given comes back with the coroutine's result."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="services")
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _chat(door: httpx.AsyncClient, headers: Mapping[str, str]) -> str:
    """A chat that waits for an agent."""
    body = {**CHANNEL_EXAMPLE, "kind": "chat", "channel": "chat", "account": "site"}
    (await door.put("/v1/channels/site", headers=headers, json=body)).raise_for_status()
    opened = (await door.post("/v1/channels/site/chats", json={})).raise_for_status().json()
    told = {"X-Chat-Token": opened["token"]}
    path = f"/v1/chats/{opened['chat_id']}/messages"
    (await door.post(path, headers=told, json={"message_id": "1", "text": "订单无法查询"})).raise_for_status()
    return str(opened["chat_id"])


async def _live(
    folder: Path,
    databases: Databases,
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    ready: "asyncio.Future[Living]",
    stopped: asyncio.Event,
) -> None:
    await provision(databases.admin_url, SERVICES)
    clock = SimulatedClock(min(SCRIPT.values()))
    # Thousands of requests by one principal are the point here.
    unlimited = {name: {"rate_limit_per_second": 1e6, "rate_limit_burst": 10**9} for name in SERVICES}
    async with standalone(folder, clock, databases=databases, base_url=BASE, settings=unlimited) as system:
        urls = {name: f"{BASE}/{name}" for name in system.services}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(system.app), timeout=PATIENCE) as http:
            world = World(http, urls, system.signer, SimulatedTimes(clock, SCRIPT))
            await case.play(world, Telling(Console(quiet=True)))
            await _being_handled(world)
        doors = {
            name: httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url=BASE)
            for name, service in system.services.items()
        }
        found = Living(system, run, doors)
        await _look_around(found, doors, clock.now())
        ready.set_result(found)
        await stopped.wait()
        for client in doors.values():
            await client.aclose()


async def _being_handled(world: World) -> None:
    """One of the earlier complaints, in the midst: a task, a promise, measures, none of them done."""
    manager = world.acts("watcher", "观察员", Role.MANAGER)

    async def open_case() -> Any:
        cases = (await manager.get("resolution", "/v1/cases", limit=50))["data"]
        return next((each for each in cases if each["state"] == "assessed"), None)

    found = await eventually(open_case, "a case that is assessed and not closed")
    path = f"/v1/cases/{found['id']}"
    await manager.post("resolution", f"{path}/moves", {"to": "in_progress", "reason": ""})
    await manager.post("resolution", f"{path}/transfers", {"team_id": "rnd", "ask": "请排查原因"})
    promise = {"text": "后天前恢复", "due_at": "2024-05-20T12:00:00+08:00"}
    await manager.post("resolution", f"{path}/progress", {"text": "正在修复", "promise": promise})
    for kind, text in (("repair", "重建索引"), ("compensation", "赠送一个月高级功能")):
        await manager.post("resolution", f"{path}/measures", {"kind": kind, "text": text})
    stage = {"authority": "cn-12315", "stage": "received"}
    await manager.post("resolution", f"{path}/regulator-stages", stage)
    admin = world.acts("root", "管理员", Role.ADMIN)
    await admin.post("intake", "/v1/adapter-keys", {"name": "热线", "channel": "hotline", "account": "4008001234"})


async def _look_around(found: Living, doors: Mapping[str, httpx.AsyncClient], now: datetime) -> None:
    """Read every list, then everything that these tell of, and keep what is called by a name."""
    headers = found.as_(Role.ADMIN)
    for deep in (False, True):
        for service, client in doors.items():
            for path, item in found.document(service)["paths"].items():
                if "get" not in item or not path.startswith("/v1/") or ("{" in path) is not deep:
                    continue
                for values in _paths(found, path):
                    answer = await client.get(values, headers=headers)
                    if answer.is_success and is_json(answer.headers.get("content-type")):
                        _keep(found.known, answer.json())
    keys = await doors["intake"].get("/v1/adapter-keys", headers=headers)
    found.known["key_id"] = [key["id"] for key in keys.json()["data"]]
    receipt = await doors["intake"].post("/v1/messages", headers=headers, json=UNREADABLE)
    found.known["receipt_id"] = [receipt.json()["id"]]
    channel = await doors["intake"].put("/v1/channels/weibo-shop", headers=headers, json=CHANNEL_EXAMPLE)
    found.known["channel_id"] = [channel.json()["channel_id"]]
    found.known["chat_id"] = [await _chat(doors["intake"], headers)]
    os.environ["INTAKE_SECRET_LIVING"] = SECRET
    await doors["intake"].put("/v1/channels/pbx", headers=headers, json=HOTLINE)
    event = written({"event": "started", "call_id": "call-1", "at": now.isoformat()})
    call = await doors["intake"].post("/v1/channels/pbx/calls", headers=signed(event, now.timestamp()), content=event)
    found.known["call"] = [call.json()["id"]]
    shadow = await doors["sla"].post("/v1/shadows", headers=headers, json=SHADOW_EXAMPLE)
    found.known["shadow_id"] = [shadow.json()["shadow_id"]]
    files = [await doors["intake"].post("/v1/attachments", headers=headers, content=each) for each in FILES]
    found.known["attachment_id"] = [file.json()["id"] for file in files]
    link = await doors["intake"].post(f"/v1/attachments/{files[0].json()['id']}/links", headers=headers)
    found.known["token"] = [*found.known.get("token", ()), link.json()["url"].rpartition("/")[2]]


def _paths(found: Living, path: str) -> list[str]:
    name, _, after = path.partition("{")[2].partition("}")
    if not name:
        return [path]
    before = path.partition("{")[0]
    return [f"{before}{value}{after}" for value in found.real(name)[:5] if "{" not in after]


def _keep(known: dict[str, list[str]], told: Any) -> None:
    if isinstance(told, list):
        for each in told:
            _keep(known, each)
    elif isinstance(told, dict):
        for name, value in told.items():
            if isinstance(value, str) and value:
                values = known.setdefault(name, [])
                if value not in values and len(values) < KEPT:
                    values.append(value)
            else:
                _keep(known, value)
