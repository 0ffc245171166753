"""Composition root of feedback-service."""

from feedback_service.api import ROUTERS
from feedback_service.events import CONSUMES, PUBLISHES
from feedback_service.settings import Settings
from feedback_service.store import metadata
from feedback_service.usecases.deps import Deps
from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("feedback", settings)
    return build_service(
        "feedback",
        title="Redress feedback-service",
        description="Feed back 反馈: surveys, follow-up visits and closing.",
        settings=settings,
        database=database,
        bus=bus,
        deps=Deps(session=database.session, reading=database.reading, clock=clock, ids=new_id, settings=settings),
        metadata=metadata,
        routers=ROUTERS,
        consumes=CONSUMES,
        publishes=PUBLISHES,
    )
