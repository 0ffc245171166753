"""Services that die again and again: at the named points of the bus, and from outside at any instant."""

import asyncio
import random
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from shared.bus.crash import POINTS, VARIABLE
from shared.contracts import SERVICES
from tests.support.house import House

OUTSIDE = "at any instant"
#: What these services publish has no part in a complaint that is received and assessed: they pass consumer's points.
SILENT = ("feedback", "insight")
#: Services that are dying or coming back at the same time; the others work.
AT_ONCE = 3
#: A life that has not come to its point after so many seconds (nothing passes there just now) is ended from outside.
LONGEST_LIFE = 30.0


def schedule(each_point: int, chance: random.Random) -> list[tuple[str, str]]:
    """Pairs of service and point: as many of each point, and each time another service as long as there is one."""
    made: list[tuple[str, str]] = []
    for point in POINTS:
        able = [name for name in SERVICES if point.startswith("consumer.") or name not in SILENT]
        for begun in range(0, each_point, len(able)):
            made += [(name, point) for name in chance.sample(able, min(len(able), each_point - begun))]
    chance.shuffle(made)
    return made


@dataclass
class Reaper:
    """Each round costs a service two lives: the healthy one ends from outside, the next at its point, the third is
    healthy again. So no message is at work in four lives that end too soon, and buried as their cause."""

    house: House
    chance: random.Random
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def reap(self, kills: int) -> None:
        """At least `kills` deaths, an eighth of them at each point; then all seven are ready again."""
        each_point = -(-kills // (2 * len(POINTS)))
        await self._rounds(schedule(each_point, self.chance))
        for _ in range(3):
            missed = [(point, each_point - self.at(point)) for point in POINTS]
            await self._rounds([("triage", point) for point, times in missed for _ in range(times)])

    async def _rounds(self, rounds: list[tuple[str, str]]) -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        turns = {name: asyncio.Lock() for name in SERVICES}

        async def one(name: str, point: str) -> None:
            async with turns[name], slots:
                await self._round(name, point)

        await asyncio.gather(*(one(name, point) for name, point in rounds))

    async def _round(self, name: str, point: str) -> None:
        fleet = self.house.fleet
        await asyncio.sleep(self.chance.uniform(0.5, 2))
        await self._kill(name)
        process = fleet.start(name, **{VARIABLE: f"{point}:{self.chance.randint(2, 6)}"})
        try:
            code = await asyncio.to_thread(process.wait, LONGEST_LIFE)
        except subprocess.TimeoutExpired:
            await self._kill(name)
        else:
            assert code == -signal.SIGKILL, f"{name} ended by itself:\n{fleet.last_words(name)}"
            self.deaths[name, point] += 1
        await self.house.start(name)

    async def _kill(self, name: str) -> None:
        await asyncio.to_thread(self.house.fleet.kill, name)
        self.deaths[name, OUTSIDE] += 1

    def at(self, point: str) -> int:
        return sum(times for (_, where), times in self.deaths.items() if where == point)

    def table(self) -> str:
        kinds = (*POINTS, OUTSIDE)
        widest = max(map(len, kinds))
        lines = [f"{'':{widest}} {' '.join(f'{name:>10}' for name in SERVICES)} {'total':>10}"]
        for kind in kinds:
            cells = [*(self.deaths[name, kind] for name in SERVICES), self.at(kind)]
            lines.append(f"{kind:{widest}} {' '.join(f'{cell:>10}' for cell in cells)}")
        return "\n".join([*lines, f"{self.deaths.total()} kills"])
