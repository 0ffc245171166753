"""What every use case gets."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notify_service.carriers import Carrier
from notify_service.settings import Settings
from shared.clock import Clock
from shared.contracts.vocabulary import Means
from shared.db.engine import AFTER_COMMIT


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    carriers: Mapping[Means, Carrier]
    #: Set when there may be something to deliver.
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake_after(self, tx: AsyncSession) -> None:
        """Wake this process's worker when `tx` is committed."""
        hooks: list[Callable[[], None]] = tx.info.setdefault(AFTER_COMMIT, [])
        if self.wake.set not in hooks:
            hooks.append(self.wake.set)
