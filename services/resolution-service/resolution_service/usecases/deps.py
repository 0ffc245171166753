"""What every use case is given."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service.settings import Settings
from shared.clock import Clock


class OpensSession(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[AsyncSession]: ...


@dataclass(frozen=True, slots=True)
class Deps:
    session: OpensSession
    reading: OpensSession
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
