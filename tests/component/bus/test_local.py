"""What the local bus alone promises."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import Bus, outbox
from shared.bus.local import LocalBus
from tests.support.bus import Thing, Town, happened, write_down


async def attached(town: Town, bus: Bus, *names: str) -> None:
    for name in names:
        await bus.attach(town.member(name, None if name == "alpha" else write_down))


async def test_no_row_goes_before_every_expected_member_was_there_once(local_town: Town) -> None:
    town = local_town
    bus = LocalBus(("alpha", "beta", "gamma"))
    town.buses.append(bus)
    await attached(town, bus, "alpha", "beta")
    await town.publish(happened(town.contracts.noted, "a"))
    assert await town.hears("beta", 1) == [("a", 1)]
    await asyncio.sleep(1.5)
    assert await town.count("alpha", "outbox") == 1
    await attached(town, bus, "gamma")
    assert await town.hears("gamma", 1) == [("a", 1)]
    await town.delivered()
    assert await town.heard("beta") == [("a", 1)]


async def test_settle_returns_when_what_follows_from_events_has_been_handled_too(local_town: Town) -> None:
    town = local_town

    async def pass_on(events: Sequence[Thing], tx: AsyncSession, deps: Any) -> None:
        await asyncio.sleep(0.05)
        outbox.add(tx, *[happened(town.contracts.renamed, event.thing, event.n + 1) for event in events if event.n < 5])

    bus = LocalBus(("alpha", "beta", "gamma"))
    town.buses.append(bus)
    await attached(town, bus, "alpha", "gamma")
    await bus.attach(town.member("beta", pass_on))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await bus.settle()
    assert await town.heard("gamma") == [("a", 1), ("a", 2), ("a", 3), ("a", 4), ("a", 5)]


async def test_settle_says_when_somebody_does_not_come_to_rest(local_town: Town) -> None:
    town = local_town
    bus = LocalBus(("alpha", "beta"))
    town.buses.append(bus)
    bus.faults.fail("relay.before_send", "alpha", ConnectionError("never"))
    await attached(town, bus, "alpha", "beta")
    await town.publish(happened(town.contracts.noted, "a"))
    with pytest.raises(TimeoutError):
        await bus.settle(timeout_seconds=0.3)


async def test_a_name_can_be_attached_once(local_town: Town) -> None:
    bus = await local_town.bus(local_town.member("alpha", None))
    with pytest.raises(ValueError, match="alpha is attached already"):
        await bus.attach(local_town.member("alpha", None))
