"""Background loops under supervision."""

import asyncio

from structlog.testing import capture_logs

from shared.service.loops import Loops
from shared.telemetry.metrics import Metrics


async def test_a_loop_that_crashes_is_shown_and_starts_again() -> None:
    loops = Loops("sample", Metrics(), first_pause=0.05)
    runs = 0
    again = asyncio.Event()

    async def wake_due() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("no")
        again.set()
        await asyncio.Event().wait()

    with capture_logs() as logged:
        loops.start(wake_due)
        await asyncio.sleep(0.01)
        down = await loops.running()
        assert (down.ok, down.detail) == (False, "wake_due: RuntimeError: no")
        assert (await loops.supervised()).ok
        await asyncio.wait_for(again.wait(), 2)
    up = await loops.running()
    assert (up.ok, up.facts) == (True, {"crashes": {"wake_due": 1}})
    assert [entry["event"] for entry in logged] == ["background loop crashed"]
    await loops.stop()


async def test_a_loop_that_ends_by_itself_is_started_again_too() -> None:
    loops = Loops("sample", Metrics(), first_pause=0.01)
    runs = 0

    async def brief() -> None:
        nonlocal runs
        runs += 1

    with capture_logs():
        loops.start(brief)
        await asyncio.sleep(0.1)
    assert runs >= 2
    await loops.stop()


async def test_stopping_lets_a_loop_clean_up() -> None:
    loops = Loops("sample", Metrics())
    cleaned = False

    async def tidy() -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned = True

    loops.start(tidy)
    await asyncio.sleep(0.01)
    await loops.stop()
    assert cleaned
