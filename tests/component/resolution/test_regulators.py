"""Stages of regulators' proceedings: written down, on the timeline, and told."""

from tests.component.resolution.conftest import Desk
from tests.component.resolution.test_handling import told
from tests.support.builders import facts, received

PATH = "/v1/cases/{}/regulator-stages"


async def test_a_stage_is_on_the_timeline_and_told_with_its_own_instant(desk: Desk) -> None:
    of = facts()
    await desk.hear(received(of))
    stage = {
        "authority": "cn-12315",
        "stage": "received",
        "reference": "1110000002024051000001",
        "note": "平台转来",
        "occurred_at": "2024-05-08T16:00:00+08:00",
    }
    made = await desk.post(PATH.format(of.complaint_id), stage)
    assert made.status_code == 201
    assert made.json()["occurred_at"] == "2024-05-08T16:00:00+08:00"
    assert made.headers["ETag"]
    (event,) = await told(desk)
    assert (event["type"], event["authority"], event["stage"]) == ("regulator.stage-recorded", "cn-12315", "received")
    assert event["occurred_at"] == "2024-05-08T16:00:00+08:00"
    timeline = (await desk.dossier(of.complaint_id))["timeline"]
    (item,) = [one for one in timeline if one["kind"] == "regulator.stage-recorded"]
    assert item["text"] == "平台转来"
    assert item["details"]["reference"] == "1110000002024051000001"
    assert item["label"] == {"zh": "监管进展", "en": "Stage of a regulator's proceeding"}


async def test_an_authority_goes_on_when_the_case_is_over(desk: Desk) -> None:
    of = await desk.in_progress()
    await desk.move(of.complaint_id, "withdrawn", reason="客户来电撤回投诉")
    made = await desk.post(PATH.format(of.complaint_id), {"authority": "cn-12315", "stage": "informed"})
    assert made.status_code == 201


async def test_a_stage_to_come_and_one_of_years_ago_are_refused_with_a_pointer(desk: Desk) -> None:
    of = await desk.in_progress()
    for instant in ("2124-05-10T10:00:00+08:00", "2022-05-10T10:00:00+08:00"):
        stage = {"authority": "us-cfpb", "stage": "received", "occurred_at": instant}
        refused = await desk.post(PATH.format(of.complaint_id), stage)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/occurred_at")


async def test_a_stage_by_mistake_is_taken_back_once_and_both_stand_on_the_timeline(desk: Desk) -> None:
    of = await desk.in_progress()
    path = PATH.format(of.complaint_id)
    stage = (await desk.post(path, {"authority": "cn-12315", "stage": "accepted"})).json()
    back = await desk.post(f"{path}/{stage['stage_id']}/take-back", {"reason": "应为 received"})
    assert (back.status_code, back.json()) == (200, stage)
    event = (await told(desk))[-1]
    assert (event["type"], event["stage_id"], event["authority"], event["stage"], event["reason"]) == (
        "regulator.stage-taken-back",
        stage["stage_id"],
        "cn-12315",
        "accepted",
        "应为 received",
    )
    timeline = (await desk.dossier(of.complaint_id))["timeline"]
    assert [item["kind"] for item in timeline if item["kind"].startswith("regulator")] == [
        "regulator.stage-recorded",
        "regulator.stage-taken-back",
    ]
    again = await desk.post(f"{path}/{stage['stage_id']}/take-back", {"reason": "再次"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:redress:problem:regulator-stage-taken-back")


async def test_a_stage_of_another_complaint_is_not_taken_back(desk: Desk) -> None:
    of, other = await desk.in_progress(), facts(number="C-20240510-000002")
    stage = (await desk.post(PATH.format(of.complaint_id), {"authority": "us-cfpb", "stage": "received"})).json()
    await desk.hear(received(other))
    for complaint_id in (other.complaint_id, "018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e41"):
        refused = await desk.post(f"{PATH.format(complaint_id)}/{stage['stage_id']}/take-back", {"reason": "错"})
        assert refused.status_code == 404, refused.text
