"""What both adapters promise: delivered once, in order per key, whatever restarts."""

import asyncio
import contextlib

import pytest
from sqlalchemy import text

from shared.bus import EventTooBig, outbox
from shared.ids import new_id
from tests.support.bus import Town, happened


async def test_a_committed_event_reaches_every_subscriber_and_leaves_the_outbox(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"), town.member("gamma"))
    await town.publish(happened(town.contracts.noted, "a"))
    assert await town.hears("beta", 1) == [("a", 1)]
    assert await town.hears("gamma", 1) == [("a", 1)]
    await town.delivered()


async def test_what_is_rolled_back_is_never_published(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    with contextlib.suppress(ZeroDivisionError):
        async with town.databases["alpha"].session() as tx:
            outbox.add(tx, happened(town.contracts.noted, "a"))
            await tx.execute(text("select 1"))
            raise ZeroDivisionError
    await town.publish(happened(town.contracts.noted, "b"))
    assert await town.hears("beta", 1) == [("b", 1)]


async def test_the_events_of_one_key_arrive_in_the_order_of_their_commits(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    for n in range(1, 11):
        await town.publish(*[happened(town.contracts.noted, thing, n) for thing in "abcdefgh"])
        await town.publish(*[happened(town.contracts.renamed, thing, 100 + n) for thing in "abcdefgh"])
    found = await town.hears("beta", 160)
    assert len(found) == 160
    for thing in "abcdefgh":
        assert [n for of, n in found if of == thing] == [x for n in range(1, 11) for x in (n, 100 + n)]


async def test_several_events_of_one_key_in_one_commit_arrive_in_order(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in range(1, 31)])
    assert await town.hears("beta", 30) == [("a", n) for n in range(1, 31)]


async def test_the_same_event_published_twice_is_handled_once(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    event = happened(town.contracts.noted, "a")
    await town.publish(event, event)
    await town.publish(event)
    await town.publish(happened(town.contracts.noted, "a", 2))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    await town.delivered()
    assert await town.heard("beta") == [("a", 1), ("a", 2)]


async def test_doubles_among_what_a_dead_process_had_begun_are_handled_once(town: Town) -> None:
    """A relay that died between sending and deleting sends again, so one batch may have an event twice."""
    event = happened(town.contracts.noted, "a")
    await town.publish(event, event, happened(town.contracts.noted, "a", 2))
    topic = town.contracts.noted.TOPIC
    begun = "insert into inbox_started (lane, first, last, owner, alone) values (:lane, 0, 1000, :owner, false)"
    async with town.databases["beta"].session() as tx:
        for lane in ("alpha", *[f"{topic}/{partition}" for partition in range(4)]):
            await tx.execute(text(begun), {"lane": lane, "owner": new_id()})
    await town.bus(town.member("alpha", None), town.member("beta"))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    await town.delivered()
    assert await town.count("beta", "inbox_attempts") == 0


async def test_a_tombstone_arrives_as_its_event(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.forgotten, "a", 7))
    assert await town.hears("beta", 1) == [("a", 7)]


async def test_an_event_that_a_member_does_not_consume_is_skipped(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta", contracts=[town.contracts.renamed]))
    await town.publish(happened(town.contracts.noted, "a", 1), happened(town.contracts.renamed, "a", 2))
    assert await town.hears("beta", 1) == [("a", 2)]
    await town.delivered()
    assert await town.count("beta", "inbox") == 1


async def test_a_stopped_subscriber_catches_up_and_meanwhile_the_others_go_on(town: Town) -> None:
    bus = await town.bus(town.member("alpha", None), town.member("beta"), town.member("gamma"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    await town.hears("gamma", 1)
    await bus.detach("beta")
    for n in range(2, 6):
        await town.publish(happened(town.contracts.noted, "a", n))
    assert await town.hears("gamma", 5) == [("a", n) for n in range(1, 6)]
    assert await town.heard("beta") == [("a", 1)]
    await bus.attach(town.member("beta"))
    assert await town.hears("beta", 5) == [("a", n) for n in range(1, 6)]
    await town.delivered()


async def test_what_was_published_while_nothing_ran_is_delivered_after_the_start(town: Town) -> None:
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in range(1, 4)])
    await town.bus(town.member("alpha", None), town.member("beta"))
    assert await town.hears("beta", 3) == [("a", 1), ("a", 2), ("a", 3)]


async def test_a_restart_goes_on_where_it_was(town: Town) -> None:
    first = await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in range(1, 4)])
    await town.hears("beta", 3)
    await first.close()
    await town.publish(*[happened(town.contracts.noted, "a", n) for n in range(4, 7)])
    await town.bus(town.member("alpha", None), town.member("beta"))
    assert await town.hears("beta", 6) == [("a", n) for n in range(1, 7)]


async def test_a_big_backlog_is_handled_in_batches_once_each(town: Town) -> None:
    things = [happened(town.contracts.noted, f"t{n % 97}", n) for n in range(3000)]
    await town.publish(*things)
    await town.bus(town.member("alpha", None), town.member("beta"))
    found = await town.hears("beta", 3000)
    assert sorted(n for _, n in found) == list(range(3000))
    await town.delivered()
    assert await town.count("beta", "inbox_started") == 0


async def test_an_event_over_the_limit_is_refused_when_it_is_added(town: Town) -> None:
    await town.bus(town.member("alpha", None))
    with pytest.raises(EventTooBig, match="carries up to 1000000"):
        await town.publish(happened(town.contracts.noted, "a", text="x" * 1_000_001))
    assert await town.count("alpha", "outbox") == 0


async def test_rows_written_by_the_driver_in_a_hot_write_are_published_too(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    alpha = town.databases["alpha"]
    events = [happened(town.contracts.noted, "a", n) for n in (1, 2)]
    async with alpha.engine.begin() as connection:
        await connection.exec_driver_sql(outbox.INSERT, tuple(outbox.columns(alpha, events)))
    outbox.wake(alpha)
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]


async def test_of_two_relays_one_leads_and_the_other_takes_over_when_it_goes(town: Town) -> None:
    first = await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    second = await town.bus(town.member("alpha", None), town.member("beta"))
    await asyncio.sleep(0.2)
    assert first.health("alpha").leader
    assert not second.health("alpha").leader
    await first.close()
    await town.publish(happened(town.contracts.noted, "a", 2))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    assert second.health("alpha").leader


async def test_a_relay_whose_connection_is_cut_loses_its_lock_and_comes_back(town: Town) -> None:
    await town.bus(town.member("alpha", None), town.member("beta"))
    await town.publish(happened(town.contracts.noted, "a", 1))
    await town.hears("beta", 1)
    async with town.databases["alpha"].session() as tx:
        await tx.execute(
            text(
                "select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid "
                "where l.locktype = 'advisory' and a.usename = current_user"
            )
        )
    await town.publish(happened(town.contracts.noted, "a", 2))
    assert await town.hears("beta", 2) == [("a", 1), ("a", 2)]
    await town.delivered()
