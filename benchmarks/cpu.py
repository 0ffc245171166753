"""Where the CPU time goes: each process of the system, the broker, and PostgreSQL by the service it works for."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from redress.fleet import Fleet
from shared.db import Database


def spent(pid: int) -> float:
    """Seconds of CPU time, user and system, of a process and of its children that have ended."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


class Meter:
    """`read` before and after; the difference is what was spent between."""

    def __init__(self, fleet: Fleet, broker_pid: int, postgres_folder: Path, database: Database) -> None:
        self._pids = {name: fleet.process(name).pid for name in fleet.names}
        self._pids["kafka"] = broker_pid
        self._pids["load, watcher, mail server"] = os.getpid()
        self._postmaster = int((postgres_folder / "postmaster.pid").read_text().split()[0])
        self._database = database

    async def read(self) -> dict[str, float]:
        """Seconds by name; `postgres <service>` are the backends of that service, `postgres itself` all the rest."""
        found: dict[str, float] = defaultdict(float, {name: spent(pid) for name, pid in self._pids.items()})
        async with self._database.engine.connect() as connection:
            rows = await connection.exec_driver_sql("select pid, application_name from pg_stat_activity")
            names: dict[int, str] = {row.pid: row.application_name for row in rows}
        for child in await asyncio.to_thread(psutil.Process(self._postmaster).children):
            service = (names.get(child.pid) or "").removeprefix("redress-")
            found[f"postgres {service if service in self._pids else 'itself'}"] += spent(child.pid)
        found["postgres itself"] += spent(self._postmaster)
        return dict(found)


def per_complaint(before: Mapping[str, float], after: Mapping[str, float], complaints: int) -> dict[str, float]:
    """Milliseconds of CPU time for each complaint, the largest first."""
    found = {name: (seconds - before.get(name, 0.0)) * 1000 / complaints for name, seconds in after.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def show(profile: Mapping[str, float], console: Console) -> None:
    table = Table(title="CPU time of the leg per complaint", title_justify="left")
    table.add_column("process")
    table.add_column("ms", justify="right")
    for name, milliseconds in profile.items():
        table.add_row(name, f"{milliseconds:.2f}")
    table.add_row("together", f"{sum(profile.values()):.2f}", style="bold")
    console.print(table)
