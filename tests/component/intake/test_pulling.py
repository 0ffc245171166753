"""Fetching from a provider (A8): a made-up kind reads a list that the test writes."""

import asyncio
import json
import os
import signal
import sys
from base64 import b64decode
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from intake_service.channels import KINDS, ChannelFault
from intake_service.usecases import Puller
from intake_service.usecases.handing import hand_in
from shared.bus.crash import PULL_POINTS
from shared.web.auth import Role
from tests.component.intake import shelf
from tests.component.intake.test_channels import put
from tests.component.intake.test_messages import message

CHANNEL = {
    "kind": "shelf",
    "account": "box",
    "title": {"zh": "邮箱", "en": "Mail"},
    "owner_team": "mail-team",
}


def mail(number, **changes):
    named = {"source__channel": "email", "source__account": "box", "source__message_id": f"m-{number}"}
    return message(**(named | {"source__thread_id": None, "content__text": f"问题 {number}"} | changes))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mails.json").write_text("[]")
    return tmp_path / "mails.json"


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    monkeypatch.setitem(KINDS, "shelf", shelf.KIND)


async def state(intake, channel_id="box"):
    return (await intake.get(f"/v1/channels/{channel_id}", Role.ADMIN)).json()


async def until(intake, said, channel_id="box"):
    for _ in range(200):
        if said(found := await state(intake, channel_id)):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


@asynccontextmanager
async def pulling(intake, process=0):
    """A process that fetches, while the block lasts."""
    deps = intake.services[process].deps
    quick = {"channels_refresh_seconds": 0.05, "pull_retry_first_seconds": 0.02, "pull_retry_most_seconds": 0.1}
    deps = replace(deps, settings=deps.settings.model_copy(update=quick))
    task = asyncio.create_task(Puller(deps).pull_channels())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def stock(folder, *mails):
    folder.write_text(json.dumps(list(mails)))


async def state_channel(intake, folder, **settings):
    made = await put(intake, "box", CHANNEL | {"settings": {"path": str(folder), "poll_seconds": 1} | settings})
    assert made.status_code in (200, 201), made.text


async def test_what_arrives_is_fetched_and_the_channel_tells_how_it_does(intake, folder):
    stock(folder, mail(1), mail(2), mail(3))
    async with pulling(intake):
        await state_channel(intake, folder)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert (found["health"], found["unaccounted"], found["lag_seconds"]) == ("healthy", 0, 0.0)
    assert found["last_message_at"] == found["last_contact_at"]
    assert await intake.rows("select message_id, channel_id, status from receipts order by message_id") == [
        (f"m-{number}", "box", "created") for number in (1, 2, 3)
    ]
    assert await intake.one("select cursor from channel_states") == {"next": 3}
    actors = await intake.rows("select distinct actor ->> 'id', actor ->> 'kind' from receipts")
    assert actors == [("channel:box", "adapter")]


async def test_two_processes_fetch_a_channel_one_at_a_time(intake, folder):
    stock(folder, *(mail(number) for number in range(1, 30)))
    async with pulling(intake), pulling(intake, process=1):
        await state_channel(intake, folder)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert await intake.one("select count(*) from complaints") == 29
    assert await intake.one("select taken from channel_states") == 29
    assert found["problems"] == []


async def test_another_process_goes_on_where_one_has_stopped(intake, folder):
    stock(folder, mail(1))
    async with pulling(intake):
        await state_channel(intake, folder)
        await until(intake, lambda it: it["waiting"] == 0)
    stock(folder, mail(1), mail(2))
    async with pulling(intake, process=1):
        for _ in range(200):
            if await intake.one("select taken from channel_states") == 2:
                break
            await asyncio.sleep(0.02)
    assert await intake.one("select count(*) from complaints") == 2


async def test_poison_is_put_aside_with_its_bytes_and_the_next_one_is_taken(intake, folder):
    poison = [
        "\u0000 not a message",
        mail(2, sender__identities=[]),
        mail(1, content__text="somebody else's words with the id of another message"),
    ]
    stock(folder, mail(1), *poison, mail(3))
    async with pulling(intake):
        await state_channel(intake, folder, step=5)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert (found["unaccounted"], found["health"]) == (0, "healthy")
    listed = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert {each["owner"] for each in listed} == {"mail-team"}
    assert sorted(each["doubts"][0]["reason"] for each in listed) == ["no_identity", "refused", "unreadable"]
    bodies = [(await intake.get(f"/v1/quarantine/{each['id']}", Role.LEAD)).json()["body"] for each in listed]
    assert sorted(b64decode(body) for body in bodies) == sorted(json.dumps(each).encode() for each in poison)
    assert await intake.one("select count(*) from complaints") == 2


async def test_a_fetched_message_in_quarantine_is_looked_at_again_as_it_was_read_or_corrected(intake, folder):
    stock(folder, "not a message", mail(2, content__text=" "))
    async with pulling(intake):
        await state_channel(intake, folder)
        await until(intake, lambda it: it["waiting"] == 0)
    listed = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    ids = {each["doubts"][0]["reason"]: each for each in listed}
    unread, empty = ids["unreadable"], ids["no_text"]
    again = await intake.post(f"/v1/quarantine/{unread['id']}/retry", {}, Role.LEAD)
    assert (again.status_code, again.json()["type"]) == (409, "urn:redress:problem:nothing-to-retry")
    again = await intake.post(f"/v1/quarantine/{empty['id']}/retry", {}, Role.LEAD)
    assert (again.status_code, again.json()["status"]) == (200, "quarantined")
    corrected = mail(1, source__message_id=unread["message_id"])
    told = await intake.post(f"/v1/quarantine/{unread['id']}/retry", {"message": corrected}, Role.LEAD)
    assert (told.status_code, told.json()["status"]) == (200, "created")
    (left,) = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert (left["id"], left["owner"]) == (empty["id"], "mail-team")


async def test_a_provider_that_fails_shows_and_is_asked_again(intake, folder):
    folder.unlink()
    async with pulling(intake):
        await state_channel(intake, folder)
        found = await until(intake, lambda it: it["problems"])
        assert (found["health"], found["problems"]) == ("unhealthy", ["The shelf is away; put it back."])
        stock(folder, mail(1))
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert (found["health"], found["problems"]) == ("healthy", [])


async def test_what_exists_and_does_not_arrive_is_unaccounted(intake, folder):
    stock(folder, mail(1), None, mail(3))
    async with pulling(intake):
        await state_channel(intake, folder)
        found = await until(intake, lambda it: it["waiting"] == 0)
    assert found["unaccounted"] == 1


async def test_a_changed_channel_is_served_as_it_is_now_and_a_disabled_one_is_not(intake, folder, tmp_path):
    stock(folder, mail(1))
    other = tmp_path / "other.json"
    stock(other, mail(1), mail(2))
    async with pulling(intake):
        await state_channel(intake, folder)
        await until(intake, lambda it: it["waiting"] == 0)
        await state_channel(intake, other)
        for _ in range(200):
            if await intake.one("select taken from channel_states") == 2:
                break
            await asyncio.sleep(0.02)
        await (await intake.client(Role.ADMIN)).delete("/v1/channels/box")
        await asyncio.sleep(0.2)
        stock(other, mail(1), mail(2), mail(3))
        await asyncio.sleep(0.2)
    assert await intake.one("select count(*) from complaints") == 2


async def test_a_cursor_that_somebody_else_has_moved_is_left_alone(intake, folder):
    stock(folder, mail(1))
    await state_channel(intake, folder)
    deps = intake.services[0].deps
    spec = (await _specs(deps))["box"].spec
    from intake_service.domain.channels import Pulled
    from intake_service.usecases.pulling import MovedOn, take

    await take(spec, Pulled([shelf.incoming(mail(1))], {"next": 1}), 0, deps)
    with pytest.raises(MovedOn):
        await take(spec, Pulled([shelf.incoming(mail(2))], {"next": 2}), 0, deps)
    assert await intake.rows("select cursor, taken from channel_states") == [({"next": 1}, 1)]
    assert await intake.one("select count(*) from receipts") == 1


async def _specs(deps):
    from intake_service.usecases.channels import current

    return await current(deps)


async def test_what_is_pushed_is_handed_in_by_the_same_way(intake, folder):
    await state_channel(intake, folder)
    deps = intake.services[0].deps
    spec = (await _specs(deps))["box"].spec
    first, other = shelf.incoming(mail(1)), shelf.incoming(mail(1, content__text="something else"))
    unread = shelf.incoming("?")
    told = [await hand_in(spec, each.message, each.raw, deps) for each in (first, first, other, unread, unread)]
    assert [each.status for each in told] == ["created", "created", "quarantined", "quarantined", "quarantined"]
    assert len({each.id for each in told}) == 3
    assert told[2].message_id.startswith("m-1~")


@pytest.mark.parametrize("point", PULL_POINTS)
async def test_a_process_that_is_killed_loses_and_doubles_nothing(intake, folder, point):
    stock(folder, *(mail(number) for number in range(1, 6)))
    await state_channel(intake, folder)
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.component.intake.shelf",
        env=os.environ | {"INTAKE_DATABASE_URL": intake.database.url, "REDRESS_CRASH_AT": f"{point}:2"},
    )
    assert await killed.wait() == -signal.SIGKILL
    async with pulling(intake):
        await until(intake, lambda it: it["waiting"] == 0)
    assert await intake.rows("select message_id, status from receipts order by message_id") == [
        (f"m-{number}", "created") for number in range(1, 6)
    ]
    assert await intake.one("select count(*) from complaints") == 5
    (found,) = await intake.rows("select exist, taken, cursor from channel_states")
    assert found == (5, 5, {"next": 5})


def test_the_text_of_a_fault_is_for_people_and_of_anything_else_is_not_shown():
    from intake_service.usecases.pulling import _why

    assert _why(ChannelFault("Renew the token.")) == "Renew the token."
    assert "hunter2" not in _why(ValueError("https://provider.example/?secret=hunter2"))
