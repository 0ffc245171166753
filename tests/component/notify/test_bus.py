"""notify-service on the local bus: what intake publishes becomes a message, and a tombstone ends it."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from notify_service.main import service
from notify_service.settings import Settings
from shared.bus import BusSettings, Member, outbox
from shared.bus.local import LocalBus
from shared.clock import SimulatedClock
from shared.contracts import Event, intake
from shared.contracts.vocabulary import Channel
from shared.db import Database
from tests.component.notify.kit import contacts, contacts_erased, eventually
from tests.support.builders import RECEIVED, facts, received
from tests.support.door import SIGNER


async def test_a_complaint_is_acknowledged_over_the_bus_and_an_erasure_forgets_it(
    schema_of: Callable[[str], Awaitable[Database]],
) -> None:
    publisher, database = await schema_of("intake"), await schema_of("notify")
    bus = LocalBus(("intake", "notify"))
    settings = Settings(database_url=database.url, auth_jwks=SIGNER.jwks)
    notify = service(settings, SimulatedClock(RECEIVED), bus)
    member = Member("intake", publisher, publishes=intake.PUBLISHES, settings=BusSettings(poll_seconds=0.05))
    of = facts(preferred_channel=Channel.SMS)

    async def publish(*events: Event) -> None:
        async with publisher.session() as tx:
            outbox.add(tx, *events)

    async def one(query: str) -> Any:
        async with database.reading() as tx:
            return await tx.scalar(text(query))

    await notify.start()
    await bus.attach(member)
    try:
        await publish(received(of), contacts(of))
        assert await eventually(lambda: one("select text from messages where status = 'delivered'"))
        await publish(contacts_erased(of))
        assert await eventually(lambda: one("select count(*) from erasures"))
        assert await one("select count(*) from recipients") == 0
        assert await one("select text from messages") == ""
    finally:
        await notify.stop()
        await bus.close()
