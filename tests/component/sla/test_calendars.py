"""A holiday that is announced late: a new version of a calendar, and the clocks that follow it (F9)."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.contracts.sla import ClockRepricedV1
from shared.contracts.vocabulary import Metric
from shared.web.auth import Role
from sla_service.events import CONSUMES
from sla_service.usecases.policies import seed_pack
from sla_service.usecases.replay import verify
from tests.component.sla.world import World
from tests.unit.sla.history import CALENDARS, Story, at, clock

#: The default pack gives a medium complaint eight hours of working time for its resolution.
SATURDAY_OFF = {"2024-05-11": "台风停工"}


def body(**changes: Any) -> dict[str, Any]:
    office = {**CALENDARS[0].model_dump(mode="json"), "closed": SATURDAY_OFF}
    return {"calendar": office, "reason": "台风", **changes}


async def due_of(world: World, story: Story) -> dict[str, Any]:
    rows = (await world.rows("clocks"))["clocks"]
    return {row["metric"]: row["due_at"] for row in rows if row["history_id"] == story.id}


async def repriced(world: World) -> list[ClockRepricedV1]:
    return [event for event in await world.told() if isinstance(event, ClockRepricedV1)]


async def test_a_holiday_published_with_reprice_moves_the_clocks_that_it_concerns_once_each(
    world: World, admin: httpx.AsyncClient
) -> None:
    story, other = Story(), Story("other", received="10:00")
    await world.hear(story.received(), other.received())
    assert (await due_of(world, story))["resolution"] == at("05-11 10:20")
    before = len(await world.told())
    await world.clock.advance_to(at("10:30"))
    answer = await admin.post("/v1/calendars", json=body(reprice=True), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
    await world.reprice()
    assert (answer.json()["version"], answer.json()["valid_from"]) == (2, "2024-05-10T02:30:00Z")
    assert (answer.json()["created_by"]["id"], answer.json()["reason"]) == ("admin-wu", "台风")
    moved = await repriced(world)
    assert {(e.clock.subject_id, e.clock.metric, e.due_before, e.clock.due_at) for e in moved} == {
        (story.id, Metric.RESOLUTION, at("05-11 10:20"), at("05-13 10:20")),
        (other.id, Metric.RESOLUTION, at("05-11 10:00"), at("05-13 10:00")),
    }
    assert {event.reason for event in moved} == {"calendar_changed"}
    assert len(await world.told()) == before + 2
    again = await admin.post("/v1/calendars", json=body(reprice=True), headers={"Idempotency-Key": "k"})
    assert again.json() == answer.json()
    await world.hear(story.told("10:35"))
    assert len(await repriced(world)) == 2
    assert (await verify(None, world.deps)).differing == 0
    told = (await admin.get(f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}")).json()
    assert told["due_at"] == "2024-05-13T02:20:00Z"


async def test_the_ledger_names_the_new_holiday_and_the_version_of_the_calendar(
    world: World, admin: httpx.AsyncClient
) -> None:
    story = Story()
    await world.hear(story.received())
    await admin.post("/v1/calendars", json=body(reprice=True))
    await world.reprice()
    await world.clock.advance_to(at("05-13 09:30"))
    told = (await admin.get(f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}/ledger")).json()
    assert told["calendar_version"] == 2
    assert "休息：台风停工" in [one["text"]["zh"] for one in told["segments"]]


async def test_without_reprice_running_clocks_keep_their_calendar_and_new_ones_get_the_new_one(
    world: World, admin: httpx.AsyncClient
) -> None:
    before, after = Story("before"), Story("after", received="10:40")
    await world.hear(before.received())
    await world.clock.advance_to(at("10:30"))
    assert (await admin.post("/v1/calendars", json=body())).status_code == 201
    await world.hear(before.told("10:35"), after.received())
    assert (await due_of(world, before))["resolution"] == at("05-11 10:20")
    assert (await due_of(world, after))["resolution"] == at("05-13 10:40")
    assert await repriced(world) == []
    assert (await verify(None, world.deps)).differing == 0


async def test_a_clock_that_is_due_or_done_before_the_holiday_is_valid_keeps_its_due_time(
    world: World, admin: httpx.AsyncClient
) -> None:
    early, late = Story("early", received="09:00"), Story("late")
    await world.hear(early.received(), late.received())  # early is due on 05-10 at 18:00
    answer = await admin.post("/v1/calendars", json=body(reprice=True, valid_from="2024-05-11T08:00:00+08:00"))
    assert answer.status_code == 201, answer.text
    await world.reprice()
    assert (await due_of(world, early))["resolution"] == at("18:00")
    assert (await due_of(world, late))["resolution"] == at("05-13 10:20")
    await world.advance("05-10 18:01")
    rows = {row["history_id"]: row for row in (await world.rows("clocks"))["clocks"] if row["metric"] == "resolution"}
    assert (rows[early.id]["breached_at"], rows[late.id]["breached_at"]) == (at("18:00"), None)
    assert (await verify(None, world.deps)).differing == 0


async def test_a_day_that_becomes_a_working_day_does_not_make_a_clock_due_in_the_past(
    world: World, admin: httpx.AsyncClient
) -> None:
    story = Story(received="05-11 17:00")
    await world.clock.advance_to(at("05-11 17:00"))
    await world.hear(story.received())
    assert (await due_of(world, story))["resolution"] == at("05-13 17:00")
    await world.clock.advance_to(at("05-13 12:30"))
    await admin.post(
        "/v1/calendars",
        json=body(reprice=True, calendar={**body()["calendar"], "closed": {}, "open": {"2024-05-12": ["09:00-18:00"]}}),
    )
    await world.reprice()
    assert (await due_of(world, story))["resolution"] == at("05-13 12:30")
    assert (await repriced(world))[-1].due_before == at("05-13 17:00")


async def test_a_publication_waits_for_those_who_fold_by_the_book_as_it_was(
    world: World, admin: httpx.AsyncClient
) -> None:
    story = Story()
    received = story.received()
    async with world.database.session() as tx:
        await CONSUMES[type(received)]([received], tx, world.deps)
        publishing = asyncio.create_task(admin.post("/v1/calendars", json=body(reprice=True)))
        await asyncio.sleep(0.3)
        assert not publishing.done()
    assert (await publishing).status_code == 201
    await world.reprice()
    assert [event.due_before for event in await repriced(world)] == [at("05-11 10:20")]
    assert (await due_of(world, story))["resolution"] == at("05-13 10:20")
    assert (await verify(None, world.deps)).differing == 0


async def test_as_of_before_the_publication_the_clock_stands_as_it_stood(
    world: World, admin: httpx.AsyncClient
) -> None:
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("10:30"))
    await admin.post("/v1/calendars", json=body(reprice=True))
    await world.reprice()
    path = f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}"
    then = await admin.get(path, params={"as_of": "2024-05-10T10:25:00+08:00"})
    now = await admin.get(path, params={"as_of": "2024-05-10T10:30:00+08:00"})
    assert (then.json()["due_at"], now.json()["due_at"]) == ("2024-05-11T02:20:00Z", "2024-05-13T02:20:00Z")


async def test_a_start_leaves_a_calendar_that_a_person_has_changed(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post("/v1/calendars", json=body())
    await seed_pack(world.replica())
    told = (await admin.get("/v1/calendars")).json()["data"]
    assert [(one["version"], one["created_by"] is None) for one in told if one["calendar_id"] == "cn-office"] == [
        (2, False),
        (1, True),
    ]


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"calendar": {**body()["calendar"], "week": {}}}, 422, "/calendar/week"),
        (
            {"calendar": {**body()["calendar"], "week": {"mon": ["09:00-13:00", "12:00-18:00"]}}},
            422,
            "/calendar/week/mon",
        ),
        ({"calendar": {**body()["calendar"], "zone": "Asia/Atlantis"}}, 422, "/calendar/zone"),
        ({"calendar": {**body()["calendar"], "closed": {"2024-05-11": "a\x00"}}}, 422, "/calendar/closed/2024-05-11"),
        ({"valid_from": "2024-05-10T10:00:00+08:00"}, 422, "/valid_from"),
        ({"reason": ""}, 422, "/reason"),
    ],
)
async def test_a_calendar_that_cannot_hold_is_refused_with_a_pointer(
    admin: httpx.AsyncClient, changes: dict[str, Any], status: int, pointer: str
) -> None:
    answer = await admin.post("/v1/calendars", json=body(**changes))
    assert answer.status_code == status, answer.text
    assert pointer in [error.get("pointer") for error in answer.json()["errors"]]


async def test_a_version_cannot_begin_before_one_that_waits(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/v1/calendars", json=body(valid_from="2024-06-01T00:00:00Z"))).status_code == 201
    answer = await admin.post("/v1/calendars", json=body())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:redress:problem:calendar-not-newest")


async def test_only_an_admin_changes_calendars(world: World) -> None:
    async with world.client(Role.LEAD) as lead:
        assert (await lead.post("/v1/calendars", json=body())).status_code == 403
