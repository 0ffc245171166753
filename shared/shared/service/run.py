"""`python -m intake_service`: settings from the environment, uvicorn on uvloop and httptools, an orderly end.

With `WORKERS` > 1 a parent holds one listening socket per worker (SO_REUSEPORT: the kernel spreads the connections) and
keeps as many processes alive; a connection that comes while a worker starts again waits in its socket.
"""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import structlog
import uvicorn
import uvloop
from pydantic import ValidationError

from shared.bus import Bus
from shared.clock import Clock, SystemClock
from shared.contracts import SERVICES
from shared.service.build import CannotStart, Service
from shared.telemetry.logs import configure_logging
from shared.web.settings import SHARED_NAMES, ServiceSettings

log = structlog.get_logger()

S = TypeVar("S", bound=ServiceSettings)
Build = Callable[[S, Clock, Bus], Service]

#: Set for a worker by its parent: the file descriptor of its listening socket.
LISTEN_FD = "REDRESS_LISTEN_FD"
#: And the parent itself, by process id.
PARENT = "REDRESS_PARENT"
#: Requests that are under way get this many seconds to end.
GRACE = 20
#: Bytes of one WebSocket message; a longer one ends its socket (1009).
WS_MAX_BYTES = 128 * 1024
WORKER_PAUSE = 1.0


def main(build: Build[S], settings_type: type[S]) -> None:
    """Run one service until SIGTERM or SIGINT. Ends the process with 2 for bad settings, 1 where it cannot start."""
    settings = read_settings(settings_type)
    configure_logging(settings.log_level, settings.log_format)
    fd = os.environ.get(LISTEN_FD)
    if fd is None and settings.workers > 1:
        sys.exit(_supervise(_package(), settings))
    listening = socket.socket(fileno=int(fd)) if fd else listen(settings.host, settings.port)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(build, settings, listening))
    except CannotStart as error:
        sys.exit(str(error))


def read_settings(settings_type: type[S]) -> S:
    """The settings. What is missing or wrong goes to standard error, and ends the process with 2."""
    try:
        return settings_type()
    except ValidationError as error:
        prefix = settings_type.model_config.get("env_prefix", "")
        for item in error.errors(include_url=False, include_input=False):
            field = str(item["loc"][0])
            names = [f"{prefix}{field}".upper(), SHARED_NAMES.get(field, "")]
            sys.stderr.write(f"{' or '.join(filter(None, names))}: {item['msg']}\n")
        sys.exit(2)


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; `shared` with others on the same port. Raises `SystemExit` where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, reuse_port=shared)
    except OSError as error:
        sys.exit(f"Cannot listen on {host}:{port}: {error.strerror}. Stop what listens there, or set another PORT.")


def open_bus(settings: ServiceSettings) -> Bus:
    """Kafka where there are bootstrap servers, else the local bus, on which a process hears itself alone."""
    if settings.kafka_bootstrap_servers:
        from shared.bus.kafka import KafkaBus, KafkaSettings

        kafka = KafkaSettings(settings.kafka_bootstrap_servers, session_seconds=settings.kafka_session_seconds)
        return KafkaBus(kafka)
    from shared.bus.local import LocalBus

    return LocalBus(SERVICES)


class Server(uvicorn.Server):
    """uvicorn would raise a signal again before the service had stopped; here the process ends in order."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def server_for(app: Callable[..., object]) -> Server:
    """The server of an application whose life is not tied to the ASGI lifespan."""
    return Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="shared.service.sockets:Sockets",
            ws_max_size=WS_MAX_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            timeout_graceful_shutdown=GRACE,
        )
    )


def spare_the_collector() -> None:
    """What stands after the start stays: modules, contracts, routes. The garbage collector need not look through them
    again and again while batches of events come and go."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _serve(build: Build[S], settings: S, listening: socket.socket) -> None:
    bus = open_bus(settings)
    try:
        service = build(settings, SystemClock(), bus)
        await service.start()
        spare_the_collector()
        try:
            host, port = listening.getsockname()[:2]
            log.info("listening", service=service.name, url=f"http://{host}:{port}")
            server = server_for(service.app)
            watch = asyncio.create_task(_end_with_parent(server)) if LISTEN_FD in os.environ else None
            await server.serve([listening])
            if watch is not None:
                watch.cancel()
        finally:
            await service.stop()
    finally:
        await bus.close()


def _package() -> str:
    """What was run with ``python -m``."""
    spec = sys.modules["__main__"].__spec__
    if spec is None or not spec.parent:
        sys.exit("More than one worker needs `python -m <package>`.")
    return spec.parent


async def _end_with_parent(server: Server) -> None:
    """A worker whose parent was killed would go on unseen, on a socket that nobody else can have."""
    while os.getppid() == int(os.environ[PARENT]):  # noqa: ASYNC110 (nobody sets an event when a parent is killed)
        await asyncio.sleep(WORKER_PAUSE)
    log.error("the parent has gone; this worker ends")
    server.should_exit = True


def _supervise(module: str, settings: ServiceSettings) -> int:
    """Keep `settings.workers` processes of `module` alive until a signal; 0 when all of them ended in order."""
    first = listen(settings.host, settings.port, shared=True)
    port = first.getsockname()[1]
    sockets = [first, *(listen(settings.host, port, shared=True) for _ in range(settings.workers - 1))]
    workers = [_spawn(module, each) for each in sockets]
    stopping = False

    def stop(number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("workers started", module=module, workers=len(workers), port=port)
    while not stopping:
        time.sleep(WORKER_PAUSE)
        for index, worker in enumerate(workers):
            if worker.poll() is not None and not stopping:
                log.error("worker ended", module=module, code=worker.returncode)
                if worker.returncode == 1:
                    stop(signal.SIGTERM, None)  # it said why it cannot start; the others cannot either
                else:
                    workers[index] = _spawn(module, sockets[index])
    codes = [worker.wait() for worker in workers]
    # One that had not begun yet ends by the signal itself: it had nothing to put in order.
    return max((abs(code) for code in codes if code != -signal.SIGTERM), default=0)


def _spawn(module: str, listening: socket.socket) -> "subprocess.Popen[bytes]":
    fd = listening.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env={**os.environ, LISTEN_FD: str(fd), PARENT: str(os.getpid())},
        pass_fds=(fd,),
        start_new_session=True,
    )
