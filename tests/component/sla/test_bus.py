"""sla-service whole, on the local bus and the seconds pack: a receipt that nobody answers is warned of, late, and goes
up, by timers that wake by themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import text

from shared.bus import BusSettings, Member, outbox
from shared.bus.local import LocalBus
from shared.clock import SimulatedClock
from shared.contracts import intake
from shared.contracts.intake import ComplaintReceivedV1
from shared.db import Database
from sla_service.main import service
from sla_service.settings import Settings
from tests.support.web import AUTH
from tests.unit.sla.history import Story, at


async def test_a_receipt_on_the_bus_becomes_clocks_that_warn_and_breach_at_their_instants(
    schema_of: Callable[[str], Awaitable[Database]],
) -> None:
    publisher, database = await schema_of("intake"), await schema_of("sla")
    bus, clock = LocalBus(("intake", "sla")), SimulatedClock(at("10:20"))
    settings = Settings(database_url=database.url, policy_pack="seconds", timer_poll_seconds=0.05, **AUTH)
    made = service(settings, clock, bus)

    async def kept(query: str, wanted: object) -> None:
        async with asyncio.timeout(30):
            while True:
                async with database.reading() as tx:
                    if await tx.scalar(text(query)) == wanted:
                        return
                await asyncio.sleep(0.02)

    heard: list[ComplaintReceivedV1] = [Story(f"story {number}").received() for number in range(3)]
    await made.start()
    await bus.attach(Member("intake", publisher, publishes=intake.PUBLISHES, settings=BusSettings(poll_seconds=0.05)))
    try:
        async with publisher.session() as tx:
            outbox.add(tx, *heard)
        await kept("select count(*) from clocks where metric = 'first_response' and status = 'running'", 3)
        await clock.advance_to(at("10:20") + timedelta(seconds=16))
        await kept("select count(*) from clocks where warned_at = due_at - interval '4 seconds'", 3)
        await kept("select count(*) from clocks where breached_at is not null", 0)
        await clock.advance_to(at("10:20") + timedelta(seconds=24))
        await kept("select count(*) from clocks where metric = 'first_response' and breached_at = due_at", 3)
        await kept("select count(*) from escalations where role = 'department_manager'", 3)
        await kept("select count(*) from outbox", 0)
    finally:
        await made.stop()
        await bus.close()
