"""Composition root of intake-service."""

from functools import partial

from intake_service import api, events
from intake_service.settings import Settings
from intake_service.smtp import serve_mails
from intake_service.store import metadata
from intake_service.usecases import (
    ChannelsFileError,
    Deps,
    Puller,
    keep_chats_told,
    keep_scanning,
    keep_tidy,
    key_lookup,
    make_deps,
    measure_regularly,
    seed_channels,
)
from shared.bus import Bus
from shared.clock import Clock
from shared.ids import new_id
from shared.service import CannotStart, Service, build_service, open_database
from shared.telemetry.metrics import Metrics


def service(settings: Settings, clock: Clock, bus: Bus | None) -> Service:
    database = open_database("intake", settings)
    metrics = Metrics()
    deps = make_deps(database, clock, new_id, settings, metrics.registry)
    return build_service(
        "intake",
        settings=settings,
        database=database,
        bus=bus,
        deps=deps,
        metadata=metadata,
        routers=api.ROUTERS,
        consumes=events.CONSUMES,
        publishes=events.PUBLISHES,
        title="Redress intake 接收",
        description="Receives complaints from every channel, once each, and keeps who complained and what was said.",
        seed=[partial(_seed_channels, deps)],
        background=[
            Puller(deps).pull_channels,
            partial(keep_tidy, deps),
            partial(keep_scanning, deps),
            partial(serve_mails, deps),
            partial(measure_regularly, deps),
            partial(keep_chats_told, deps),
        ],
        metrics=metrics,
        body_limits={
            "/v1/attachments": settings.max_attachment_bytes,
            "/v1/chats/{chat_id}/files": settings.max_attachment_bytes,
            "/form": settings.form_bytes,
        },
        api_keys=key_lookup(database.reading),
    )


async def _seed_channels(deps: Deps) -> None:
    try:
        await seed_channels(deps)
    except ChannelsFileError as error:
        raise CannotStart(f"intake: {error}") from error
