"""The real clamd (Debian's clamav-daemon) with one signature of ours, for the EICAR test file."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

#: The file that every scanner takes for a virus and that is none (https://www.eicar.org), in two halves so that none
#: takes this one for it.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test"
#: Bytes of a stream that it takes at most.
LONGEST = 2 * 2**20


@dataclass(frozen=True)
class Scanner:
    tcp: str
    unix: str


@contextmanager
def running_clamd() -> Generator[Scanner]:
    """Skips, or fails with REDRESS_REQUIRE_CLAMD=1, where clamd is not installed."""
    program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        told = "clamd is not installed (apt-get install clamav-daemon)"
        if os.environ.get("REDRESS_REQUIRE_CLAMD") == "1":
            pytest.fail(told, pytrace=False)
        pytest.skip(told)
    with tempfile.TemporaryDirectory(prefix="redress-clamd-") as name, socket.socket() as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (folder / "local.hdb").write_text(SIGNATURE + "\n")
        (folder / "clamd.conf").write_text(
            f"Foreground yes\nDatabaseDirectory {folder}\nLocalSocket {folder}/socket\nTCPSocket {port}\n"
            f"TCPAddr 127.0.0.1\nTemporaryDirectory {folder}\nStreamMaxLength {LONGEST}\n"
        )
        with subprocess.Popen(
            [program, "--config-file", str(folder / "clamd.conf")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as server:
            try:
                _wait_for(port, server)
                yield Scanner(f"tcp://127.0.0.1:{port}", f"unix://{folder}/socket")
            finally:
                server.terminate()
                server.communicate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"clamd ended: {server.communicate()[0].decode(errors='replace')}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("clamd did not open its port in 30 s")
