"""What WeCom's callbacks, its messages and DingTalk's files are on a bad day: refused, or kept or put aside; and the
next one is taken."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from shared.web.auth import Role
from tests.component.intake.bad_input import BODIES, TEN_MB, bomb, refused_or_kept, spoiled
from tests.component.intake.conftest import NOW, Intake
from tests.component.intake.test_channels import put
from tests.component.intake.test_pulling import pulling, until
from tests.component.intake.test_wecom import DINGTALK, DOOR, ROBOT, SECRETS, opened, receipts, taken
from tests.support.wecom import (
    CALLBACK_TOKEN,
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
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML: dict[str, bytes] = {
    "an external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
    "a parameter entity": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]><xml><Encrypt/></xml>',
    "a document type elsewhere": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/x.dtd"><xml><Encrypt>x</Encrypt></xml>',
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><xml><Encrypt>&l9;</Encrypt></xml>'.encode(),
    "20,000 elements in each other": b"<xml>" * 20_000 + b"</xml>" * 20_000,
    "an encoding that is not": b'<?xml version="1.0" encoding="mars"?><xml><Encrypt>x</Encrypt></xml>',
    "UTF-7": b'<?xml version="1.0" encoding="utf-7"?><xml><Encrypt>+ADw-</Encrypt></xml>',
    "a control character": b"<xml><Encrypt>\x00\x07</Encrypt></xml>",
    "no end": b"<xml><Encrypt>" + b"x" * 100_000,
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def platform() -> AsyncGenerator[Platform]:
    async with served(Platform(AT)) as each:
        yield each


async def called(intake: Intake, query: Any, body: bytes | str) -> httpx.Response:
    return await (await intake.client()).post(DOOR, params=query, content=body)


async def test_whatever_is_posted_as_a_callback_is_refused_and_a_good_one_wakes_the_pull(
    intake: Intake, platform: Platform
) -> None:
    async with pulling(intake):
        await opened(intake, platform, poll_seconds=3600)
        await until(intake, lambda it: it["last_contact_at"], "kf")
        query, good = callback(AT, "ENC-1")
        for name, body in (BODIES | XML).items():
            answer = await called(intake, query, body)
            refused_or_kept(answer)
            assert answer.status_code == (413 if name == "10 MB of text" else 400), (name, answer.text)
        for name, inside in (BODIES | XML).items():
            cipher = encrypted(inside)
            answer = await called(intake, callback_query(cipher, AT), f"<xml><Encrypt>{cipher}</Encrypt></xml>")
            refused_or_kept(answer)
            harmless = name in ("20,000 elements in each other", "UTF-7", "HTML")
            assert answer.status_code in ((200, 400, 413) if harmless else (400, 413)), (name, answer.text)
        platform.items, platform.sync_tokens = [customer_says("m-1", AT)], {"ENC-1"}
        answers = await asyncio.gather(*(called(intake, query, good) for _ in range(20)))
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, "success")}
        await taken(intake, 1)
    assert await receipts(intake) == [("m-1", "created")]


async def test_forged_and_old_callbacks_are_refused_whatever_is_wrong_with_them(
    intake: Intake, platform: Platform
) -> None:
    await opened(intake, platform)
    query, body = callback(AT)
    for name in query:
        for wrong in ("", "0", "-1", "9" * 18, "\x00", "\u0661\u0662", "ÿ", "\u202e", "x" * 10_000):
            answer = await called(intake, query | {name: wrong}, body)
            refused_or_kept(answer)
            assert answer.status_code in (403, 422), (name, wrong[:10], answer.text)
        answer = await called(intake, {key: value for key, value in query.items() if key != name}, body)
        assert answer.status_code == 422
    for at in (AT - 301, AT + 301, 0):
        old = await called(intake, *callback(at))
        assert (old.status_code, old.json()["type"]) == (403, "urn:redress:problem:stale-callback")
    strangers = encrypted(b"<xml/>", receiver="ww-another")
    for cipher in (strangers, encrypted(b"<xml/>", key="A" * 43), "", "not Base64", "AAAA", "é" * 40):
        signed = callback_query(cipher, AT, token=CALLBACK_TOKEN)
        forged = await called(intake, signed, f"<xml><Encrypt>{cipher}</Encrypt></xml>".encode())
        assert (forged.status_code, forged.json()["type"]) == (403, "urn:redress:problem:forged-callback"), cipher
        asked = await (await intake.client()).get(DOOR, params=signed | {"echostr": cipher})
        assert asked.status_code == 403
    assert (await called(intake, query, body)).status_code == 200


def items() -> list[Any]:
    """Messages of customers with something wrong in each place, under an id each."""
    kinds: list[dict[str, Any]] = [
        {},
        {"image": {"media_id": "gone"}},
        {"location": {"name": "店", "latitude": 1.5}},
        {"merged_msg": {"title": "记录", "item": [{"sender_name": "a", "msgtype": "text", "msg_content": "{}"}]}},
        {"unheard_of": {"some": "thing"}},
    ]
    wrong: list[Any] = []
    for number, body in enumerate(kinds):
        for name, item in spoiled(customer_says("m", AT, sender=f"wm-{number}", **body), share=8):
            wrong.append({**item, "msgid": f"{number}-{name}"} if item.get("msgid") == "m" else item)
    texts = ["x" * TEN_MB, "<script>alert(1)</script>", "a\x00b\x07", "\ud800", "\u202exe.cod", " \u200b "]
    wrong += [customer_says(f"text-{n}", AT, text) for n, text in enumerate(texts)]
    for depth in (500, 900, 950, 970, 100_000):
        content = '{"text":' * depth + "1" + "}" * depth
        told = {"title": "x", "item": [{"msgtype": "text", "msg_content": content}]}
        wrong.append(customer_says(f"deep-{depth}", AT, merged_msg=told))
    times: list[Any] = [0, -1, 2**63, 10**400, 1e300, int(AT) + 86_400, 253402300799, "1715307660", True, None]
    wrong += [{**customer_says(f"at-{n}", AT), "send_time": at} for n, at in enumerate(times)]
    return [*wrong, None, True, 1, "text", [], {}, [[[]]]]


async def test_whatever_wecom_tells_is_kept_or_put_aside_and_the_next_message_is_taken(
    intake: Intake, platform: Platform
) -> None:
    platform.items = [event("e-0", AT, "enter_session"), *items()]
    platform.most = 40
    count = len(platform.items) - 1
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, count)
        platform.items.append(customer_says("good", AT, sender="wm-good"))
        await taken(intake, count + 1)
        found = await until(intake, lambda it: it["health"] == "healthy", "kf")
    assert (found["unaccounted"], found["problems"]) == (0, [])
    told = dict(await receipts(intake))
    assert (told["good"], told["text-1"]) == ("created", "created")
    doubts = "select doubts -> 0 ->> 'reason' from receipts where message_id = :id"
    assert await intake.one(doubts, id="text-0") == "too_long"
    assert await intake.one(doubts, id="at-5") == "from_the_future"
    assert {told[f"at-{n}"] for n in (1, 2, 3, 4, 8, 9)} == {"quarantined"}
    same = len({json.dumps(item) for item in platform.items}) - 1
    assert await intake.one("select count(*) from receipts") == same
    assert (await intake.get("/v1/reconciliation", Role.LEAD)).json()["unaccounted"] == 0


async def test_an_answer_that_is_none_shows_and_the_next_one_is_taken(intake: Intake, platform: Platform) -> None:
    lists = [
        b'{"errcode": 0, "next_cursor": %s, "has_more": 0, "msg_list": %s}' % each
        for each in ((b"[1]", b"{}"), (b'"c0"', b'"text"'), (b"1e400", b"[1e400]"))
    ]
    none = [BODIES[name] for name in ("nothing", "10,000 objects", "a number of 5,000 digits", "10 MB of text")]
    platform.babble["/cgi-bin/kf/sync_msg"] = [*none, *lists]
    platform.babble["/cgi-bin/gettoken"] = [none[1], b'{"access_token": "x", "expires_in": %s}' % (b"9" * 400)]
    platform.items = [customer_says("m-1", AT)]
    async with pulling(intake):
        await opened(intake, platform)
        for _ in range(500):
            if not any(platform.babble.values()) and ("m-1", "created") in await receipts(intake):
                break
            await asyncio.sleep(0.02)
        await until(intake, lambda it: it["health"] == "healthy", "kf")
    assert ("m-1", "created") in await receipts(intake)


async def test_files_of_customers_hide_nothing_and_a_bomb_is_a_file_like_any_other(
    intake: Intake, platform: Platform
) -> None:
    names = ["invoice\u202efdp.exe", "..\\..\\boot.ini", "/etc/passwd", "x" * 5_000 + ".txt"]
    platform.files = {f"f-{n}": (name, "text/html", b"<script>%d</script>" % n) for n, name in enumerate(names)}
    platform.files["bomb"] = ("photos.zip", "application/zip", bomb())
    platform.items = [customer_says(key, AT, sender=key, file={"media_id": key}) for key in platform.files]
    async with pulling(intake):
        await opened(intake, platform)
        await taken(intake, len(platform.items))
    hosts = {"host": platform.url, "file_hosts": ["127.0.0.1"]}
    assert (await put(intake, "robot", DINGTALK | {"settings": hosts})).status_code == 201
    platform.codes = {f"c-{n}": ("text/html", b"<script>d%d</script>" % n) for n, _ in enumerate(names)}
    platform.codes["bomb"] = ("application/zip", bomb())
    for code, name in zip(platform.codes, [*names, "photos.zip"], strict=True):
        told = dingtalk_says(code, AT, msgtype="file", content={"downloadCode": code, "fileName": name})
        answer = await (await intake.client()).post(ROBOT, content=as_json(told), headers=dingtalk_headers(AT))
        assert answer.status_code == 200, answer.text
    assert {status for _, status in await receipts(intake)} <= {"created", "appended"}
    kept = await intake.rows("select id, name, size_bytes from attachments join blobs using (sha256)")
    assert len(kept) == 2 * len(names) + 2
    assert not [each.name for each in kept if set(each.name) & set("\u202e\\/\x00") or len(each.name) > 255]
    assert {each.size_bytes for each in kept if each.name == "photos.zip"} == {len(bomb())}
    for each in kept:
        shown = await intake.get(f"/v1/attachments/{each.id}", Role.AGENT)
        assert shown.headers["content-disposition"].startswith("attachment;")
    assert (await intake.get("/v1/reconciliation", Role.LEAD)).json()["unaccounted"] == 0
