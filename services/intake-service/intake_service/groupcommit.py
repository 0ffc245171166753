"""Group commit: what comes in while a transaction is under way goes together into the next one.

Invariants: one batch at a time; nobody waits for company (an item that finds nothing under way starts at once); nobody
is answered before the commit of its batch; one bad item harms no neighbour.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Overloaded(Exception):
    """More items wait than are let in; try again in a moment."""


class RaceLost(Exception):
    """Another process wrote the same thing first: nothing was kept, and a second look will find it."""


class GroupCommit(Generic[Item, Answer]):
    """`write` takes a list, commits it in one transaction and returns an answer for each, in order.

    A batch that loses a race (`RaceLost`) is written again. When `write` raises an error that `is_of_the_data` holds
    for, each item is written alone, so that only the bad one fails; any other error (the database is away) fails the
    whole batch, because nobody knows whether it was committed.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        is_of_the_data: Callable[[Exception], bool],
        max_batch: int = 128,
        max_waiting: int = 4096,
        attempts: int = 8,
    ) -> None:
        self._write = write
        self._is_of_the_data = is_of_the_data
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._attempts = attempts
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Answer:
        """Returns after the commit that holds `item`. Raises what `write` raised for it, `RaceLost` only where it was
        lost again and again, or `Overloaded`.

        A caller that goes away meanwhile does not take its item back.
        """
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            # A batch belongs to no single caller, so it starts in nobody's context (trace, log fields).
            self._worker = asyncio.create_task(self._work(), context=contextvars.Context())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_batch))]
                await self._serve(batch)
        finally:
            self._worker = None

    async def _serve(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._write_again_when_raced([item for item, _ in batch])
        except Exception as error:
            if len(batch) > 1 and (isinstance(error, RaceLost) or self._is_of_the_data(error)):
                for one in batch:
                    await self._serve([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    async def _write_again_when_raced(self, items: Sequence[Item]) -> Sequence[Answer]:
        for _ in range(self._attempts - 1):
            try:
                return await self._write(items)
            except RaceLost:
                continue
        return await self._write(items)
