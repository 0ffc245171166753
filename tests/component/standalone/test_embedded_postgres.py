"""The embedded server keeps its data, is durable, outlives whoever started it, and serves one at a time."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from redress.embedded import Busy, DatabaseUnavailable, Postgres, held, postgres
from shared.db import async_url


async def ask(url: str, *statements: str) -> object:
    engine = create_async_engine(async_url(url))
    try:
        async with engine.begin() as connection:
            for statement in statements:
                answer = await connection.execute(text(statement))
            return answer.scalar() if answer.returns_rows else None
    finally:
        await engine.dispose()


async def test_a_second_start_finds_what_the_first_one_left(tmp_path: Path) -> None:
    with postgres(tmp_path / "data") as url:
        await ask(url, "create table kept (word text)", "insert into kept values ('durable')")
        assert await ask(url, "show fsync") == "on"
        assert await ask(url, "show listen_addresses") == ""
    with postgres(tmp_path / "data") as url:
        assert await ask(url, "select word from kept") == "durable"
    assert not Postgres(tmp_path / "data").running()


def test_a_server_whose_starter_was_killed_is_taken_over_and_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    script = (
        "import sys, time; from pathlib import Path; from redress.embedded import Postgres\n"
        "Postgres(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        starter.send_signal(signal.SIGKILL)
    assert Postgres(folder).running()
    with postgres(folder) as url:
        assert url == Postgres(folder).url
    assert not Postgres(folder).running()


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with postgres(folder):
        left_behind = (folder / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (folder / "postmaster.pid").write_text("\n".join([str(stranger.pid), *left_behind[1:]]) + "\n")
        with postgres(folder):
            assert Postgres(folder).running()
        assert stranger.poll() is None
        stranger.kill()


async def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    with postgres(tmp_path / ("a-long-name-" * 8) / "data") as url:
        assert await ask(url, "select 1") == 1


def test_a_folder_is_held_by_one_process_and_the_other_is_told_which(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(Busy, match="already runs on"), held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_a_folder_of_another_major_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with postgres(tmp_path / "data"):
        pass
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 9"):
        Postgres(tmp_path / "data").start()
