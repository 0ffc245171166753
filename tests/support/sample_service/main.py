from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database
from tests.support.sample_service import api, store
from tests.support.sample_service.settings import Settings
from tests.support.sample_service.usecases import Deps


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("sample", settings)
    deps = Deps(database.session, database.reading, clock, new_id, settings)
    return build_service(
        "sample",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=store.metadata,
        routers=[api.hot, api.router],
        consumes={},
        publishes=(),
        package="tests.support.sample_service",
    )
