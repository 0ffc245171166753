"""How long a warm `redress up` takes to be ready, and what the one process holds in memory (PostgreSQL not counted)."""

import asyncio
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from benchmarks.figures import SCALE, Figure
from benchmarks.job import Job
from benchmarks.stage import loaded
from redress.fleet import free_port
from shared.web.principal import Role
from shared.web.tokens import Signer

RUNS = 5 if SCALE == 1 else 2
COMPLAINTS = 200
PATIENCE = 120.0
MIB = 1024 * 1024


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="redress-bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        cold = asyncio.run(_life(folder))[0]
        seconds, ready, after = zip(*[asyncio.run(_life(folder)) for _ in range(RUNS)], strict=True)
    median = statistics.median
    return [
        Figure(
            "startup_seconds",
            median(seconds),
            "s",
            goal=5.0,
            better="lower",
            more={"worst": max(seconds), "cold": cold},
        ),
        Figure(
            "startup_rss_mib",
            median(after),
            "MiB",
            goal=500.0,
            better="lower",
            more={"when_ready": median(ready), "complaints": COMPLAINTS},
        ),
    ]


async def _life(folder: Path) -> tuple[float, float, float]:
    """Seconds from the start of the process to a 200 of `/readyz`; MiB resident then and after the complaints."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("redress")),
        "up",
        "--data",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    began = time.perf_counter()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        await _ready(process, port, folder / "log")
        seconds = time.perf_counter() - began
        memory = psutil.Process(process.pid)
        ready = memory.memory_info().rss / MIB
        await _complaints(folder, port)
        return seconds, ready, memory.memory_info().rss / MIB
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


async def _ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
    raise RuntimeError(f"redress up is not ready after {PATIENCE:.0f} s:\n{log.read_text()[-2000:]}")


async def _complaints(folder: Path, port: int) -> None:
    """Post them, and let the whole loop work on them for a moment."""
    token = Signer.in_folder(folder / "data" / "keys").token("seat-07", Role.ADAPTER, name="热线坐席 07")
    job = Job(
        port,
        token,
        str(folder / "load.json"),
        4,
        time.time_ns() // 1_000_000 % 90_000_000,
        count=COMPLAINTS,
        path="/intake",
    )
    if len((await loaded(job)).made) != COMPLAINTS:
        raise RuntimeError("not every complaint was taken")
    await asyncio.sleep(5)
