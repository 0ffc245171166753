"""Signed doors for programs of the house: feedback of an app and posts of a feed, once each, however often sent."""

import asyncio
import base64
import copy

import pytest

from intake_service.channels import in_app, social_feed
from shared.web.auth import Role
from tests.component.intake.conftest import NOW
from tests.component.intake.test_channels import put
from tests.support.signing import SECRET, signed, written

AT = NOW.timestamp()
NEXT_KEY = b"the next twenty-four one"
APP = {
    "kind": "in_app",
    "account": "shop-app",
    "title": {"zh": "商城应用", "en": "Shop app"},
    "owner_team": "support",
    "secrets": {"signing_secret": "env:INTAKE_SECRET_DOOR"},
}
FEED = {**APP, "kind": "social_feed", "account": "shop", "co_owner_team": "brand"}
POST, COMMENT = social_feed.EXAMPLE["items"]


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("INTAKE_SECRET_DOOR", SECRET)
    monkeypatch.setenv("INTAKE_SECRET_NEXT", "whsec_" + base64.b64encode(NEXT_KEY).decode())


async def send(intake, path, told, at=AT, process=0, **headers):
    """As whoever knows no more than the address and the secret."""
    body = written(told)
    client = await intake.client(process=process)
    return await client.post(f"/v1/channels/{path}", content=body, headers={**signed(body, at), **headers})


async def opened(intake, channel_id, body):
    assert (await put(intake, channel_id, body)).status_code in (200, 201)


async def test_feedback_is_a_complaint_that_shows_the_device_and_the_version(intake):
    await opened(intake, "app", APP)
    answer = await send(intake, "app/feedback", in_app.EXAMPLE)
    assert (answer.status_code, answer.json()["status"]) == (202, "created")
    shown = (await intake.get(f"/v1/complaints/{answer.json()['complaint']['number']}")).json()
    assert shown["scene"].splitlines()[0] == "应用 App: 5.2.0, 5200417"
    assert (shown["complainant"]["account_id"], shown["complainant"]["phones"]) == ("shop-1001", ["138****1234"])
    assert shown["source"]["message_id"] == "fb-20240510-7f3a"
    assert shown["made_at"] == "2024-05-10T02:20:00Z"


async def test_twenty_deliveries_at_once_are_one_complaint(intake):
    await opened(intake, "app", APP)
    answers = await asyncio.gather(
        *(send(intake, "app/feedback", in_app.EXAMPLE, process=each % 2) for each in range(20))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await intake.one("select count(*) from complaints") == 1


async def test_forged_and_old_ones_are_refused_and_nothing_is_kept(intake):
    await opened(intake, "app", APP)
    path = "app/feedback"
    forged = [
        await send(intake, path, in_app.EXAMPLE, **{"webhook-signature": "v1,AAAA"}),
        await send(intake, path, in_app.EXAMPLE, **{"webhook-id": "msg_2"}),
        await send(intake, path, in_app.EXAMPLE, **{"webhook-signature": "v1,ÿ".encode("latin-1")}),
    ]
    assert {(each.status_code, each.json()["type"].rpartition(":")[2]) for each in forged} == {(403, "forged-callback")}
    for off in (301, -301):
        late = await send(intake, path, in_app.EXAMPLE, at=AT - off)
        assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (403, "stale-callback")
    assert (await send(intake, "feed/feedback", in_app.EXAMPLE)).status_code == 404
    client = await intake.client()
    assert (await client.post("/v1/channels/app/feedback", json=in_app.EXAMPLE)).status_code == 422
    assert await intake.one("select count(*) from receipts") == 0


async def test_a_secret_is_changed_without_a_gap(intake):
    await opened(intake, "app", APP)
    both = {"signing_secret": "env:INTAKE_SECRET_NEXT", "previous_secret": "env:INTAKE_SECRET_DOOR"}
    await opened(intake, "app", APP | {"secrets": both})
    old = await send(intake, "app/feedback", {**in_app.EXAMPLE, "message_id": "old"})
    body = written({**in_app.EXAMPLE, "message_id": "new"})
    new = await (await intake.client()).post(
        "/v1/channels/app/feedback", content=body, headers=signed(body, AT, NEXT_KEY)
    )
    assert (old.status_code, new.status_code) == (202, 202)
    await opened(intake, "app", APP | {"secrets": {"signing_secret": "env:INTAKE_SECRET_NEXT"}})
    assert (await send(intake, "app/feedback", in_app.EXAMPLE)).status_code == 403


async def test_what_cannot_be_read_or_names_no_upload_is_in_quarantine_with_its_bytes(intake):
    await opened(intake, "app", APP)
    for told in (b"not JSON", {**in_app.EXAMPLE, "attachments": ["0190d0a4-7c1c-7000-8000-000000000000"]}):
        answer = await send(intake, "app/feedback", told)
        assert (answer.status_code, answer.json()["status"]) == (202, "quarantined"), answer.text
        kept = (await intake.get(f"/v1/quarantine/{answer.json()['id']}", Role.LEAD)).json()
        assert base64.b64decode(kept["body"]) == written(told)
        assert kept["owner"] == "support"


async def test_a_channel_whose_secret_is_away_says_so_and_tells_a_stranger_no_names(intake, monkeypatch):
    await opened(intake, "app", APP)
    monkeypatch.delenv("INTAKE_SECRET_DOOR")
    answer = await send(intake, "app/feedback", in_app.EXAMPLE)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "channel-away")
    assert "INTAKE_SECRET_DOOR" not in answer.text
    assert "INTAKE_SECRET_DOOR" in (await intake.get("/v1/channels/app", Role.LEAD)).text


async def test_each_item_of_a_feed_has_a_receipt_and_comments_of_the_author_join_the_post(intake):
    await opened(intake, "feed", FEED)
    other = {**copy.deepcopy(COMMENT), "post_id": "3", "author": {"id": "99", "name": "路人"}, "text": "我也遇到了"}
    items = [POST, COMMENT, other, {"platform": "weibo"}]
    answer = await send(intake, "feed/posts", {"items": items})
    assert answer.status_code == 202, answer.text
    found = answer.json()["receipts"]
    assert [each["status"] for each in found] == ["created", "appended", "suggestion", "quarantined"]
    assert found[1]["complaint"] == found[0]["complaint"] == found[2]["suggested"]
    again = await send(intake, "feed/posts", {"items": items})
    assert again.json() == answer.json()
    shown = (await intake.get(f"/v1/complaints/{found[0]['complaint']['number']}")).json()
    assert (shown["made_at"], shown["attachments"][0]["url"]) == ("2024-05-10T01:58:00Z", POST["media"][0]["url"])
    assert "粉丝 followers 120034" in shown["scene"]


async def test_a_body_that_is_no_list_of_items_is_refused_and_an_edited_post_is_kept_for_a_person(intake):
    await opened(intake, "feed", FEED)
    assert (await send(intake, "feed/posts", {"posts": []})).status_code == 400
    first = await send(intake, "feed/posts", {"items": [POST]})
    edited = await send(intake, "feed/posts", {"items": [{**POST, "text": "已解决，谢谢"}]})
    assert [each.json()["receipts"][0]["status"] for each in (first, edited)] == ["created", "quarantined"]


async def test_both_teams_of_a_channel_find_its_complaints(intake):
    await opened(intake, "feed", FEED)
    receipt = (await send(intake, "feed/posts", {"items": [POST]})).json()["receipts"][0]
    number = receipt["complaint"]["number"]
    await intake.receive()
    shown = (await intake.get(f"/v1/complaints/{number}")).json()
    assert shown["channel_teams"] == ["support", "brand"]
    for team in ("support", "brand"):
        listed = (await intake.get(f"/v1/complaints?team={team}")).json()["data"]
        assert [each["number"] for each in listed] == [number]
    assert (await intake.get("/v1/complaints?team=nobody")).json()["data"] == []
