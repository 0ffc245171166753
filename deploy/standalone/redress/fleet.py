"""Seven separate processes on one database and one Kafka, as a deployment has them: for `make demo-kafka` and for the
tests that stop, kill and start single services."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from redress.database import Databases
from shared.contracts import SERVICES

READY_SECONDS = 60.0
STOP_SECONDS = 30.0


class NotReady(RuntimeError):
    """A service did not become ready; the message ends with its last words."""


@dataclass
class Fleet:
    """Processes by service name. `environment` is for all of them, `special` for single ones."""

    folder: Path
    databases: Databases
    bootstrap: str
    jwks: str
    environment: Mapping[str, str] = field(default_factory=dict)
    special: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Sequence[str] = SERVICES
    ports: dict[str, int] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            self.ports.setdefault(name, free_port())

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}

    def start(self, name: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start one service; `extra` is added to its environment this time. Does not wait."""
        given = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "AUTH_JWKS": self.jwks,
            "LOG_LEVEL": "warning",
            f"{name.upper()}_DATABASE_URL": self.databases.url(name),
            f"{name.upper()}_PORT": str(self.ports[name]),
            f"{name.upper()}_PUBLIC_BASE_URL": self.urls[name],
            **self.environment,
            **self.special.get(name, {}),
            **extra,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"{name}_service"], env=given, stdout=log, stderr=log, start_new_session=True
            )
        self._running[name] = process
        return process

    async def start_all(self) -> None:
        for name in self.names:
            self.start(name)
        await asyncio.gather(*(self.ready(name) for name in self.names))

    async def ready(self, name: str) -> None:
        """Wait until the service says that all it depends on is there. Raises `NotReady`."""
        deadline = time.monotonic() + READY_SECONDS
        async with httpx.AsyncClient(base_url=self.urls[name], timeout=5) as http:
            answer = ""
            while time.monotonic() < deadline:
                if (ended := self._running[name].poll()) is not None:
                    raise NotReady(f"{name} ended with {ended}:\n{self.last_words(name)}")
                try:
                    told = await http.get("/readyz")
                except httpx.TransportError as error:
                    answer = repr(error)
                else:
                    if told.status_code == 200:
                        return
                    answer = told.text
                await asyncio.sleep(0.1)
        raise NotReady(f"{name} is not ready after {READY_SECONDS:.0f} s ({answer}):\n{self.last_words(name)}")

    def process(self, name: str) -> subprocess.Popen[bytes]:
        return self._running[name]

    def running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def stop(self, name: str) -> None:
        """An orderly end; a kill where that takes longer than `STOP_SECONDS`."""
        process = self._running.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """SIGKILL."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for name in list(self._running):
            self.stop(name)

    def last_words(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-20:]) if path.exists() else "it said nothing"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
