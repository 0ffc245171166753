"""A real PostgreSQL for the tests: `TEST_DATABASE_URL` (an administrator's), or an embedded one started on demand."""

import asyncio
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from redress.embedded import postgres
from shared.db import Database, async_url
from shared.db.migrate import role_of


@contextmanager
def postgres_server() -> Generator[str]:
    """Yields an administrator's URL; the embedded server and its files go when the block ends."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="redress-pg-", ignore_cleanup_errors=True) as folder,
        postgres(Path(folder) / "data") as url,
    ):
        asyncio.run(_without_waiting_for_the_disk(url))
        yield url


async def _without_waiting_for_the_disk(admin_url: str) -> None:
    """The server of a test run outlives no crash of the machine, so it need not write as if it did."""
    engine = create_async_engine(async_url(admin_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text("alter system set fsync = off"))
        await connection.execute(text("select pg_reload_conf()"))
    await engine.dispose()


def url_as(admin_url: str, service: str) -> str:
    """The URL with which `service` connects: its own role, no other."""
    return make_url(admin_url).set(username=role_of(service)).render_as_string(hide_password=False)


async def empty(database: Database, metadata: MetaData) -> None:
    """Delete every row of the schema; reference data too."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    async with database.session() as session:
        await session.execute(text(f"truncate {names} restart identity cascade"))
