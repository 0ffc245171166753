"""sla-service from its parts."""

from functools import partial

from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import Service, build_service, open_database
from shared.telemetry.metrics import Metrics
from sla_service import api, events, store
from sla_service.settings import Settings
from sla_service.usecases import (
    Deps,
    hear,
    mismatch_counter,
    policies,
    replay,
    shadow_gauge,
    shadows,
    timers,
    turns,
    wallboard,
)


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    """Policies and calendars are seeded at the start; the timers run beside the doors."""
    database = open_database("sla", settings)
    metrics = Metrics()
    deps = Deps(
        database.session,
        database.reading,
        clock,
        new_id,
        settings,
        mismatches=mismatch_counter(metrics.registry),
        shadow_breaches=shadow_gauge(metrics.registry),
    )
    return build_service(
        "sla",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=store.metadata,
        title="Redress sla-service",
        description="Service levels: clocks with their ledgers, escalations, policies and calendars.",
        routers=api.routers,
        consumes=events.CONSUMES,
        publishes=events.PUBLISHES,
        seed=[partial(policies.seed_pack, deps), partial(hear.refold_unpriced, deps)],
        background=[
            partial(timers.run_timers, deps),
            partial(turns.run_turns, deps),
            partial(wallboard.keep_open, deps),
            partial(replay.verify_nightly, deps),
            partial(shadows.keep_counting, deps),
        ],
        metrics=metrics,
    )
