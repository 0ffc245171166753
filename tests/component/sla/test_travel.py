"""Clocks at another instant, through the HTTP door."""

from typing import Any

import httpx
import pytest

from shared.contracts.vocabulary import Metric
from sla_service.usecases import policies
from tests.component.sla.world import World
from tests.unit.sla.history import ACTOR, STANDARD, Story, at, clock
from tests.unit.sla.own_case import own_case


def wall(time: str) -> str:
    return f"2024-05-10T{time}+08:00"


async def lived(world: World) -> Story:
    """The users' own case, told to its end; it is the Monday after."""
    story = own_case()
    for event in story.events:
        if event.recorded_at > world.clock.now():
            await world.clock.advance_to(event.recorded_at, settle_seconds=0)
        await world.hear(event)
    await world.advance("05-13 09:00")
    return story


async def test_a_clock_its_list_and_its_ledger_as_they_stood_at_10_25(world: World, agent: httpx.AsyncClient) -> None:
    story = await lived(world)
    first = clock(story, Metric.FIRST_RESPONSE).clock_id
    now = (await agent.get(f"/v1/clocks/{first}")).json()
    then = (await agent.get(f"/v1/clocks/{first}", params={"as_of": wall("10:25")})).json()
    assert (now["status"], now["on_time"]) == ("fulfilled", True)
    assert (then["status"], then["on_time"], then["fulfilled_at"]) == ("running", None, None)
    assert (then["remaining_seconds"], then["holder"]["staff_id"], then["revision"]) == (1500.0, "li", 0)
    listed = (await agent.get("/v1/clocks", params={"complaint": str(story.id), "as_of": wall("10:25")})).json()
    assert [one["metric"] for one in listed["data"]] == ["first_response", "periodic_update", "resolution"]
    assert (then.pop("why")["met"], then.pop("pause_findings")) == ([], [])
    assert listed["data"][0] == then
    told = (await agent.get(f"/v1/clocks/{first}/ledger", params={"as_of": wall("10:25")})).json()
    assert (told["elapsed"], told["until"]) == ("PT5M", "2024-05-10T02:25:00Z")


async def test_to_look_at_now_is_to_look_at_what_is_kept(world: World, agent: httpx.AsyncClient) -> None:
    story = await lived(world)
    other = Story("other", received="05-13 08:00")
    await world.hear(other.received(), other.transfer("05-13 08:00"))
    await world.advance("05-13 16:00")
    for one in (story, other):
        asked = {"complaint": str(one.id)}
        kept = (await agent.get("/v1/clocks", params=asked)).json()["data"]
        seen = (await agent.get("/v1/clocks", params={**asked, "as_of": "2024-05-13T16:00:00+08:00"})).json()["data"]
        assert [{**each, "revision": 0} for each in kept] == seen


async def test_before_a_late_reply_was_recorded_the_breach_is_seen_and_after_it_is_not(
    world: World, agent: httpx.AsyncClient
) -> None:
    story = Story()
    await world.hear(story.received())
    await world.advance("11:30")
    await world.hear(story.wrote("10:45", inbound=False, recorded="11:30"))
    first = f"/v1/clocks/{clock(story, Metric.FIRST_RESPONSE).clock_id}"
    before = (await agent.get(first, params={"known_at": wall("11:29")})).json()
    after = (await agent.get(first, params={"known_at": wall("11:30")})).json()
    assert (before["status"], before["breached_at"], before["on_time"]) == ("running", "2024-05-10T02:50:00Z", False)
    assert (after["status"], after["breached_at"], after["on_time"]) == ("fulfilled", None, True)
    both = (await agent.get(first, params={"as_of": wall("10:50"), "known_at": wall("11:29")})).json()
    assert (both["status"], both["breached_at"]) == ("running", None)
    today = (await agent.get(first, params={"as_of": wall("11:29")})).json()
    assert (today["status"], today["fulfilled_at"]) == ("fulfilled", "2024-05-10T02:45:00Z")


async def test_by_what_was_known_then_only_policies_that_were_published_then_hold(
    world: World, agent: httpx.AsyncClient
) -> None:
    """A version is published at 10:25 for clocks from 10:25:30 on; a complaint received at 10:26 falls under it."""
    story = Story(received="10:26")
    rule = {"first_response": {"every": {"due": {"kind": "elapsed", "time": "PT10M"}}}}
    spec = type(STANDARD[0]).model_validate({**STANDARD[0].model_dump(), "rules": {**STANDARD[0].rules, **rule}})
    await world.clock.advance_to(at("10:25"))
    async with world.database.session() as tx:
        await policies.publish(tx, spec, at("10:25:30"), "faster", ACTOR, world.deps)
    await world.clock.advance_to(at("10:40"))
    await world.hear(story.received())
    # heard again later: an import by a clock that is slow, recorded before the version was published
    imported = Story("imported", received="10:26")
    await world.hear(imported.received().model_copy(update={"recorded_at": at("10:22")}))
    asked = {"complaint": str(imported.id), "metric": "first_response", "as_of": wall("10:35")}

    async def due(**more: str) -> list[tuple[str, int]]:
        told = (await agent.get("/v1/clocks", params={**asked, **more})).json()["data"]
        return [(one["due_at"], one["policy_version"]) for one in told]

    assert await due() == [("2024-05-10T02:36:00Z", 2)]
    assert await due(known_at=wall("10:25")) == [("2024-05-10T02:36:00Z", 2)]
    assert await due(known_at=wall("10:24")) == [("2024-05-10T02:56:00Z", 1)]
    assert await due(known_at=wall("10:19")) == []


async def test_a_clock_that_did_not_exist_then_is_absent_from_the_list_and_404_by_itself(
    world: World, agent: httpx.AsyncClient
) -> None:
    story = await lived(world)
    task = clock(story, Metric.TRANSFER_RESPONSE).clock_id
    for path in (f"/v1/clocks/{task}", f"/v1/clocks/{task}/ledger"):
        for parameter in ("as_of", "known_at"):
            gone = await agent.get(path, params={parameter: wall("10:29")})
            assert (gone.status_code, gone.json()["type"]) == (404, "urn:redress:problem:no-such-clock")
            assert (await agent.get(path, params={parameter: wall("10:30")})).status_code == 200
    listed = (await agent.get("/v1/clocks", params={"complaint": str(story.id), "as_of": wall("10:29")})).json()
    assert "transfer_response" not in [one["metric"] for one in listed["data"]]
    before = (await agent.get("/v1/clocks", params={"complaint": str(story.id), "as_of": wall("10:19")})).json()
    assert before["data"] == []


@pytest.mark.parametrize(
    ("asked", "parameter", "kind"),
    [
        ({"as_of": wall("10:20")}, "complaint", "complaint-needed"),
        ({"known_at": wall("10:20")}, "complaint", "complaint-needed"),
        ({"as_of": wall("10:21")}, "as_of", "instant-to-come"),
        ({"as_of": wall("10:20"), "known_at": wall("10:21")}, "known_at", "instant-to-come"),
        ({"as_of": "2024-05-10T10:20"}, "as_of", "invalid"),
        ({"known_at": "yesterday"}, "known_at", "invalid"),
    ],
)
async def test_what_cannot_be_looked_at_is_refused_with_its_parameter(
    agent: httpx.AsyncClient, asked: dict[str, str], parameter: str, kind: str
) -> None:
    answer = await agent.get("/v1/clocks", params=asked)
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["type"]) == (422, f"urn:redress:problem:{kind}")
    assert [error["parameter"] for error in told["errors"]] == [parameter]


async def test_the_list_of_then_is_filtered_and_goes_on_by_cursor(world: World, agent: httpx.AsyncClient) -> None:
    story = await lived(world)
    asked = {"complaint": str(story.id), "as_of": wall("11:15"), "status": "running", "limit": "2"}
    first = (await agent.get("/v1/clocks", params=asked)).json()
    rest = (await agent.get(first["links"]["next"])).json()
    assert [one["metric"] for page in (first, rest) for one in page["data"]] == [
        "promise",
        "transfer_response",
        "resolution",
        "periodic_update",
    ]
    assert rest["links"]["next"] is None
    late = await agent.get("/v1/clocks", params={**asked, "breached": "true"})
    soon = await agent.get("/v1/clocks", params={**asked, "due_before": wall("12:01"), "metric": "promise"})
    assert (late.json()["data"], len(soon.json()["data"])) == ([], 1)
