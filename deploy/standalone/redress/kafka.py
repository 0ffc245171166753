"""A real Apache Kafka broker without containers: jars by Maven, one node on 127.0.0.1, for tests and `make demo-kafka`.

The pom and the properties are `deploy/kafka`; the jars are fetched once and kept in the user's cache.
"""

import base64
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

DEPLOY = Path(__file__).resolve().parents[2] / "kafka"
#: Kafka 4 runs on Java 17 and newer.
OLDEST_JAVA = 17
START_SECONDS = 120.0
STOP_SECONDS = 20.0


class KafkaUnavailable(RuntimeError):
    """The broker can't run on this machine; the message says what is missing and what to do."""


class KafkaFailed(RuntimeError):
    """The broker was there but did not start; the message ends with its last words."""


def java() -> str:
    """The path of a Java that can run Kafka: `JAVA_HOME`, else the first on the path."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        raise KafkaUnavailable(f"Kafka needs Java {OLDEST_JAVA} or newer and there is none. Install a JRE.")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KafkaUnavailable(
            f"Kafka needs Java {OLDEST_JAVA} or newer; {found} is older. Set JAVA_HOME to a newer one."
        )
    return found


def jars() -> Path:
    """The folder of Kafka's jars, fetched with Maven unless a former run has done it."""
    pom = DEPLOY / "pom.xml"
    if not pom.is_file():
        raise KafkaUnavailable(f"{pom} is missing: the broker is started from a checkout of Redress.")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redress"
    folder = cache / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    if (maven := shutil.which("mvn")) is None:
        raise KafkaUnavailable("Kafka's jars come by Maven and there is no mvn. Install Maven.")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        unfinished = cache / f"{folder.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}"]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        if fetched.returncode != 0 or not unfinished.is_dir():
            last = "\n".join((fetched.stdout + fetched.stderr).strip().splitlines()[-8:])
            raise KafkaUnavailable(f"Maven could not fetch Kafka's jars (is there a network?):\n{last}")
        unfinished.rename(folder)
    return folder


class Broker:
    """One broker with its data in `folder`. It can be stopped and started again on the same port with the same data."""

    def __init__(self, folder: Path, *, port: int | None = None, heap_mib: int = 512) -> None:
        self.folder = folder
        self.port = port or _free_port()
        self.heap_mib = heap_mib
        self._controller_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Return when the broker listens, usually after 3 s. Raises `KafkaUnavailable` or `KafkaFailed`."""
        if self._process is not None:
            return
        classpath = ["-cp", f"{jars()}/*:{DEPLOY}"]
        runtime = [java(), f"-Xmx{self.heap_mib}m", "-XX:TieredStopAtLevel=1", *classpath]
        properties = self._properties()
        log = (self.folder / "broker.log").open("ab")
        with log:
            if not (self.folder / "data" / "meta.properties").exists():
                cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
                # An id that begins with a hyphen reads as an option.
                command = [
                    *runtime,
                    "kafka.tools.StorageTool",
                    "format",
                    "--standalone",
                    f"--cluster-id=k{cluster[1:]}",
                ]
                formatted = subprocess.run([*command, "-c", str(properties)], stdout=log, stderr=log, check=False)
                if formatted.returncode != 0:
                    raise KafkaFailed(f"Kafka could not format {self.folder}:\n{self._last_words()}")
            # A session of its own: Ctrl-C in the terminal must not take the broker from under the services.
            command = [*runtime, "kafka.Kafka", str(properties)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            self._await_listening()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """An orderly stop; a kill where that takes longer than `STOP_SECONDS`."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ended(self, *, within_seconds: float) -> int | None:
        """The exit status of a broker that ended by itself, `None` where it is still running after the wait."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            return None

    def _properties(self) -> Path:
        filled = Template((DEPLOY / "server.properties").read_text()).substitute(
            port=self.port, controller_port=self._controller_port, folder=self.folder
        )
        path = self.folder / "server.properties"
        path.write_text(filled)
        return path

    def _await_listening(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise KafkaFailed(f"Kafka ended while starting:\n{self._last_words()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise KafkaFailed(
            f"Kafka did not listen on {self.bootstrap} within {START_SECONDS:.0f} s:\n{self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = (self.folder / "broker.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


@contextmanager
def running_broker(folder: Path | None = None) -> Generator[Broker]:
    """A broker for the length of a block; without a folder its data go with it."""
    with TemporaryDirectory(prefix="redress-kafka-", ignore_cleanup_errors=True) as temporary:
        place = folder or Path(temporary)
        place = place.absolute()
        place.mkdir(parents=True, exist_ok=True)
        broker = Broker(place)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """``make kafka``: a broker in the foreground with its data in `.redress/kafka`, until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_broker(Path(".redress/kafka")) as broker:
            print(f"Kafka listens on {broker.bootstrap}; its log is {broker.folder / 'broker.log'}. Ctrl-C stops it.")
            print(f"export KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap}", flush=True)
            while broker.ended(within_seconds=3600) is None:
                pass
            print("Kafka ended by itself; its log says why.", file=sys.stderr)
            return 1
    except (KafkaUnavailable, KafkaFailed) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
