"""Composition root of insight-service."""

import os

from insight_service.api import ROUTERS
from insight_service.events import CONSUMES, PUBLISHES
from insight_service.settings import Settings
from insight_service.store import metadata
from insight_service.usecases.deps import Deps
from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("insight", settings)
    return build_service(
        "insight",
        title="Redress insight-service",
        description="Review 复盘: archive, trends, root-cause reviews and improvement actions.",
        settings=settings,
        database=database,
        bus=bus,
        deps=Deps(
            session=database.session,
            reading=database.reading,
            clock=clock,
            ids=new_id,
            salt=lambda: os.urandom(16),
            settings=settings,
        ),
        metadata=metadata,
        routers=ROUTERS,
        consumes=CONSUMES,
        publishes=PUBLISHES,
    )
