"""WeCom's customer service and DingTalk's robots as channels: nothing lost, nothing doubled, nothing forged."""

import asyncio
import json
import os
import signal
import sys
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from intake_service.channels.dingtalk.client import Tokens
from intake_service.channels.wecom.client import Batch
from intake_service.channels.wecom.kind import files as wecom_files
from intake_service.channels.wecom.kind import incoming as incoming_of
from intake_service.domain.message import IncomingMessage
from intake_service.usecases.attachments import tidy
from intake_service.usecases.channels import current, open_channel
from intake_service.usecases.media import FETCHING, Patience, with_media
from intake_service.usecases.reconciliation import measure
from shared.bus.crash import PULL_POINTS
from shared.web.auth import Role
from tests.component.intake.conftest import NOW
from tests.component.intake.test_channels import put
from tests.component.intake.test_pulling import pulling, state, until
from tests.support.wecom import (
    ACCOUNT,
    APP_SECRET,
    CALLBACK_TOKEN,
    CORP_ID,
    CORP_SECRET,
    CUSTOMER,
    ENCODING_AES_KEY,
    Platform,
    as_json,
    callback,
    callback_query,
    customer_says,
    dingtalk_headers,
    dingtalk_says,
    encrypted,
    event,
    served,
)

AT = NOW.timestamp()
GONE = "[文件未取回：已过期或不存在。 File was not fetched: it has expired, or never was.]"
REFUSED = (
    "[文件 2/3 未取回：钉钉拒绝（invalidParameter.downloadCode）。 "
    "File 2/3 was not fetched: DingTalk refuses it (invalidParameter.downloadCode).]"
)
ELSEWHERE = (
    "[文件 3/3 未取回：下载地址不在设置 file_hosts 之内。 "
    "File 3/3 was not fetched: its address is at none of the hosts of the setting file_hosts.]"
)
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
SECRETS = {
    "INTAKE_SECRET_WECOM": CORP_SECRET,
    "INTAKE_SECRET_WECOM_TOKEN": CALLBACK_TOKEN,
    "INTAKE_SECRET_WECOM_AES": ENCODING_AES_KEY,
    "INTAKE_SECRET_DINGTALK": APP_SECRET,
}
WECOM = {
    "kind": "wecom",
    "account": ACCOUNT,
    "title": {"zh": "微信客服", "en": "WeCom customer service"},
    "owner_team": "chat-team",
    "secrets": {
        "secret": "env:INTAKE_SECRET_WECOM",
        "callback_token": "env:INTAKE_SECRET_WECOM_TOKEN",
        "encoding_aes_key": "env:INTAKE_SECRET_WECOM_AES",
    },
}
DINGTALK = {
    "kind": "dingtalk",
    "account": "dingtests",
    "title": {"zh": "钉钉机器人", "en": "DingTalk robot"},
    "owner_team": "chat-team",
    "secrets": {"app_secret": "env:INTAKE_SECRET_DINGTALK"},
}
DOOR = "/v1/channels/kf/wecom"
ROBOT = "/v1/channels/robot/dingtalk"


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def platform():
    async with served(Platform(AT)) as each:
        yield each


@pytest.fixture
async def door(intake):
    """As whoever knows no more than the address of the door."""
    return await intake.client()


async def opened(intake, platform, poll_seconds=1, **secrets):
    settings = {"corp_id": CORP_ID, "host": platform.url, "poll_seconds": poll_seconds}
    made = await put(intake, "kf", WECOM | {"settings": settings} | secrets)
    assert made.status_code in (200, 201), made.text


async def robot(intake, platform=None):
    settings = {"host": platform.url} if platform else {}
    assert (await put(intake, "robot", DINGTALK | {"settings": settings})).status_code == 201


async def taken(intake, count, channel_id="kf"):
    for _ in range(300):
        found = await intake.one("select taken from channel_states where channel_id = :id", id=channel_id)
        if found == count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{found} instead of {count}: {await state(intake, channel_id)}")


async def receipts(intake):
    return await intake.rows("select message_id, status from receipts order by message_id")


async def test_what_customers_write_is_pulled_into_complaints_and_their_threads(intake, platform):
    other = {"sender": "wmAnother"}
    platform.items = [
        customer_says("m-1", AT - 60, "订单打不开"),
        event("e-1", AT - 59, "enter_session"),
        customer_says("m-2", AT - 50, image={"media_id": "media-1"}),
        customer_says("m-3", AT - 40, "我也是", **other),
        {**customer_says("m-4", AT - 30, "您好"), "origin": 5},
    ]
    platform.most = 2
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 3)
        found = await until(intake, lambda it: it["health"] == "healthy", "kf")
    assert await receipts(intake) == [("m-1", "created"), ("m-2", "appended"), ("m-3", "created")]
    assert (found["unaccounted"], found["owner_team"]) == (0, "chat-team")
    received = [told for kind, told in await intake.outbox() if kind == "redress.complaint.received.v1"]
    assert received[0]["reply"] == {
        "account": ACCOUNT,
        "address": CUSTOMER,
        "webhook": None,
        "expires_at": "2024-05-12T02:20:00Z",
    }
    (added,) = [told for kind, told in await intake.outbox() if kind == "redress.complaint.message-added.v1"]
    assert added["reply"]["expires_at"] == "2024-05-12T02:20:10Z"
    assert (
        added["text"]
        == "[图片 Image]\n[文件未取回：已过期或不存在。 File was not fetched: it has expired, or never was.]"
    )


async def test_a_conversation_over_midnight_is_one_and_after_a_silent_day_another(intake, platform):
    midnight = NOW.replace(hour=16, minute=0).timestamp() - 86_400
    platform.items = [
        customer_says("m-1", midnight - 86_400 * 2 - 60, "旧问题"),
        customer_says("m-2", midnight - 60, "新问题"),
        customer_says("m-3", midnight + 60, "还在吗"),
    ]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 3)
    assert await receipts(intake) == [("m-1", "created"), ("m-2", "created"), ("m-3", "appended")]


async def test_an_item_that_is_no_message_is_put_aside_and_the_next_one_is_taken(intake, platform):
    poison = {**customer_says("m-1", AT), "external_userid": None}
    platform.items = [poison, customer_says("m-2", AT, ""), customer_says("m-3", AT, "好的")]
    platform.hollow = 1
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 3)
    assert await receipts(intake) == [("m-1", "quarantined"), ("m-2", "quarantined"), ("m-3", "created")]
    first, second = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert (first["owner"], first["doubts"][0]["reason"]) == ("chat-team", "unreadable")
    assert second["doubts"][0]["reason"] == "no_text"
    body = (await intake.get(f"/v1/quarantine/{first['id']}", Role.LEAD)).json()["body"]
    assert json.loads(b64decode(body)) == poison


async def test_a_lost_cursor_brings_back_nothing_twice(intake, platform):
    platform.items = [customer_says(f"m-{n}", AT, f"问题 {n}") for n in range(3)]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 3)
    await intake.run("update channel_states set cursor = null, step = step + 1")
    async with pulling(intake):
        await taken(intake, 6)
    assert [status for _, status in await receipts(intake)] == ["created", "appended", "appended"]


async def test_a_puller_that_is_killed_at_any_point_loses_and_doubles_nothing(intake, platform):
    """Each life but the last is killed at its second pass of a point, so between two answers of WeCom. What was fetched
    for a message that was not written is swept a day later."""
    platform.items = [customer_says(f"m-{n}", AT, sender=f"wm-{n}", image={"media_id": f"media-{n}"}) for n in range(5)]
    platform.files = {f"media-{n}": (f"{n}.png", "image/png", PNG + b"%d" % n) for n in range(5)}
    platform.most = 1
    await opened(intake, platform)
    for point in (*PULL_POINTS, None):
        crash = {"REDRESS_CRASH_AT": f"{point}:2"} if point else {}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.component.intake.wecom_life",
            env=os.environ | {"INTAKE_DATABASE_URL": intake.database.url, "LIFE_UNTIL": "5",
                "INTAKE_BLOBS": intake.services[0].deps.settings.blobs} | crash,
        )  # fmt: skip
        assert await process.wait() == (-signal.SIGKILL if point else 0)
    assert await receipts(intake) == [(f"m-{n}", "created") for n in range(5)]
    assert await intake.one("select count(*) from complaints") == 5
    assert await intake.rows("select exist, taken from channel_states") == [(5, 5)]
    assert await intake.one("select count(*) from attachments") > 5
    await intake.clock.advance_to(datetime.now(UTC) + timedelta(hours=25))
    await tidy(intake.services[0].deps)
    named = await intake.rows("select name from attachments join attachment_uses on attachment_id = id order by name")
    assert len(set(named)) == await intake.one("select count(*) from attachments") == 5


async def test_a_refusal_of_wecom_shows_and_does_not_stop_the_channel(intake, platform):
    platform.refusals["/cgi-bin/kf/sync_msg"] = [60020]
    platform.items = [customer_says("m-1", AT)]
    async with pulling(intake):
        await opened(intake, platform)
        found = await until(intake, lambda it: it["problems"], "kf")
        assert (found["health"], "60020" in found["problems"][0]) == ("unhealthy", True)
        await taken(intake, 1)
        await until(intake, lambda it: it["health"] == "healthy", "kf")


async def test_a_callback_wakes_the_pull(intake, platform, door):
    async with pulling(intake):
        await opened(intake, platform, poll_seconds=3600)
        await until(intake, lambda it: it["last_contact_at"], "kf")
        platform.items = [customer_says("m-1", AT)]
        platform.sync_tokens = {"ENC-1"}
        query, body = callback(AT, "ENC-1")
        answer = await door.post(DOOR, params=query, content=body)
        assert (answer.status_code, answer.text) == (200, "success")
        await taken(intake, 1)
    assert platform.calls_of("/cgi-bin/kf/sync_msg")[-1]["token"] == "ENC-1"


async def test_the_address_is_verified_by_what_was_encrypted(intake, platform, door):
    await opened(intake, platform)
    cipher = encrypted(b"1616140317555161061")
    query = callback_query(cipher, AT) | {"echostr": cipher}
    answer = await door.get(DOOR, params=query)
    assert (answer.status_code, answer.content) == (200, b"1616140317555161061")
    assert answer.headers["content-type"].startswith("text/plain")
    forged = await door.get(DOOR, params=query | {"msg_signature": "0" * 40})
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:redress:problem:forged-callback")


async def test_forged_and_old_callbacks_and_external_entities_are_refused(intake, platform, door):
    await opened(intake, platform)
    query, body = callback(AT)
    forged = await door.post(DOOR, params=query | {"nonce": "1"}, content=body)
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:redress:problem:forged-callback")
    old_query, old_body = callback(AT - 301)
    old = await door.post(DOOR, params=old_query, content=old_body)
    assert (old.status_code, old.json()["type"]) == (403, "urn:redress:problem:stale-callback")
    xxe = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'
    assert (await door.post(DOOR, params=query, content=xxe)).status_code == 400
    assert (await door.post("/v1/channels/other/wecom", params=query, content=body)).status_code == 404
    assert (await door.post(DOOR, content=body)).status_code == 422


async def test_a_channel_without_the_secrets_of_callbacks_says_so(intake, platform, door):
    await opened(intake, platform, secrets={"secret": "env:INTAKE_SECRET_WECOM"})
    query, body = callback(AT)
    answer = await door.post(DOOR, params=query, content=body)
    assert (answer.status_code, "callback_token" in answer.json()["detail"]) == (503, True)


async def test_the_time_since_wecom_was_heard_is_a_metric(intake, platform):
    await opened(intake, platform)
    deps = intake.services[0].deps

    async def lag():
        await measure(deps)
        return deps.gauges.lag.labels("kf", "wecom")._value.get()

    await intake.clock.advance_to(NOW + timedelta(hours=49))
    assert await lag() == 49 * 3600
    async with pulling(intake):
        await until(intake, lambda it: it["last_contact_at"], "kf")
    assert await lag() == 0


async def attached(intake):
    """(name, type, bytes) of every file that something names, as an agent downloads it."""
    found = []
    used = "select id, name, media_type from attachments where id in (select attachment_id from attachment_uses)"
    for attachment_id, name, media_type in await intake.rows(f"{used} order by name"):
        found.append((name, media_type, (await intake.get(f"/v1/attachments/{attachment_id}")).content))
    return found


async def text_of(intake):
    (told,) = [told for kind, told in await intake.outbox() if kind == "redress.complaint.received.v1"]
    return told["symptom"]


async def test_the_files_of_messages_are_fetched_before_they_are_written(intake, platform):
    platform.files = {
        "image-1": ("破屏.png", "image/png", PNG),
        "file-1": ("invoice.json", "application/json", b'{"errcode": 40007}'),
    }
    platform.items = [
        customer_says("m-1", AT - 9, image={"media_id": "image-1"}),
        customer_says("m-2", AT - 8, file={"media_id": "file-1"}),
        customer_says("m-3", AT - 7, "看图"),
    ]
    platform.refusals["/cgi-bin/media/get"] = [42001, -1]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 3)
    assert [status for _, status in await receipts(intake)] == ["created", "appended", "appended"]
    found = await attached(intake)
    assert [(name, content) for name, _, content in found] == [
        ("invoice.json", b'{"errcode": 40007}'),
        ("破屏.png", PNG),
    ]
    complaint_id = await intake.one("select id from complaints")
    (named,) = (await intake.get(f"/v1/complaints/{complaint_id}")).json()["attachments"]
    assert (named["name"], named["media_type"], named["size_bytes"]) == ("破屏.png", "image/png", len(PNG))
    assert await text_of(intake) == "[图片 Image]"


async def test_files_that_cannot_be_had_take_nothing_from_their_messages(intake, platform):
    deps = intake.services[0].deps
    most = replace(deps, settings=deps.settings.model_copy(update={"max_attachment_bytes": 1000}))
    platform.files = {"large": ("large.mp4", "video/mp4", b"x" * 1001), "good": ("good.txt", "text/plain", b"good")}
    platform.items = [
        customer_says(f"m-{place}", AT, sender=f"wm-{place}", file={"media_id": media_id})
        for place, media_id in enumerate(("gone", "large", "good"))
    ]
    await opened(intake, platform)
    spec = (await current(most))["kf"].spec
    channel = open_channel(spec, most)
    batch = incoming_of(spec, Batch(tuple(platform.items), "c", False))
    async with wecom_files(channel) as fetch:
        found = [each.message for each in await with_media(spec, batch, fetch, FETCHING, most)]
    assert [(each.content.text, len(each.attachments)) for each in found if isinstance(each, IncomingMessage)] == [
        (f"[文件 File]\n{GONE}", 0),
        ("[文件 File]\n[文件未取回：超过 1,000 字节。 File was not fetched: it is larger than 1,000 bytes.]", 0),
        ("[文件 File]", 1),
    ]


async def test_a_provider_that_stays_away_holds_no_message_up_for_longer_than_agreed(intake, platform):
    await opened(intake, platform)
    deps = intake.services[0].deps
    spec = (await current(deps))["kf"].spec
    batch = incoming_of(spec, Batch((customer_says("m-1", AT, image={"media_id": "x"}),), "c", False))
    platform.refusals["/cgi-bin/media/get"] = [45009] * 3
    async with wecom_files(open_channel(spec, deps)) as fetch:
        (found,) = await with_media(spec, batch, fetch, Patience(0.3, 0.3, 0.1), deps)
    assert isinstance(found.message, IncomingMessage)
    assert found.message.content.text.endswith("File was not fetched: its provider did not give it.]")


async def test_a_message_that_comes_again_is_the_same_whether_its_file_was_fetched_or_not(intake, platform):
    platform.items = [customer_says("m-1", AT, image={"media_id": "media-1"})]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 1)
    platform.files["media-1"] = ("1.png", "image/png", PNG)
    await intake.run("update channel_states set cursor = null, step = step + 1")
    async with pulling(intake):
        await taken(intake, 2)
    assert await receipts(intake) == [("m-1", "created")]


async def test_a_message_from_quarantine_brings_the_file_that_was_fetched_when_it_came(intake, platform):
    platform.files["media-1"] = ("1.png", "image/png", PNG)
    platform.items = [customer_says("m-1", AT + 7200, image={"media_id": "media-1"})]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, 1)
    assert await receipts(intake) == [("m-1", "quarantined")]
    await intake.clock.advance_to(NOW + timedelta(hours=3))
    (listed,) = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    tried = await intake.post(f"/v1/quarantine/{listed['id']}/retry", {}, Role.LEAD)
    assert tried.status_code == 200, tried.text
    assert await receipts(intake) == [("m-1", "created")]
    assert [name for name, _, _ in await attached(intake)] == ["1.png"]


async def tell(door, body, at=AT, **headers):
    return await door.post(ROBOT, content=body, headers={**dingtalk_headers(at), **headers})


async def test_what_a_robot_is_told_is_a_complaint_once(intake, door):
    await robot(intake)
    body = as_json(dingtalk_says("msg-1", AT))
    fresh = as_json(
        dingtalk_says("msg-1", AT, sessionWebhook="https://oapi.dingtalk.com/robot/sendBySession?session=2")
    )
    answers = [await tell(door, each) for each in (body, body, fresh)]
    assert [(each.status_code, each.json()) for each in answers] == [(200, {"taken": True})] * 3
    assert (await tell(door, as_json(dingtalk_says("msg-2", AT, "快一点")))).status_code == 200
    assert await receipts(intake) == [("msg-1", "created"), ("msg-2", "appended")]
    ((_, received), _) = await intake.outbox()
    assert received["source"]["channel"] == "dingtalk"
    assert received["reply"]["webhook"].endswith("session=0123456789abcdef")
    assert received["reply"]["expires_at"] == "2024-05-10T03:51:00Z"


async def test_the_files_that_a_robot_is_told_of_are_fetched(intake, door, platform, monkeypatch):
    monkeypatch.setattr("intake_service.channels.dingtalk.client.TOKENS", Tokens())
    await robot(intake, platform)
    platform.codes = {"c-1": ("image/png", PNG), "elsewhere": ("text/plain", b"secret")}
    content = {"richText": [{"text": "看"}, *({"downloadCode": code} for code in ("c-1", "gone", "elsewhere"))]}
    for message_id in ("msg-1", "msg-2", "msg-1"):
        body = as_json(dingtalk_says(message_id, AT, msgtype="richText", content=content))
        assert (await tell(door, body)).status_code == 200
        platform.dingtalk_ends += message_id == "msg-1"
    assert await receipts(intake) == [("msg-1", "created"), ("msg-2", "appended")]
    assert [content for _, _, content in await attached(intake)] == [PNG, PNG]
    assert (await text_of(intake)).splitlines() == [
        "看",
        *["[图片 Image]"] * 3,
        REFUSED,
        ELSEWHERE,
    ]
    assert len(platform.calls_of("/v1.0/oauth2/accessToken")) == 2


async def test_another_member_of_the_group_does_not_join(intake, door):
    await robot(intake)
    await tell(door, as_json(dingtalk_says("msg-1", AT)))
    await tell(door, as_json(dingtalk_says("msg-2", AT, "我也是", senderStaffId="user456")))
    assert await receipts(intake) == [("msg-1", "created"), ("msg-2", "suggestion")]


async def test_forged_and_old_messages_of_a_robot_are_refused(intake, door):
    await robot(intake)
    body = as_json(dingtalk_says("msg-1", AT))
    forged = await tell(door, body, sign="AAAA")
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:redress:problem:forged-callback")
    old = await tell(door, body, at=AT - 301)
    assert (old.status_code, old.json()["type"]) == (403, "urn:redress:problem:stale-callback")
    assert (await door.post(ROBOT, content=body)).status_code == 422
    assert await receipts(intake) == []


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b"{}", b"[" * 5000, as_json(dingtalk_says("m" * 300, AT))])
async def test_what_a_robot_tells_unreadably_is_kept(intake, door, body):
    await robot(intake)
    assert (await tell(door, body)).status_code == 200
    (told,) = (await intake.get("/v1/quarantine", Role.LEAD)).json()["data"]
    assert (told["owner"], told["doubts"][0]["reason"]) == ("chat-team", "unreadable")
