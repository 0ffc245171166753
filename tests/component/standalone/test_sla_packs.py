"""`redress sla packs` on a real database: what there is, and installing one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from redress.cli import cli
from redress.told import Told
from shared.db import Database
from tests.component.sla.world import World


async def test_the_packs_are_told_with_their_sources_and_installed_by_name(
    schema_of: Callable[[str], Awaitable[Database]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = await World(await schema_of("sla")).seeded()
    monkeypatch.setenv("DATABASE_URL", world.database.url)
    monkeypatch.setenv("SLA_DATABASE_URL", world.database.url)

    async def run(*more: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["sla", "packs", *more])

    listed = await run("--data", str(tmp_path))
    assert listed.exit_code == 0
    assert "default  企业自有服务承诺 / The company's own service levels  [installed]" in listed.stdout
    assert "  cn-12315, track cn-12315, not installed" in listed.stdout
    assert "监管受理决定：第 7 个工作日下班前 / Acceptance or refusal" in listed.stdout
    assert "14, www.samr.gov.cn, from 2020-01-01, 未读原文 / not read in the original" in listed.stdout
    installed = await run("install", "cn-12315", "--data", str(tmp_path))
    assert (installed.exit_code, installed.stdout) == (0, "cn-12315: published as version 1\n")
    again = await run("install", "cn-12315", "--data", str(tmp_path))
    assert again.stdout == "cn-12315: version 1 stands already\n"
    unknown = await run("install", "de-bafin", "--data", str(tmp_path))
    assert (unknown.exit_code, isinstance(unknown.exception, Told)) == (1, True)
    assert "there are cn-12315" in str(unknown.exception)
