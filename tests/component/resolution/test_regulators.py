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
