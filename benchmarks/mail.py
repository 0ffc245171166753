"""How many mails intake takes per second by SMTP, each kept before its 250 and a complaint by then (`doors`)."""

import asyncio

from benchmarks.doors import compared
from benchmarks.figures import Figure
from benchmarks.stage import stage

CONNECTIONS = 32


def run() -> list[Figure]:
    with stage() as place:
        return asyncio.run(compared(place, "mail_in", (CONNECTIONS,), 200, "mails", of_floor=False))
