"""One relay per service: whoever holds the advisory lock of the service's schema.

The lock belongs to the relay's own connection, and that connection does the relay's reading and deleting too: a relay
that has lost its lock can do neither. Another process polls for the lock and takes over when the holder dies.
"""

import asyncio
import contextlib
import json
import time
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zlib import crc32

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.codec import headers_of
from shared.bus.faults import Faults
from shared.bus.metrics import BusMetrics
from shared.bus.port import Member, pause
from shared.bus.transient import describe

log = structlog.get_logger("bus")

#: The count stops at 10,000: more says no more, and costs.
_BACKLOG = (
    "select count(*) as waiting, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest, "
    "(select n_dead_tup from pg_stat_user_tables where schemaname = current_schema() and relname = 'outbox') as dead "
    "from (select created_at from outbox order by id limit 10000) as head"
)


class Waiting(NamedTuple):
    """One row of the outbox."""

    id: int
    topic: str
    key: str
    type: str
    event_id: UUID
    source: str
    time: datetime
    traceparent: str | None
    headers: Any
    payload: bytes | None

    def event_headers(self, traceparent: str | None = None) -> list[tuple[str, bytes]]:
        extra = json.loads(self.headers) if isinstance(self.headers, str) else self.headers
        return headers_of(
            self.type, self.key, self.event_id, self.source, self.time, traceparent or self.traceparent, extra
        )


COLUMNS = ", ".join(Waiting._fields)


class Relay(ABC):
    """Takes the rows of one member's outbox to where they belong; `deliver` is the adapter's part."""

    def __init__(self, member: Member, faults: Faults, metrics: BusMetrics) -> None:
        self.member = member
        self.settings = member.settings
        self.faults = faults
        self.metrics = metrics
        self.stopping = asyncio.Event()
        self.wake = asyncio.Event()
        self.leader = False
        self.backlog = 0
        self.problem: str | None = None
        self.last_progress = time.monotonic()
        self._measured = 0.0
        self._key = crc32(f"redress.relay.{member.database.schema}".encode())

    async def run(self) -> None:
        """Until `stopping` is set: wait for the lock, deliver; start over when the connection is lost."""
        self.member.database.on_outbox.append(self.wake.set)
        delay = self.settings.backoff_seconds
        try:
            while not self.stopping.is_set():
                try:
                    await self._term()
                    delay = self.settings.backoff_seconds
                except Exception as error:
                    if self.problem is None:
                        log.warning("relay interrupted", service=self.member.name, error=describe(error))
                    self.problem = f"relay: {describe(error)}"
                    await pause(self.stopping, delay)
                    delay = min(delay * 2, self.settings.away_seconds)
        finally:
            self.member.database.on_outbox.remove(self.wake.set)

    def stop(self) -> None:
        self.stopping.set()
        self.wake.set()

    async def _term(self) -> None:
        """From taking the lock to losing it."""
        engine = self.member.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            try:
                # A row whose deletion a power cut undoes is sent twice, and the inboxes know it: no need to wait for
                # the disk. This connection writes nothing else.
                await connection.exec_driver_sql("set synchronous_commit = off")
                while not await self._lock(connection):
                    self.progressed()
                    if await pause(self.stopping, self.settings.lock_poll_seconds):
                        return
                self.leader = True
                self.metrics.leader.set(1)
                log.info("relay leads", service=self.member.name)
                await self.lead(connection)
            finally:
                self.leader = False
                self.metrics.leader.set(0)
                # The lock goes with the connection.
                await connection.invalidate()

    async def _lock(self, connection: AsyncConnection) -> bool:
        return bool((await connection.exec_driver_sql("select pg_try_advisory_lock($1)", (self._key,))).scalar_one())

    @abstractmethod
    async def lead(self, connection: AsyncConnection) -> None:
        """Deliver until `stopping` is set; the connection is this relay's alone."""

    def progressed(self) -> None:
        self.problem = None
        self.last_progress = time.monotonic()

    async def measure(self, connection: AsyncConnection, *, every_seconds: float = 5.0) -> None:
        """The backlog, every few seconds."""
        if time.monotonic() - self._measured < every_seconds:
            return
        self._measured = time.monotonic()
        row = (await connection.exec_driver_sql(_BACKLOG)).one()
        self.backlog = row.waiting
        self.metrics.backlog.set(row.waiting)
        self.metrics.oldest.set(row.oldest)
        self.metrics.dead_rows.set(row.dead or 0)

    async def next_round(self) -> None:
        """Wait for a commit of this process, at most until the next poll."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), self.settings.poll_seconds)
        self.wake.clear()
