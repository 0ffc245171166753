"""How many messages of adapters intake takes per second: `POST /v1/messages`, durable before the answer; each makes a
complaint (`doors`)."""

import asyncio

from benchmarks.doors import compared
from benchmarks.figures import Figure
from benchmarks.stage import stage


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(compared(place, "messages_c{}", (64,), 0.25, "messages"))
