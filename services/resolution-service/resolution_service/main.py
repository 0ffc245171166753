"""Composition root: nothing happens at import."""

from resolution_service import api, events, store
from resolution_service.settings import Settings
from resolution_service.usecases import Deps
from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("resolution", settings)
    deps = Deps(database.session, database.reading, clock, new_id, settings)
    return build_service(
        "resolution",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=store.metadata,
        routers=api.ROUTERS,
        consumes=events.CONSUMES,
        publishes=events.PUBLISHES,
        title="Redress resolution",
        description="Handle 处理: case states, findings, transfers, promises, measures, results, and the live dossier.",
    )
