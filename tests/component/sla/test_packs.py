"""Policy packs at the doors: listed in words with their sources, installed once, beside the customer's promise."""

from typing import Any

import httpx

from shared.contracts.sla import ClockEvent
from shared.contracts.vocabulary import Metric, RegulatorStage
from tests.component.sla.world import World
from tests.unit.sla.history import Story, at


async def packs_of(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await client.get("/v1/packs")
    assert answer.status_code == 200
    return {one["name"]: one for one in answer.json()["data"]}


async def test_the_packs_are_listed_with_their_sources_and_the_users_own_is_installed(
    world: World, agent: httpx.AsyncClient
) -> None:
    found = await packs_of(agent)
    assert {name: one["installed"] for name, one in found.items()} == {
        "cn-12315": False,
        "cn-beijing-12345": False,
        "default": True,
        "uk-fca-disp": False,
        "us-cfpb": False,
    }
    (policy,) = found["cn-12315"]["policies"]
    accept = next(rule for rule in policy["rules"] if rule["metric"] == "regulator_accept")
    assert accept["words"] == {"zh": "第 7 个工作日下班前", "en": "by close of business of working day 7"}
    assert (accept["source"]["article"], accept["source"]["read_in_original"]) == ("14", False)


async def test_a_pack_is_installed_once_and_adds_clocks_in_its_own_track(
    world: World, admin: httpx.AsyncClient
) -> None:
    first = await admin.post("/v1/packs/cn-12315/install")
    assert first.status_code == 200
    assert first.json() == {
        "name": "cn-12315",
        "policies": [{"policy_id": "cn-12315", "version": 1, "done": "published"}],
    }
    again = await admin.post("/v1/packs/cn-12315/install", json={})
    assert again.json()["policies"][0]["done"] == "unchanged"
    assert (await packs_of(admin))["cn-12315"]["installed"] is True
    rows = (await admin.get("/v1/policies")).json()["data"]
    (row,) = [one for one in rows if one["policy_id"] == "cn-12315"]
    assert (row["version"], row["reason"], row["created_by"]["id"]) == (1, "pack cn-12315", "admin-wu")

    story = Story()
    story.received()
    await world.clock.advance_to(at("11:00"), settle_seconds=0)
    story.stage("11:00", RegulatorStage.RECEIVED)
    await world.hear(*story.events)
    clocks = (await admin.get("/v1/clocks", params={"complaint": str(story.id)})).json()["data"]
    assert {one["metric"] for one in clocks} == {
        "first_response",
        "resolution",
        "periodic_update",
        "regulator_accept",
    }
    (accept,) = [one for one in clocks if one["metric"] == "regulator_accept"]
    # Saturday 11 makes up for Labour Day: 11, 13, 14, 15, 16, 17, 20
    assert accept["due_at"] == "2024-05-20T10:00:00Z"
    assert (accept["subject"], accept["title"]["zh"]) == ("regulator_stage", "12315 投诉：监管受理决定")
    await world.clock.advance_to(at("12:00"), settle_seconds=0)
    ledger = (await admin.get(f"/v1/clocks/{accept['clock_id']}/ledger")).json()
    assert ledger["segments"][0]["reason"] == "started"
    verdict = (await admin.post("/v1/clocks/verify")).json()
    assert (verdict["clocks"], verdict["differing"]) == (4, 0)
    told = [one for one in await world.told() if isinstance(one, ClockEvent)]
    assert Metric.REGULATOR_ACCEPT in {one.clock.metric for one in told}


async def test_a_pack_holds_for_whom_the_installation_says(world: World, admin: httpx.AsyncClient) -> None:
    body = {"when": {"channels": ["hotline"]}}
    done = (await admin.post("/v1/packs/uk-fca-disp/install", json=body)).json()["policies"]
    assert [(one["policy_id"], one["done"]) for one in done] == [
        ("uk-fca-disp", "published"),
        ("uk-fca-summary", "published"),
    ]
    await world.clock.advance_to(at("10:30"), settle_seconds=0)
    story = Story(received="10:30")
    story.received()
    await world.hear(*story.events)
    clocks = (await admin.get("/v1/clocks", params={"complaint": str(story.id)})).json()["data"]
    beside = {(one["policy"], one["metric"]): one["due_at"] for one in clocks if one["policy"].startswith("uk-")}
    assert beside == {
        # Friday in London: Monday; Monday, Tuesday, Wednesday; day 56 is July 5
        ("uk-fca-disp", "acknowledge"): "2024-05-13T16:00:00Z",
        ("uk-fca-summary", "resolution"): "2024-05-15T16:00:00Z",
        ("uk-fca-disp", "resolution"): "2024-07-05T23:00:00Z",
    }


async def test_what_a_person_has_changed_since_is_left(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post("/v1/packs/us-cfpb/install")
    rows = (await admin.get("/v1/policies")).json()["data"]
    policy = next(one["policy"] for one in rows if one["policy_id"] == "us-cfpb")
    policy["rules"]["regulator_respond"]["every"]["due"]["days"] = 10
    changed = await admin.post("/v1/policies", json={"policy": policy, "reason": "内部要求 10 天"})
    assert changed.status_code == 201
    again = (await admin.post("/v1/packs/us-cfpb/install")).json()["policies"]
    assert again == [{"policy_id": "us-cfpb", "version": 2, "done": "kept"}]
    shown = (await packs_of(admin))["us-cfpb"]["policies"]
    assert shown[0]["own"] is True
    assert shown[0]["rules"][0]["words"]["en"] == "within 10 calendar days"


async def test_only_an_administrator_installs_and_an_unknown_pack_names_the_known(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    assert (await agent.post("/v1/packs/us-cfpb/install")).status_code == 403
    unknown = await admin.post("/v1/packs/de-bafin/install")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:redress:problem:unknown-pack")
    assert "there are cn-12315" in unknown.json()["detail"]
