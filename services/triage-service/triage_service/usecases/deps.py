"""What every use case of triage-service gets."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from triage_service.classifier import Classifier
from triage_service.domain.roster import Team
from triage_service.domain.taxonomy import categories
from triage_service.settings import Settings
from triage_service.store import roster, taxonomy


class Knowledge:
    """What is compiled or read once and kept until its tables change: the classifier and the teams."""

    def __init__(self, lexicon: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
        self._lexicon = lexicon
        self._rules = rules
        self._classifier: tuple[int, Classifier] | None = None
        self._teams: tuple[int, list[Team]] | None = None

    async def present(self, tx: AsyncSession) -> tuple[Classifier, list[Team]]:
        """Both, as the tables are now; one small query where nothing changed."""
        taxonomy_version, roster_version = await roster.versions(tx)
        return await self._compiled(tx, taxonomy_version), await self._read_teams(tx, roster_version)

    async def _compiled(self, tx: AsyncSession, version: int) -> Classifier:
        if self._classifier is None or self._classifier[0] != version:
            entries = await taxonomy.entries(tx)
            self._classifier = (version, Classifier(self._lexicon, self._rules, categories(entries)))
        return self._classifier[1]

    async def _read_teams(self, tx: AsyncSession, version: int) -> list[Team]:
        if self._teams is None or self._teams[0] != version:
            self._teams = (version, await roster.all_teams(tx))
        return self._teams[1]


@dataclass(frozen=True)
class Deps:
    session: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    clock: Clock
    ids: Callable[[], UUID]
    settings: Settings
    knowledge: Knowledge
