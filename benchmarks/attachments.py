"""What intake holds in memory while 20 files of 30 MiB stream in at once: flat, a small part of them (a tenth)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import httpx
import psutil

from benchmarks.doors import intake
from benchmarks.figures import SCALE, Figure
from benchmarks.stage import Stage, stage
from redress.demo.kafka import prepare

FILES = 20
MIB = 2**20
SIZE = max(1, round(30 * SCALE)) * MIB
#: A tenth of what streams in.
GOAL_MIB = 60.0
BLOCK = 64 * 1024
#: Files that come one after the other before, so that what every process needs once is there.
BEFORE = 3


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(_run(place))


async def _run(place: Stage) -> list[Figure]:
    await prepare(place.databases)
    fleet = intake(place, 1)
    try:
        await fleet.start_all()
        process = psutil.Process(fleet.process("intake").pid)
        headers = {"Authorization": f"Bearer {place.token}", "Content-Type": "application/octet-stream"}
        limits = httpx.Limits(max_connections=FILES)
        async with httpx.AsyncClient(
            base_url=fleet.urls["intake"], headers=headers, timeout=600, limits=limits
        ) as http:
            for _ in range(BEFORE):
                await _upload(http)
            before = process.memory_info().rss
            began = time.perf_counter()
            uploads = asyncio.gather(*[_upload(http) for _ in range(FILES)])
            peak = await _peak(process, uploads)
            seconds = time.perf_counter() - began
    finally:
        await asyncio.to_thread(fleet.stop_all)
    return [
        Figure(
            "attachments_rss_growth_mib",
            (peak - before) / MIB,
            "MiB",
            goal=GOAL_MIB,
            better="lower",
            more={
                "files": FILES,
                "file_mib": SIZE / MIB,
                "before_mib": before / MIB,
                "mib_per_second": FILES * SIZE / MIB / seconds,
            },
        )
    ]


async def _peak(process: psutil.Process, uploads: "asyncio.Future[list[None]]") -> int:
    """The most that was resident until they ended, as looks every 10 ms find it. Raises what an upload raised."""
    peak = 0
    while not uploads.done():
        peak = max(peak, process.memory_info().rss)
        await asyncio.sleep(0.01)
    await uploads
    return peak


async def _upload(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/attachments", content=_file())
    if answer.status_code != 201:
        raise RuntimeError(f"The service answered {answer.status_code}: {answer.text[:400]}")


async def _file() -> AsyncIterator[bytes]:
    """No two are alike: the same content would be kept once."""
    block = os.urandom(BLOCK)
    for place in range(SIZE // BLOCK):
        yield place.to_bytes(8) + block[8:]
