"""What every use case of feedback-service gets."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from feedback_service.domain import Periods, token_of
from feedback_service.settings import Settings
from shared.clock import Clock
from shared.contracts.envelope import Actor, ActorKind

ACTOR = Actor(kind=ActorKind.SYSTEM, id="feedback-service")


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings

    @property
    def periods(self) -> Periods:
        settings = self.settings
        return Periods(
            survey_valid=settings.survey_valid,
            follow_up_earliest=settings.follow_up_earliest,
            follow_up_due=settings.follow_up_due,
        )

    def survey_url(self, survey_id: UUID) -> str:
        token = token_of(survey_id, self.settings.token_secret.get_secret_value())
        return f"{self.settings.public_base_url.rstrip('/')}/s/{token}"
