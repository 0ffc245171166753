"""What every use case of insight-service gets."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.settings import Settings
from shared.clock import Clock


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    #: Salts of the archive's hashes, 16 random bytes each.
    salt: Callable[[], bytes]
    settings: Settings
