"""Triage as a whole on a real PostgreSQL: heard events, its HTTP door, and what it would tell."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import event, text

from shared.contracts import BY_TYPE, Event
from shared.contracts.envelope import ComplaintFacts
from shared.contracts.resolution import CaseMovedV1
from shared.contracts.vocabulary import CaseState
from shared.db import Database
from shared.service import Service
from shared.web.auth import Role
from tests.support.builders import moved
from tests.support.door import signed_in
from triage_service.events import CONSUMES

AGENT = signed_in(Role.AGENT)
LEAD = signed_in(Role.LEAD, subject="he.jun", name="何军")
MANAGER = signed_in(Role.MANAGER, subject="fang.ting", name="方婷")
ADMIN = signed_in(Role.ADMIN, subject="root", name="管理员")
QUALITY = signed_in(Role.QUALITY, subject="quality", name="质检")


@dataclass
class Town:
    service: Service
    database: Database
    http: httpx.AsyncClient

    async def hear(self, *events: Event) -> None:
        """As the bus does it: one contract at a time, never two of one complaint in a list."""
        for (contract, _), group in groupby(events, lambda heard: (type(heard), getattr(heard, "revision", 0))):
            await self.hear_list(list(group), contract)

    async def hear_list(self, events: Sequence[Event], contract: type[Event] | None = None) -> None:
        async with self.database.session() as tx:
            await CONSUMES[contract or type(events[0])](events, tx, self.service.deps)

    async def told(self) -> list[Event]:
        """What stands in the outbox, in order; it is emptied."""
        async with self.database.session() as tx:
            rows = await tx.execute(text("delete from outbox returning id, type, payload"))
            return [BY_TYPE[row.type].model_validate_json(row.payload) for row in sorted(rows, key=lambda row: row.id)]

    async def rows(self, table: str, *leave_out: str) -> list[dict[str, Any]]:
        async with self.database.reading() as tx:
            found = await tx.execute(text(f"select to_jsonb(t) as row from {table} t order by 1"))  # noqa: S608
            return [{name: value for name, value in row.row.items() if name not in leave_out} for row in found]

    async def run(self, *commands: str) -> None:
        async with self.database.session() as tx:
            for command in commands:
                await tx.execute(text(command))

    async def load(self, agent_id: str) -> int:
        agents = (await self.http.get("/v1/agents", headers=AGENT)).json()["data"]
        return next(int(agent["load"]) for agent in agents if agent["agent_id"] == agent_id)

    async def get(self, path: str, headers: dict[str, str] = AGENT) -> dict[str, Any]:
        answer = await self.http.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def classification(self, complaint_id: UUID) -> dict[str, Any]:
        return await self.get(f"/v1/complaints/{complaint_id}/classification")

    async def assignment(self, complaint_id: UUID) -> dict[str, Any]:
        return await self.get(f"/v1/complaints/{complaint_id}/assignment")


def move(of: ComplaintFacts, to: CaseState, revision: int, from_state: CaseState | None = None) -> CaseMovedV1:
    return moved(of, to, revision).model_copy(update={"from_state": from_state})


def text_of(rows: Any) -> str:
    return json.dumps(rows, ensure_ascii=False)


@contextmanager
def statements(database: Database) -> Generator[list[str]]:
    """The statements that go to the database within the block."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
