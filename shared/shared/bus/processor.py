"""The consumer's heart, the same on both buses: records in, use cases called, effects and inbox committed together.

Invariants:
- The effects of an event and its inbox row are one transaction. Whoever calls `handle` forgets the records only after
  it has returned; coming twice does no harm.
- Events of one key are handled one after the other. A batch goes in waves: the first event of every key, then the
  second …; inside a wave grouped by contract, so a use case gets a list in which no key occurs twice. A use case
  that `gathers` gets all of its own at once, first.
- When a list fails, each event goes alone, with a bounded back-off; those of other keys don't wait for it. What fails
  to the end becomes a dead letter. `Refused`, and what can't be decoded, at once.
- A database that is away is waited for and never makes a dead letter.
- A message that kills the process is found by the marks in `inbox_started` and `inbox_attempts`: after a crash
  the events that were at work go alone, one after the other, and one that was begun in three lives is buried.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import text

from shared.bus import deadletters, inbox
from shared.bus.codec import Decoder, Item, Poison, Record
from shared.bus.faults import Faults
from shared.bus.inbox import Leftover, Span
from shared.bus.metrics import BusMetrics
from shared.bus.patience import Patience, Stopping
from shared.bus.port import Member, Refused
from shared.bus.transient import describe
from shared.bus.waves import side_by_side, waves, working_on
from shared.ids import new_id
from shared.telemetry.tracing import trace_id_of

log = structlog.get_logger("bus")

#: Transactions of one member at the same time.
CONCURRENCY = 4


class ConsumerStopped(Exception):
    """The circuit breaker is open: too many dead letters in a row. A restart closes it."""


class Processor:
    """One member's consumer. `exclusive` is shared by all members of the process: suspects run while no other does."""

    def __init__(self, member: Member, faults: Faults, metrics: BusMetrics, exclusive: asyncio.Lock) -> None:
        self.member = member
        self.settings = member.settings
        metrics.stopped.set(0)
        self.owner = new_id()
        self.stopped: str | None = None
        #: Batches at work, and when (monotonic seconds) the last one ended or the first of these began.
        self.busy = 0
        self.last_progress = time.monotonic()
        self._database = member.database
        self._quick = member.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._faults = faults
        self._metrics = metrics
        self._exclusive = exclusive
        self._decoder = Decoder(member.consumes, member.catalogue, self.settings.max_event_bytes)
        self._patience = Patience(self.settings, self._database_answers)
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._leftovers: dict[str, Leftover] = {}
        self._dead_in_a_row = 0

    @property
    def problem(self) -> str | None:
        return self._patience.problem

    @property
    def stopping(self) -> asyncio.Event:
        """Set it to end waiting and backing off; `handle` then raises `Stopping`."""
        return self._patience.stopping

    async def handle(self, records: Sequence[Record]) -> None:
        """Return when every record is committed, skipped or buried. Raises `ConsumerStopped` and `Stopping`; then
        nothing may be assumed of these records, and they have to come again."""
        self._check_breaker()
        if not self.busy:
            self.last_progress = time.monotonic()
        self.busy += 1
        try:
            if items := self._decoder.decode(records):
                await self._handle(items)
            self.last_progress = time.monotonic()
        finally:
            self.busy -= 1

    async def _handle(self, items: list[Item]) -> None:
        lanes: dict[str, list[Item]] = {}
        for item in items:
            lanes.setdefault(item.record.lane, []).append(item)
        await self._mark(lanes)
        suspects = [lanes.pop(lane) for lane in list(lanes) if lane in self._leftovers]
        if suspects:
            await side_by_side([self._suspects(lane) for lane in suspects])
        if lanes:
            await self._lanes(list(lanes.values()))

    async def _mark(self, lanes: dict[str, list[Item]]) -> None:
        spans: dict[str, Span] = {}
        for lane, items in lanes.items():
            positions = [item.record.position for item in items]
            left = self._leftovers.get(lane)
            spans[lane] = Span(
                min(positions), max(positions) if left is None else max(*positions, left.last), bool(left)
            )
        for leftover in await self._patience.run(lambda: inbox.begin(self._quick, spans, self.owner)):
            log.warning("unfinished work found", consumer=self.member.name, lane=leftover.lane)
            self._leftovers[leftover.lane] = leftover

    async def _lanes(self, lanes: list[list[Item]]) -> None:
        """One transaction for all; then one for each lane, side by side; then event by event."""
        poisoned = sum(1 for lane in lanes for item in lane if item.poison is not None)
        if self._dead_in_a_row + poisoned < self.settings.breaker:
            try:
                await self._patience.run(lambda: self._transaction([item for lane in lanes for item in lane], lanes))
            except (Stopping, ConsumerStopped):
                raise
            except Exception as error:
                log.warning(
                    "batch failed", consumer=self.member.name, events=sum(map(len, lanes)), error=describe(error)
                )
            else:
                return
            if len(lanes) > 1:
                await side_by_side([self._lanes([lane]) for lane in lanes])
                return
        for lane in lanes:
            await self._one_by_one(lane)
            await self._unmark(lane)

    async def _unmark(self, items: list[Item]) -> None:
        lane = items[0].record.lane
        await self._patience.run(lambda: inbox.finish_outside(self._quick, [lane], self.owner))

    async def _one_by_one(self, items: Sequence[Item]) -> None:
        """Keys side by side, the events of one key in order."""
        chains: dict[str, list[Item]] = {}
        for item in items:
            chains.setdefault(item.key, []).append(item)

        async def chain(of_key: list[Item]) -> None:
            for item in of_key:
                await self._one(item)

        await side_by_side([chain(of_key) for of_key in chains.values()])

    async def _one(self, item: Item, *, counted: bool = False) -> None:
        poison, attempts = item.poison, 0
        while poison is None:
            attempts += 1
            try:
                await self._patience.run(lambda: self._transaction([item], [], counted=counted))
            except (Stopping, ConsumerStopped):
                raise
            except Refused as refusal:
                poison = Poison("refused", str(refusal))
            except Exception as error:
                if attempts >= self.settings.attempts:
                    poison = Poison("failed", describe(error))
                else:
                    await self._patience.pause(self.settings.backoff_seconds * 2 ** (attempts - 1))
            else:
                return
        await self._bury(item, poison, attempts, counted=counted)

    async def _bury(self, item: Item, poison: Poison, attempts: int, *, counted: bool = False) -> None:
        async def work() -> bool:
            async with self._slots, self._database.session() as tx:
                self._check_breaker()
                fresh = bool(await inbox.see(tx, [item.event_id]))
                if fresh:
                    await self._write_dead_letter(tx, item, poison, attempts)
                if counted:
                    await inbox.forget(tx, [item.event_id])
                return fresh

        if await self._patience.run(work):
            self._tell_dead(item, poison, attempts)

    async def _suspects(self, items: list[Item]) -> None:
        """A lane on which a process died: what it had begun goes alone, nothing else of this process runs beside it."""
        left = self._leftovers[items[0].record.lane]
        within = [n for n, item in enumerate(items) if left.first <= item.record.position <= left.last]
        cut = within[-1] + 1 if within else 0
        if within and not left.alone:
            ids = list(dict.fromkeys(items[n].event_id for n in within))
            await self._patience.run(lambda: inbox.count_starts(self._quick, ids, left.owner))
        for item in items[:cut]:
            async with self._exclusive:
                await self._suspect(item)
        if cut < len(items):
            await self._one_by_one(items[cut:])
        if max(item.record.position for item in items) >= left.last:
            await self._unmark(items)
            del self._leftovers[left.lane]

    async def _suspect(self, item: Item) -> None:
        lives = await self._patience.run(lambda: inbox.begin_alone(self._quick, item.event_id, self.owner))
        if lives > self.settings.lives:
            told = f"begun in {self.settings.lives} lives of the process and never finished"
            await self._bury(item, Poison("killed-the-process", told), lives - 1, counted=True)
        else:
            await self._one(item, counted=True)

    async def _transaction(self, items: list[Item], lanes: list[list[Item]], *, counted: bool = False) -> None:
        """The effects of `items`, their inbox rows and, with `lanes`, the end of the marks, committed together."""
        began = time.perf_counter()
        reach, name = self._faults.reach, self.member.name
        buried: list[tuple[Item, Poison]] = []
        groups: Counter[str] = Counter()
        async with self._slots, self._database.session() as tx:
            self._check_breaker()
            fresh = await inbox.see(tx, list(dict.fromkeys(item.event_id for item in items)))
            doubles = len(items) - len(fresh)
            todo: list[Item] = []
            for item in items:
                if item.event_id in fresh:
                    fresh.discard(item.event_id)
                    todo.append(item)
            for item in todo:
                if item.poison is not None:
                    await self._write_dead_letter(tx, item, item.poison, 0)
                    buried.append((item, item.poison))
            for handler, group in waves(todo):
                await reach("consumer.before_handler", name)
                with working_on(self.member.name, group):
                    await handler([item.event for item in group], tx, self.member.deps)
                groups.update(item.type for item in group)
            if todo:
                await reach("consumer.mid_handler", name)
            if counted:
                await inbox.forget(tx, [item.event_id for item in items])
            if lanes:
                await inbox.finish(tx, [lane[0].record.lane for lane in lanes], self.owner)
        await reach("consumer.after_commit", name)
        self._metrics.batch.observe(time.perf_counter() - began)
        for name_of_type, count in groups.items():
            self._metrics.handled(name_of_type, "handled", count)
        if doubles:
            self._metrics.handled("", "double", doubles)
        if groups:
            self._dead_in_a_row = 0
        for item, poison in buried:
            self._tell_dead(item, poison, 0)

    async def _write_dead_letter(self, tx: Any, item: Item, poison: Poison, attempts: int) -> None:
        await deadletters.bury(tx, self.member.dead_letter_topic, item, poison, attempts, self.settings.max_event_bytes)

    def _tell_dead(self, item: Item, poison: Poison, attempts: int) -> None:
        self._metrics.died(poison.reason)
        log.error(
            "dead letter",
            consumer=self.member.name,
            reason=poison.reason,
            type=item.type,
            event_id=str(item.event_id),
            complaint_id=item.key,
            trace_id=trace_id_of(item.traceparent),
            attempts=attempts,
        )
        self._dead_in_a_row += 1
        if self._dead_in_a_row >= self.settings.breaker and self.stopped is None:
            self.stopped = f"{self._dead_in_a_row} dead letters in a row; look at them, then restart the consumer"
            self._metrics.stopped.set(1)
            log.error("consumer stopped", consumer=self.member.name, why=self.stopped)

    def _check_breaker(self) -> None:
        if self.stopped is not None:
            raise ConsumerStopped(self.stopped)

    async def replay_one(self) -> bool:
        """Handle one dead letter that somebody asked to be replayed; returns whether there was one."""
        async with self._database.session() as tx:
            letter = await deadletters.claim_replay(tx)
        if letter is None:
            return False
        item = next(iter(self._decoder.decode([deadletters.record_of(letter)], unlimited=True)), None)

        gone = Poison("unknown-type", f"{letter.type}: {self.member.name} does not consume it")

        async def work() -> None:
            async with self._slots, self._database.session() as tx:
                if letter.reason == deadletters.UNDELIVERABLE:
                    deadletters.send_again(tx, letter)
                    await deadletters.mark_replayed(tx, letter.id)
                    return
                if item is None or item.handler is None:
                    await deadletters.mark_failed(tx, letter.id, (item and item.poison) or gone)
                    return
                with working_on(self.member.name, [item]):
                    await item.handler([item.event], tx, self.member.deps)
                await deadletters.mark_replayed(tx, letter.id)

        try:
            await self._patience.run(work)
        except Stopping:
            raise
        except Exception as error:
            poison = Poison("refused", str(error)) if isinstance(error, Refused) else Poison("failed", describe(error))
            async with self._database.session() as tx:
                await deadletters.mark_failed(tx, letter.id, poison)
        log.info("dead letter replayed", consumer=self.member.name, dead_letter=str(letter.id))
        return True

    async def prune(self) -> None:
        """Forget inbox ids that are older than the topics' retention and a margin."""
        while await inbox.prune(self._quick, self.settings.inbox_retention) == inbox.PRUNED_AT_ONCE:
            await self._patience.pause(0.1)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(5), self._quick.connect() as connection:
                await connection.execute(text("select 1"))
        except Exception:
            return False
        return True
