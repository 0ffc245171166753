"""One schema and one role per service: migrations agree with the tables, go down and up again, and roles keep apart."""

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from redress.app import installed
from redress.cli import cli, run_async
from redress.database import Databases
from redress.migrations import provisioned
from shared.db import Database, Migrations, async_url

RUN = CliRunner()


@pytest.fixture
def own_database(admin_url: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Generator[str]:
    """An administrator's URL of a database that is the test's alone."""
    name = f"t{abs(hash(request.node.name)) % 10**8}"
    run_async(_admin(admin_url, f"create database {name}"))
    url = make_url(admin_url).set(database=name).render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    yield url
    run_async(_admin(admin_url, f"drop database {name} with (force)"))


async def _admin(url: str, *statements: str) -> None:
    engine = create_async_engine(async_url(url), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def test_migrate_makes_every_schema_and_check_agrees(own_database: str, tmp_path: Path) -> None:
    assert RUN.invoke(cli, ["migrate", "--check", "--data", str(tmp_path)]).exit_code != 0
    first = RUN.invoke(cli, ["migrate", "--data", str(tmp_path)])
    assert first.exit_code == 0, first.output
    assert {line.partition(":")[0] for line in first.output.splitlines()} >= set(installed())
    again = RUN.invoke(cli, ["migrate", "--data", str(tmp_path)])
    assert all(": is at " in line for line in again.output.splitlines())
    checked = RUN.invoke(cli, ["migrate", "--check", "--data", str(tmp_path)])
    assert checked.exit_code == 0, checked.output


def test_check_sees_a_table_that_no_migration_made(own_database: str, tmp_path: Path) -> None:
    name = installed()[0]
    assert RUN.invoke(cli, ["migrate", name, "--data", str(tmp_path)]).exit_code == 0
    run_async(_admin(own_database, f"create table {name}.made_by_hand (id int)"))
    assert RUN.invoke(cli, ["migrate", "--check", name, "--data", str(tmp_path)]).exit_code == 1


@pytest.mark.parametrize("service", installed())
def test_the_migrations_of_a_service_go_up_down_and_up(service: str, own_database: str) -> None:
    async def there_and_back() -> None:
        found = Databases(own_database, {})
        await provisioned(found, [service])
        database = Database(found.url(service), service, pool_size=1)
        try:
            tree = Migrations(f"{service}_service", database)
            await tree.upgrade()
            await tree.downgrade()
            async with database.reading() as reading:
                left = await reading.scalars(
                    text("select tablename from pg_tables where schemaname = :schema"), {"schema": service}
                )
                assert set(left) <= {"alembic_version"}
            await tree.upgrade()
            await tree.check()
        finally:
            await database.close()

    run_async(there_and_back())


def test_the_password_of_a_role_comes_from_the_environment(
    own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHT_DATABASE_PASSWORD", "it's a 'quoted' one")
    assert RUN.invoke(cli, ["migrate", "insight", "--data", str(tmp_path)]).exit_code == 0

    async def stored() -> str | None:
        engine = create_async_engine(async_url(own_database))
        try:
            async with engine.connect() as connection:
                statement = text("select rolpassword from pg_authid where rolname = 'redress_insight'")
                password: str | None = await connection.scalar(statement)
                return password
        finally:
            await engine.dispose()

    assert (run_async(stored()) or "").startswith("SCRAM-SHA-256$")


def test_a_services_role_can_neither_read_nor_write_nor_make_anything_elsewhere(
    own_database: str, tmp_path: Path
) -> None:
    assert RUN.invoke(cli, ["migrate", "--data", str(tmp_path)]).exit_code == 0
    mine, other = installed()[:2]

    async def refused(statement: str) -> bool:
        database = Database(Databases(own_database, {}).url(mine), mine, pool_size=1)
        try:
            async with database.session() as session:
                await session.execute(text(statement))
        except ProgrammingError as error:
            return "permission denied" in str(error)
        finally:
            await database.close()
        return False

    assert run_async(refused(f"table {other}.outbox"))
    assert run_async(refused(f"truncate {other}.outbox"))
    assert run_async(refused(f"create table {other}.mine (id int)"))
    assert run_async(refused("create table public.mine (id int)"))
    assert not run_async(refused(f"table {mine}.outbox"))
