"""`redress up`: the real system with the real clock, until Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop

from redress.app import installed, standalone
from redress.database import Databases, own_databases
from redress.migrations import provisioned
from redress.told import Told, told
from shared.clock import SystemClock
from shared.service.run import listen, server_for
from shared.telemetry.logs import configure_logging


def run(data: Path, host: str, port: int, smtp_port: int) -> None:
    """Blocks. Returns after an orderly end; raises `Told` where it cannot start."""
    started = psutil.Process().create_time()
    level, form = os.environ.get("LOG_LEVEL", "warning"), os.environ.get("LOG_FORMAT", "console")
    if level not in ("debug", "info", "warning", "error") or form not in ("json", "console"):
        raise Told("LOG_LEVEL is one of debug, info, warning, error; LOG_FORMAT is json or console.")
    configure_logging(cast(Any, level), cast(Any, form))
    # Taken before anything is started: a busy port is told at once.
    listening = _listen(host, port)
    data = data.absolute()
    with (
        told(),
        _terminated_like_interrupted(),
        own_databases(data) as databases,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        contextlib.suppress(KeyboardInterrupt),
    ):
        runner.run(_serve(data, databases, listening, smtp_port, started))
    sys.stderr.write("Redress has stopped; its data stay.\n")


async def _serve(data: Path, databases: Databases, listening: socket.socket, smtp_port: int, started: float) -> None:
    await provisioned(databases, installed())
    host, port = listening.getsockname()[:2]
    base_url = os.environ.get("PUBLIC_BASE_URL") or f"http://{host}:{port}"
    async with standalone(
        data, SystemClock(), databases=databases, base_url=base_url.rstrip("/"), smtp_port=smtp_port
    ) as system:
        sys.stderr.write(
            f"Redress is ready after {time.time() - started:.1f} s: {base_url}\n"
            f"  services  {', '.join(system.services)}\n"
            f"  data      {data}\n"
            f"  mails     {base_url}/mail (SMTP on 127.0.0.1:{system.smtp_port})\n"
            f"  a token   redress token --as 王小明 --role agent\n"
            "Ctrl-C stops it.\n"
        )
        await server_for(system.app).serve([listening])
        # From here on it stops; a second signal must not tear that.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: None)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except SystemExit:
        raise Told(
            f"Cannot listen on {host}:{port}: something else does, or it is no address of this machine. "
            "Is Redress running already? `redress health` tells. Otherwise: `redress up --port 8090`."
        ) from None
    except OSError as trouble:
        raise Told(f"Cannot listen on {host}:{port}: {trouble}.") from trouble


@contextmanager
def _terminated_like_interrupted() -> Generator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that PostgreSQL stops too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
