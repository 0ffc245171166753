"""The floor: what this PostgreSQL on this disk does with one complaint row and one outbox row per transaction, by
pgbench with 32 clients and prepared statements, with the server's own configuration (fsync on)."""

import json
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import make_url

from benchmarks.complaints import SERIAL, records
from benchmarks.figures import SCALE
from redress.embedded import program_path
from shared.db import Database

CLIENTS = 32
SECONDS = max(2, round(8 * SCALE))

_TABLES = (
    "create schema if not exists floor",
    (
        "create table if not exists floor.complaints (id uuid primary key default gen_random_uuid(), "
        "received_at timestamptz not null default now(), channel text not null, record jsonb not null)"
    ),
    (
        "create table if not exists floor.outbox (id bigserial primary key, topic text not null, key text not null, "
        "payload bytea not null)"
    ),
    "truncate floor.complaints, floor.outbox",
)


async def floor(admin_url: str) -> float:
    """Transactions per second."""
    database = Database(admin_url, "floor")
    try:
        for statement in _TABLES:
            async with database.engine.begin() as connection:
                await connection.exec_driver_sql(statement)
        found = _pgbench(admin_url)
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql("drop schema floor cascade")
    finally:
        await database.close()
    return found


def _pgbench(admin_url: str) -> float:
    record = json.dumps(records()[0], ensure_ascii=False).replace(SERIAL, "12345678")
    # A colon would begin one of pgbench's variables.
    literal = record.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    script = (
        "begin;\n"
        f"insert into floor.complaints (channel, record) values ('hotline', E'{literal}');\n"
        "insert into floor.outbox (topic, key, payload) values ('redress.intake', cast(gen_random_uuid() as text), "
        f"convert_to(E'{literal}', 'UTF8'));\n"
        "commit;\n"
    )
    url = make_url(admin_url)
    with TemporaryDirectory(prefix="redress-floor-") as folder:
        file = Path(folder) / "floor.sql"
        file.write_text(script)
        where = ["-h", str(url.query["host"]), "-U", url.username or "postgres", url.database or "postgres"]
        how = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-f", str(file)]
        told = subprocess.run([program_path("pgbench"), *how, *where], capture_output=True, text=True, check=False)
    tps = re.search(r"tps = ([0-9.]+) \(without", told.stdout)
    if told.returncode != 0 or tps is None:
        raise RuntimeError(f"pgbench did not work:\n{told.stdout}\n{told.stderr}")
    return float(tps[1])
