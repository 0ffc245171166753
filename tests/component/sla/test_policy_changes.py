"""Policies that change and end while clocks run: what is told, by whom it is done, and what is refused (F9)."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.sla import ClockBreachedV1, ClockCancelledV1, ClockEvent, ClockRepricedV1, EscalationRaisedV1
from shared.contracts.vocabulary import Metric, Urgency
from shared.web.auth import Role
from sla_service.usecases import replay, turns
from tests.component.sla.world import World
from tests.unit.sla.history import STANDARD, Story, at, clock


def policy(policy_id: str = "vip", **changes: Any) -> dict[str, Any]:
    rule = {"every": {"due": {"kind": "elapsed", "time": "PT4H"}}}
    made = {
        "policy_id": policy_id,
        "title": {"zh": policy_id, "en": policy_id},
        "position": 10,
        "calendar": "cn-office",
        "when": {"levels": ["vip"]},
        "rules": {"resolution": rule},
    }
    return {**made, **changes}


def resolved_in(time: str, **more: Any) -> dict[str, Any]:
    spec = STANDARD[0].model_dump(mode="json")
    spec["rules"]["resolution"] = {"every": {"due": {"kind": "elapsed", "time": time}}, **more}
    return spec


async def publish(admin: httpx.AsyncClient, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await admin.post("/v1/policies", json={"policy": spec, "reason": "x", **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def end(admin: httpx.AsyncClient, policy_id: str = "vip", **more: Any) -> httpx.Response:
    return await admin.post(f"/v1/policies/{policy_id}/end", json={"reason": "x", **more})


async def moved(world: World) -> list[tuple[UUID, str, Any, Any, str]]:
    """Every repricing of a resolution that was told: subject, policy, due before and after, reason."""
    return [
        (one.clock.subject_id, f"{one.clock.policy}/{one.clock.policy_version}", one.due_before, one.clock.due_at,
         one.reason) for one in await world.told() if isinstance(one, ClockRepricedV1)
        and one.clock.metric is Metric.RESOLUTION
    ]  # fmt: skip


async def nothing_differs(world: World) -> None:
    assert (await replay.verify(None, world.deps)).found == []


async def test_a_classification_moves_the_running_clock_to_the_policy_of_its_kind_with_the_due_time_before_and_after(
    world: World, admin: httpx.AsyncClient
) -> None:
    await publish(admin, policy("complaints", when={"kinds": ["complaint"], "tags": ["security"]}))
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("10:30"))
    await world.hear(story.classified("10:30", Urgency.MEDIUM, tags=("security",)))
    assert await moved(world) == [(story.id, "complaints/1", at("05-11 10:20"), at("14:20"), "policy")]
    shown = (await admin.get(f"/v1/clocks/{clock(story, Metric.RESOLUTION).clock_id}")).json()
    assert shown["policy"] == "complaints"
    assert shown["why"]["text"]["en"] == "complaints was chosen: kind is complaint, tag is security."
    assert shown["why"]["text"]["zh"] == "选用《complaints》：类别为complaint，标签为security。"
    await nothing_differs(world)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
async def test_in_any_order_of_arrival_the_same_policy_holds(
    world: World, admin: httpx.AsyncClient, order: Sequence[int]
) -> None:
    await publish(admin, policy("complaints", when={"kinds": ["complaint"]}))
    await publish(admin, policy("gold", position=5, when={"levels": ["gold"], "urgencies": ["high"]}))
    story = Story()
    events = [story.received(), story.classified("10:25", Urgency.HIGH)]
    story.became("gold")
    events += [story.wrote("10:28"), story.assigned("10:29")]
    await world.clock.advance_to(at("10:30"))
    for place in order:
        await world.hear(events[place])
    (row,) = [one for one in (await world.rows("clocks"))["clocks"] if one["metric"] == "resolution"]
    assert (row["policy"], row["due_at"]) == ("gold", at("14:20"))
    await nothing_differs(world)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("keep", []),
        ("rebase", [("standard/2", at("05-11 10:20"), at("12:20"), "policy")]),
        ("restart", [("standard/2", at("05-11 10:20"), at("12:30"), "policy")]),
    ],
)
async def test_a_version_published_for_running_clocks_moves_each_once(
    world: World, admin: httpx.AsyncClient, change: str, told: list[Any]
) -> None:
    story = Story()
    await world.hear(story.received())
    await world.clock.advance_to(at("10:30"))
    made = await publish(admin, resolved_in("PT2H"), change=change)
    assert (made["change"], made["ended"], made["valid_to"]) == (change, False, None)
    await nothing_differs(world)  # on its way: nobody takes it for an error
    await world.reprice()
    await world.reprice()
    assert [one[1:] for one in await moved(world)] == told
    await world.hear(story.assigned("10:31"))
    assert [one[1:] for one in await moved(world)] == told
    await nothing_differs(world)
    listed = (await admin.get("/v1/policies")).json()["data"]
    assert [(one["version"], one["valid_to"]) for one in listed] == [(2, None), (1, "2024-05-10T02:30:00Z")]


async def test_a_version_published_ahead_is_told_when_it_comes_and_holds_before_any_timer(
    world: World, admin: httpx.AsyncClient
) -> None:
    """The high complaint was due at 12:20; the version of 12:00 gives it until 16:20, so nobody hears of a breach,
    though the timers wake before the versions are brought on."""
    story = Story(urgency=Urgency.HIGH)
    await world.hear(story.received())
    await publish(admin, resolved_in("PT6H"), change="rebase", valid_from="2024-05-10T12:00:00+08:00")
    await world.reprice()
    await nothing_differs(world)
    assert await moved(world) == []
    clock_id = clock(story, Metric.RESOLUTION).clock_id
    assert (await admin.get(f"/v1/clocks/{clock_id}")).json()["policy_version"] == 1
    await world.advance("12:30")
    assert "breached" not in await world.told_of(clock_id)
    assert (at("12:20"), at("16:20")) in [one[2:4] for one in await moved(world)]
    await world.reprice()
    await world.advance("16:21")
    assert (await world.told_of(clock_id))[-1] == "breached"
    await nothing_differs(world)


async def test_versions_reach_more_clocks_than_a_page_holds_and_a_process_that_dies_leaves_the_rest_to_the_next(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PAGE", 2)
    stories = [Story(f"story{number}") for number in range(5)]
    await world.hear(*[story.received() for story in stories])
    await world.clock.advance_to(at("10:25"))
    await publish(admin, resolved_in("PT2H"), change="rebase")
    assert await turns._reprice_page(world.deps)
    assert len({one[0] for one in await moved(world)}) == 2
    await nothing_differs(world)
    await asyncio.gather(*[turns.reprice_due(world.replica()) for _ in range(3)])
    await turns.reprice_due(world.deps)
    resolutions = [one for one in await moved(world) if one[3] == at("12:20")]
    assert sorted(one[0] for one in resolutions) == sorted(story.id for story in stories)
    await nothing_differs(world)


async def test_a_policy_that_ended_no_longer_nags(world: World, admin: httpx.AsyncClient) -> None:
    chain = [{"role": "agent"}, {"role": "executive", "after": "PT1H"}]
    rule = {"every": {"due": {"kind": "elapsed", "time": "PT1H"}}, "warn": {"share": 0.5}, "escalation": chain}
    await publish(admin, policy(track="agreement", rules={"resolution": rule}))
    running, late = Story("running", received="11:00", level="vip"), Story("late", level="vip")
    await world.hear(late.received())
    await world.advance("11:25")  # late is breached since 11:20, and its agent was called
    await world.hear(running.received())
    assert "agent" in [one.role for one in await world.told() if isinstance(one, EscalationRaisedV1)]
    assert (await end(admin)).status_code == 201
    before = len(await world.told())
    await world.advance("15:00")
    await world.reprice()
    own = [one for one in (await world.told())[before:] if isinstance(one, ClockEvent) and one.clock.policy == "vip"]
    assert {(one.clock.subject_id, one.reason) for one in own if isinstance(one, ClockCancelledV1)} == {
        (running.id, "policy_ended"),
        (late.id, "policy_ended"),
    }
    assert [one for one in own if not isinstance(one, ClockCancelledV1)] == []
    await world.hear(Story("after", received="14:59", level="vip").received())
    rows = (await world.rows("clocks"))["clocks"]
    assert {row["status"] for row in rows if row["policy"] == "vip"} == {"cancelled"}
    assert {row["breached_at"] for row in rows if row["policy"] == "vip"} == {None, at("11:20")}
    await nothing_differs(world)


async def test_an_ended_policy_moves_its_clocks_to_the_next_that_fits_or_lets_them_go_on(
    world: World, admin: httpx.AsyncClient
) -> None:
    await publish(admin, policy())
    await publish(admin, policy("kept", position=20, when={"levels": ["gold"]}))
    vip, gold = Story("vip", level="vip"), Story("gold", level="gold")
    await world.hear(vip.received(), gold.received())
    await world.clock.advance_to(at("11:00"))
    assert (await end(admin)).json()["ended"] is True
    assert (await end(admin, "kept", change="keep")).status_code == 201
    await world.reprice()
    assert await moved(world) == [(vip.id, "standard/1", at("14:20"), at("05-11 10:20"), "policy")]
    rows = {row["history_id"]: row for row in (await world.rows("clocks"))["clocks"] if row["metric"] == "resolution"}
    assert rows[gold.id]["policy"] == "kept"
    await world.advance("14:21")
    assert [one.clock.policy for one in await world.told()
            if isinstance(one, ClockBreachedV1) and one.clock.metric is Metric.RESOLUTION] == ["kept"]  # fmt: skip
    await nothing_differs(world)


async def test_a_promise_an_agreement_and_a_regulator_each_have_their_clock(
    world: World, admin: httpx.AsyncClient
) -> None:
    await publish(admin, policy("ola", track="department", when={}))
    await publish(admin, policy("regulator", track="regulator", when={"kinds": ["complaint"]}))
    story = Story()
    await world.hear(story.received())
    await world.hear(story.classified("10:20", Urgency.MEDIUM))
    listed = (await admin.get("/v1/clocks", params={"complaint": str(story.id), "metric": "resolution"})).json()["data"]
    assert {(one["policy"], one["due_at"]) for one in listed} == {
        ("ola", "2024-05-10T06:20:00Z"),
        ("regulator", "2024-05-10T06:20:00Z"),
        ("standard", "2024-05-11T02:20:00Z"),
    }
    assert len({one["clock_id"] for one in listed}) == 3
    for one in listed:
        told = await world.told_of(UUID(one["clock_id"]))
        assert told[0] == "activated"
        segments = (await admin.get(f"/v1/clocks/{one['clock_id']}/ledger")).json()
        assert segments["policy"] == one["policy"]
    await world.hear(story.resolved("11:00"))
    for one in listed:
        assert (await world.told_of(UUID(one["clock_id"])))[-1] == "fulfilled"


RESOLUTION_RULE = policy()["rules"]["resolution"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"when": {"moods": ["angry"]}}, "/policy/when/moods"),
        ({"when": {"kinds": ["rage"]}}, "/policy/when/kinds/0"),
        ({"when": {"urgencies": ["highest"]}}, "/policy/when/urgencies/0"),
        ({"when": {"levels": ["a\x00"]}}, "/policy"),
        ({"calendar": "mars"}, "/policy/calendar"),
        ({"rules": {}}, "/policy/rules"),
        ({"rules": {"resolution": {"high": RESOLUTION_RULE["every"]}}}, "/policy/rules/resolution"),
        (
            {"rules": {"resolution": {"every": {"due": {"kind": "elapsed", "time": "-PT1H"}}}}},
            "/policy/rules/resolution/every/due/elapsed/time",
        ),
        (
            {"rules": {"resolution": {**RESOLUTION_RULE, "pauses": ["waiting_customer"],
                                      "pause_terms": {"longest": "P9999D"}}}},
            "/policy/rules/resolution/pause_terms/longest",
        ),
        (
            {"rules": {"resolution": {**RESOLUTION_RULE, "pauses": ["waiting_customer"],
                                      "pause_terms": {"longest": "-PT1S"}}}},
            "/policy/rules/resolution/pause_terms/longest",
        ),
        ({"rules": {"resolution": {"every": {"due": {"kind": "own"}}}}}, "/policy/rules"),
        ({"position": 1000}, "/policy/position"),
    ],
)  # fmt: skip
async def test_a_policy_that_cannot_hold_is_refused_with_a_pointer(
    admin: httpx.AsyncClient, changes: dict[str, Any], pointer: str
) -> None:
    answer = await admin.post("/v1/policies", json={"policy": policy(**changes), "reason": "x"})
    assert answer.status_code == 422, answer.text
    found = answer.json()
    assert pointer in [error["pointer"] for error in found["errors"]]


async def test_what_cannot_end_is_refused(world: World, admin: httpx.AsyncClient) -> None:
    assert (await end(admin, "nobody")).status_code == 404
    gap = await end(admin, "standard")
    assert (gap.status_code, gap.json()["type"]) == (422, "urn:redress:problem:policy-gap")
    await publish(admin, policy())
    early = await end(admin, valid_to="2024-05-10T10:00:00+08:00")
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/valid_to")
    assert (await end(admin)).status_code == 201
    again = await end(admin)
    assert (again.status_code, again.json()["type"]) == (409, "urn:redress:problem:policy-ended")
    async with world.client(Role.LEAD) as lead:
        assert (await end(lead)).status_code == 403
    assert (await publish(admin, policy()))["version"] == 3  # it may begin again


async def test_facts_that_were_kept_before_policies_chose_by_them_are_read_as_ever(
    world: World, admin: httpx.AsyncClient
) -> None:
    await publish(admin, policy("complaints", when={"kinds": ["complaint"]}))
    story = Story()
    await world.hear(story.received(), story.classified("10:20", Urgency.MEDIUM))
    async with world.database.session() as tx:
        await tx.execute(text("update facts set about = null"))
    await world.hear(story.assigned("10:30"))
    (row,) = [one for one in (await world.rows("clocks"))["clocks"] if one["metric"] == "resolution"]
    assert row["policy"] == "standard"
