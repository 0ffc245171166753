"""`redress up` as its user sees it: one process that becomes ready, ends cleanly, and continues where it was."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redress.app import installed
from redress.embedded import Postgres

COMMAND = [sys.executable, "-c", "from redress.cli import app; app()", "up", "--port", "0", "--data"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
#: Seconds in which every background loop has done its first work; one that crashed begins again after half a second.
LOOPS_TURN = 3


@contextmanager
def running(data: Path) -> Generator[tuple["subprocess.Popen[str]", str]]:
    with subprocess.Popen([*COMMAND, str(data)], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            assert process.stderr is not None
            said = ""
            while not said.endswith("Ctrl-C stops it.\n"):
                line = process.stderr.readline()
                assert line, f"it ended before it was ready:\n{said}"
                said += line
            found = re.search(r"ready after [\d.]+ s: (http\S+)", said)
            assert found is not None
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=60)


def ended(process: "subprocess.Popen[str]", by: signal.Signals) -> tuple[int, str]:
    """Its status and all that it said since it was ready; at level warning that is its last line, where all is well."""
    process.send_signal(by)
    said = process.communicate(timeout=60)[1]
    return process.returncode, said.strip()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def troubles_of(report: dict[str, Any]) -> dict[str, str]:
    """The background loops that crashed since the start, and whatever is not well."""
    crashes = report["checks"]["background"]["facts"]["crashes"]
    crashed = {name: f"{times} crashes" for name, times in crashes.items() if times}
    return crashed | {name: check["detail"] for name, check in report["checks"].items() if not check["ok"]}


def test_up_serves_everything_under_one_origin_and_continues_after_an_orderly_end(tmp_path: Path) -> None:
    with running(tmp_path) as (process, url):
        ready = json.loads(get(f"{url}/readyz"))
        assert ready["status"] == "ready"
        assert tuple(ready["services"]) == installed()
        start_page = get(url).decode()
        for name in installed():
            assert f'href="{name}/docs"' in start_page
            assert json.loads(get(f"{url}/{name}/openapi.json"))["openapi"].startswith("3.")
        jwks = (tmp_path / "keys" / "jwks.json").read_text()
        time.sleep(LOOPS_TURN)
        assert {name: troubles_of(report) for name, report in json.loads(get(f"{url}/readyz"))["services"].items()} == {
            name: {} for name in installed()
        }

        second = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, check=False, env=ENVIRONMENT)
        assert second.returncode == 1
        assert f"(process {process.pid})" in second.stderr

        assert ended(process, signal.SIGINT) == (0, "Redress has stopped; its data stay.")
    assert not Postgres(tmp_path / "postgres").running()

    with running(tmp_path) as (process, url):
        assert json.loads(get(f"{url}/readyz"))["status"] == "ready"
        assert (tmp_path / "keys" / "jwks.json").read_text() == jwks
        assert ended(process, signal.SIGTERM) == (0, "Redress has stopped; its data stay.")
    assert not Postgres(tmp_path / "postgres").running()


def test_a_busy_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*COMMAND[:4], "--port", port, "--data", str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert ended.returncode == 1
    assert "redress up --port" in ended.stderr
    assert not (tmp_path / "postgres").exists()


def test_a_file_of_channels_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    channels = tmp_path / "channels.yaml"
    channels.write_text("- {channel_id: mail, kind: pigeon, account: a, title: {zh: 邮, en: mail}, owner_team: t}")
    command = [*COMMAND, str(tmp_path / "data")]
    environment = {**ENVIRONMENT, "INTAKE_CHANNELS": str(channels)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 1
    assert f"intake: {channels}: channel mail: /kind: There is no kind" in ended.stderr
    assert "Traceback" not in ended.stderr
