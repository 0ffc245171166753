"""How many complaints intake takes per second: `POST /v1/complaints`, durable before the answer (`doors`)."""

import asyncio

from benchmarks.doors import compared
from benchmarks.figures import Figure
from benchmarks.stage import stage

CONNECTIONS = (1, 16, 64)


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(compared(place, "accept_c{}", CONNECTIONS, 0.30, "complaints"))
