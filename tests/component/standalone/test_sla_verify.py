"""`redress sla verify` on a real database: 0 where every clock follows from its facts, else 1 and what differs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from redress.cli import cli
from redress.told import Told
from shared.db import Database
from tests.component.sla.world import World
from tests.unit.sla.own_case import own_case


async def test_the_command_tells_what_differs_and_what_to_do(
    schema_of: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = await World(await schema_of("sla")).seeded()
    monkeypatch.setenv("DATABASE_URL", world.database.url)
    monkeypatch.setenv("SLA_DATABASE_URL", world.database.url)
    story = own_case()
    await world.hear(*story.events)

    async def run(*more: str) -> Result:
        arguments = ["sla", "verify", "--data", str(tmp_path), *more]
        return await asyncio.to_thread(CliRunner().invoke, cli, arguments)

    clean = await run()
    assert (clean.exit_code, clean.stdout) == (0, "1 histories, 8 clocks: 0 differ\n")
    async with world.database.session() as tx:
        await tx.execute(text("update clocks set status = 'running' where metric = 'survey'"))
    differs = await run("--complaint", str(story.id))
    assert differs.exit_code == 1
    assert f"of {story.id}: status is running, the facts say fulfilled" in differs.stdout
    assert isinstance(differs.exception, Told)
    assert "find out who wrote past the service" in str(differs.exception)
    unknown = await run("--complaint", str(UUID(int=1)))
    assert (unknown.exit_code, isinstance(unknown.exception, Told)) == (1, True)
    assert "redress health" in str(unknown.exception)
