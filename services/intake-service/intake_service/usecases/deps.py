"""What use cases get from the composition root."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from intake_service.blobs import Blobs, Clamd, open_blobs
from intake_service.channels import KINDS, Kind
from intake_service.domain.channels import KeptChannel
from intake_service.groupcommit import GroupCommit
from intake_service.settings import Settings
from intake_service.store.reception import is_of_the_data
from intake_service.usecases.arrival import Arrival
from intake_service.usecases.arrivals import Arrivals
from intake_service.usecases.chathub import ChatHub
from intake_service.usecases.gauges import Gauges
from intake_service.usecases.reception import Delivery, Outcome, Reception
from intake_service.usecases.repeats import Repeats
from shared.clock import Clock
from shared.db import Database
from shared.web.ratelimit import Buckets

Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class ChannelBook:
    """The channels as this process read them last. `wake` is set when it changed one itself."""

    def __init__(self) -> None:
        self.kept: Mapping[str, KeptChannel] = {}
        self.fresh_until = 0.0
        self.wake = asyncio.Event()

    def changed(self) -> None:
        self.fresh_until = 0.0
        self.wake.set()


@dataclass(frozen=True)
class Deps:
    session: Sessions
    reading: Sessions
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    receiving: GroupCommit[Delivery, Outcome]
    form_buckets: Buckets
    messages: GroupCommit[Arrival, Outcome]
    arrivals: Arrivals
    engine: AsyncEngine
    blobs: Blobs
    scanner: Clamd | None
    #: Wakes the loop that has files scanned.
    unscanned: asyncio.Event
    gauges: Gauges
    chats: ChatHub
    repeats: Repeats = field(default_factory=Repeats)
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    channels: ChannelBook = field(default_factory=ChannelBook)


def make_deps(
    database: Database,
    clock: Clock,
    ids: Callable[[], UUID],
    settings: Settings,
    registry: CollectorRegistry | None = None,
) -> Deps:
    reception = Reception(database.session, clock, ids, settings)
    arrivals = Arrivals(database.session, clock, ids, settings, reception)
    return Deps(
        session=database.session,
        reading=database.reading,
        clock=clock,
        ids=ids,
        settings=settings,
        receiving=GroupCommit(
            reception.write,
            is_of_the_data=is_of_the_data,
            max_batch=settings.receive_batch,
            max_waiting=settings.receive_waiting,
        ),
        form_buckets=Buckets(settings.form_rate_limit_per_second, settings.form_rate_limit_burst),
        messages=GroupCommit(
            arrivals.write,
            is_of_the_data=is_of_the_data,
            max_batch=settings.receive_batch,
            max_waiting=settings.receive_waiting,
        ),
        arrivals=arrivals,
        engine=database.engine,
        blobs=open_blobs(settings.blobs),
        scanner=Clamd(settings.clamd, settings.clamd_timeout_seconds) if settings.clamd else None,
        unscanned=asyncio.Event(),
        gauges=Gauges(registry or CollectorRegistry()),
        chats=ChatHub(settings),
    )
