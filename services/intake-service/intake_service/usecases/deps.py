"""What use cases get from the composition root."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.groupcommit import GroupCommit
from intake_service.settings import Settings
from intake_service.store.reception import is_of_the_data
from intake_service.usecases.arrivals import Arrival, Arrivals
from intake_service.usecases.reception import Delivery, Outcome, Reception
from shared.clock import Clock
from shared.db import Database
from shared.web.ratelimit import Buckets

Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


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


def make_deps(database: Database, clock: Clock, ids: Callable[[], UUID], settings: Settings) -> Deps:
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
    )
