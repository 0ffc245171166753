"""Group commit by itself."""

import asyncio

import pytest

from intake_service.groupcommit import GroupCommit, Overloaded, RaceLost


class Bad(ValueError):
    pass


def of_the_data(error: Exception) -> bool:
    return isinstance(error, Bad)


async def test_one_item_alone_starts_at_once_and_the_others_share_the_next_batch():
    batches: list[list[int]] = []
    gate = asyncio.Event()

    async def write(items):
        batches.append(list(items))
        await gate.wait()
        return [item * 10 for item in items]

    commit = GroupCommit(write, is_of_the_data=of_the_data)
    first = asyncio.create_task(commit.submit(1))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(commit.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0.01)
    assert batches == [[1]]
    gate.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert batches == [[1], [2, 3, 4]]


async def test_a_batch_has_a_limit():
    batches: list[int] = []

    async def write(items):
        batches.append(len(items))
        return list(items)

    commit = GroupCommit(write, is_of_the_data=of_the_data, max_batch=4)
    assert await asyncio.gather(*[commit.submit(item) for item in range(10)]) == list(range(10))
    assert batches == [4, 4, 2]


async def test_a_bad_item_fails_alone():
    async def write(items):
        if 3 in items:
            raise Bad("three")
        return list(items)

    commit = GroupCommit(write, is_of_the_data=of_the_data)
    outcomes = await asyncio.gather(*[commit.submit(item) for item in range(6)], return_exceptions=True)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Bad)] == [0, 1, 2, 4, 5]
    assert isinstance(outcomes[3], Bad)


async def test_when_nobody_knows_what_was_committed_nothing_is_written_again():
    tries = 0

    async def write(items):
        nonlocal tries
        tries += 1
        raise ConnectionError("gone")

    commit = GroupCommit(write, is_of_the_data=of_the_data)
    outcomes = await asyncio.gather(*[commit.submit(item) for item in range(5)], return_exceptions=True)
    assert all(isinstance(outcome, ConnectionError) for outcome in outcomes)
    assert tries == 1


async def test_a_lost_race_is_run_again():
    tries = 0

    async def write(items):
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RaceLost
        return list(items)

    assert await GroupCommit(write, is_of_the_data=of_the_data).submit(1) == 1
    assert tries == 3


async def test_more_than_may_wait_is_refused_at_once():
    gate = asyncio.Event()

    async def write(items):
        await gate.wait()
        return list(items)

    commit = GroupCommit(write, is_of_the_data=of_the_data, max_waiting=2)
    first = asyncio.create_task(commit.submit(0))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(commit.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await commit.submit(3)
    gate.set()
    assert await asyncio.gather(first, *waiting) == [0, 1, 2]


async def test_a_caller_that_goes_away_does_not_stop_the_others():
    gate = asyncio.Event()
    written: list[int] = []

    async def write(items):
        await gate.wait()
        written.extend(items)
        return list(items)

    commit = GroupCommit(write, is_of_the_data=of_the_data)
    tasks = [asyncio.create_task(commit.submit(item)) for item in range(3)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*tasks[1:]) == [1, 2]
    assert sorted(written) == [0, 1, 2]
