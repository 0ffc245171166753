"""Triage put together."""

from functools import partial

from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database
from triage_service import api, data, events, store
from triage_service.settings import Settings
from triage_service.usecases import Deps, Knowledge
from triage_service.usecases.roster import seed


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("triage", settings)
    deps = Deps(
        session=database.session,
        reading=database.reading,
        clock=clock,
        ids=new_id,
        settings=settings,
        knowledge=Knowledge(data.read("lexicon"), data.read("rules")),
    )
    return build_service(
        "triage",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=store.metadata,
        routers=list(api.ROUTERS),
        consumes=events.CONSUMES,
        publishes=events.PUBLISHES,
        description="Assess 评估: classification, roster and assignment of complaints.",
        seed=[partial(seed, data.read("taxonomy"), data.read("roster"), deps)],
    )
