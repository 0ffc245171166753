"""What comes to the doors on a bad day: a clear refusal or quarantine, never a 5xx, and the next one is taken."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from intake_service.channels import cti, in_app, service_point, social_feed
from intake_service.domain.files import Purpose, link_token
from intake_service.domain.message import MESSAGE_EXAMPLE
from intake_service.domain.record import COMPLAINT_EXAMPLE
from intake_service.main import service
from shared.web.auth import Role
from shared.web.ratelimit import Buckets
from tests.component.intake.bad_input import BODIES, TEN_MB, bomb, refused_or_kept, spoiled, written
from tests.component.intake.chatting import CHANNEL as CHAT
from tests.component.intake.conftest import NOW, Intake
from tests.component.intake.conftest import SECRET as TOKEN_SECRET
from tests.component.intake.test_calls import HOTLINE
from tests.component.intake.test_channels import CHANNEL, put
from tests.component.intake.test_doors import APP, FEED
from tests.component.intake.test_papers import PDF, POINT
from tests.component.intake.test_webform import FORM, TYPED, opened
from tests.component.intake.test_wecom import DINGTALK, SECRETS
from tests.support.signing import SECRET, signed
from tests.support.web import client_of
from tests.support.wecom import dingtalk_headers, dingtalk_says

AT = NOW.timestamp()
Send = Callable[[Intake, bytes], Awaitable[httpx.Response]]


def by(path: str, role: Role, method: str = "POST") -> Send:
    async def send(intake: Intake, body: bytes) -> httpx.Response:
        client = await intake.client(role)
        return await client.request(method, path, content=body, headers={"Content-Type": "application/json"})

    return send


def signed_by(path: str, headers: Callable[[bytes, float], dict[str, str]], at: float = AT) -> Send:
    async def send(intake: Intake, body: bytes) -> httpx.Response:
        return await (await intake.client()).post(path, content=body, headers=headers(body, at))

    return send


async def visitor_sends(intake: Intake, path: str, body: bytes, **rest: Any) -> httpx.Response:
    """As the visitor of the chat that the house has."""
    (chat,) = await intake.rows("select id from chats order by opened_at, id limit 1")
    token = link_token(chat.id, NOW + timedelta(hours=1), TOKEN_SECRET, Purpose.CHAT)
    headers = {"X-Chat-Token": token, "Content-Type": "application/json"}
    return await (await intake.client()).post(f"/v1/chats/{chat.id}/{path}", content=body, headers=headers, **rest)


async def say(intake: Intake, body: bytes) -> httpx.Response:
    return await visitor_sends(intake, "messages", body)


#: The doors of those who sign what they send: where they are, and how that is signed.
SIGNED: dict[str, tuple[str, Callable[[bytes, float], dict[str, str]]]] = {
    "dingtalk": ("/v1/channels/robot/dingtalk", lambda _, at: dingtalk_headers(at)),
    "in_app": ("/v1/channels/app/feedback", signed),
    "social_feed": ("/v1/channels/feed/posts", signed),
    "calls": ("/v1/channels/pbx/calls", signed),
}

#: Every door that takes JSON: what is sent to it on a good day, and how.
DOORS: dict[str, tuple[Any, Send]] = {
    "complaints": (COMPLAINT_EXAMPLE, by("/v1/complaints", Role.AGENT)),
    "messages": (MESSAGE_EXAMPLE, by("/v1/messages", Role.ADAPTER)),
    "conversation": (
        {"direction": "inbound", "channel": {"channel": "wecom"}, "text": "什么时候能修好？"},
        by("/v1/complaints/C-20240510-000001/messages", Role.AGENT),
    ),
    "channels": (CHANNEL, by("/v1/channels/mail", Role.ADMIN, "PUT")),
    "dingtalk": (dingtalk_says("d-1", AT), signed_by(*SIGNED["dingtalk"])),
    "in_app": (in_app.EXAMPLE, signed_by(*SIGNED["in_app"])),
    "social_feed": ({"items": social_feed.EXAMPLE["items"][:1]}, signed_by(*SIGNED["social_feed"])),
    "calls": (cti.EXAMPLE, signed_by(*SIGNED["calls"])),
    "papers": (service_point.EXAMPLE, by("/v1/channels/counter/papers", Role.AGENT)),
    "chats": ({"language": "zh"}, by("/v1/channels/site/chats", Role.AGENT)),
    "chat": ({"message_id": "said-1", "text": "订单无法查询"}, say),
}
CHANNELS = {
    "robot": DINGTALK,
    "app": APP,
    "feed": FEED,
    "mail": CHANNEL,
    "pbx": HOTLINE,
    "counter": POINT,
    "site": {key: value for key, value in CHAT.items() if key != "secrets"},
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "INTAKE_SECRET_DOOR": SECRET}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def house(intake: Intake) -> Intake:
    for name, body in CHANNELS.items():
        assert (await put(intake, name, body)).status_code == 201
    for process in intake.services:
        process.deps.chats.opening = process.deps.chats.saying = Buckets(1_000, 1_000)
    assert (await intake.post("/v1/channels/site/chats", {})).status_code == 201
    page = await (await intake.client(Role.AGENT)).post("/v1/attachments", params={"name": "page.pdf"}, content=PDF)
    assert page.status_code == 201
    await intake.run("update attachments set id = '0190d0a4-7c1c-7000-8000-000000000000'")
    await intake.receive(channel={"channel": "hotline", "account": "first"})
    return intake


async def still_there(house: Intake) -> None:
    """Every door takes what is good, and what came is accounted for."""
    for name, (good, send) in DOORS.items():
        answer = await send(house, written(good, "good"))
        assert answer.status_code in (200, 201, 202), (name, answer.text)
    assert (await house.get("/v1/reconciliation", Role.LEAD)).json()["unaccounted"] == 0


async def test_what_is_no_message_at_all_is_refused_or_put_aside_by_every_door(house: Intake) -> None:
    for door, (_, send) in DOORS.items():
        for name, body in BODIES.items():
            answer = await send(house, body)
            refused_or_kept(answer)
            if answer.status_code < 400:
                # A robot's door answers nothing but that it was taken.
                assert door in ("dingtalk", "in_app", "social_feed"), (door, name, answer.text)
            if name == "10 MB of text":
                assert answer.status_code == 413, (door, answer.text)
    put_aside = await house.one("select count(*) from receipts where status = 'quarantined'")
    assert put_aside == await house.one("select count(*) from receipts")
    await still_there(house)


@pytest.mark.parametrize("door", DOORS)
async def test_whatever_stands_in_any_place_of_a_body_stops_no_door(house: Intake, door: str) -> None:
    good, send = DOORS[door]
    for name, body in spoiled(good):
        refused_or_kept(await send(house, written(body, name)))
    await still_there(house)


async def test_a_zone_that_is_not_and_a_time_ahead_are_named(house: Intake) -> None:
    wecom = {"kind": "wecom", "account": "kf", "title": {"zh": "客服", "en": "Help"}, "owner_team": "support"}
    zone = await put(house, "kf", {**wecom, "settings": {"corp_id": "ww0123456789abcdef", "time_zone": "Mars/Olympus"}})
    assert zone.status_code == 422
    assert "/settings/time_zone" in [error["pointer"] for error in zone.json()["errors"]]
    for name in ("happened_at", "received_at", "made_at"):
        ahead = await house.post("/v1/complaints", {**COMPLAINT_EXAMPLE, name: "2024-05-11T00:00:00Z"})
        assert (ahead.status_code, [error["pointer"] for error in ahead.json()["errors"]]) == (422, [f"/{name}"])
        offset = await house.post("/v1/complaints", {**COMPLAINT_EXAMPLE, name: "2024-05-10T00:00:00"})
        assert (offset.status_code, [error["pointer"] for error in offset.json()["errors"]]) == (422, [f"/{name}"])
    late = await house.post("/v1/messages", {**MESSAGE_EXAMPLE, "occurred_at": "2024-05-11T00:00:00Z"}, Role.ADAPTER)
    assert [doubt["reason"] for doubt in late.json()["doubts"]] == ["from_the_future"]


async def test_a_time_ahead_or_without_a_zone_is_named_by_the_doors_of_calls_papers_and_chats(house: Intake) -> None:
    for door, field in (("calls", "at"), ("papers", "received_at"), ("papers", "made_at"), ("papers", "happened_at")):
        good, send = DOORS[door]
        for wrong in ("2024-05-10T11:00:00+08:00", "2024-05-10T10:00:00", "2024-05-10T10:00:00 Mars/Olympus"):
            answer = await send(house, written({**good, field: wrong}, "late"))
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}"), (door, wrong)
    await still_there(house)


@pytest.mark.parametrize("door", SIGNED)
async def test_what_was_forged_or_is_older_than_five_minutes_is_refused_by_every_door_that_is_signed(
    house: Intake, door: str
) -> None:
    path, headers = SIGNED[door]
    body = written(DOORS[door][0], "forged")
    names = headers(body, AT).keys() - {"Content-Type"}
    for name in names:
        for wrong in ("", "0", "-1", "9" * 18, "v1,AAAA", b"\x7f", b"\xff\xfe", b"x" * 10_000):
            spoilt: Any = {**headers(body, AT), name: wrong}
            answer = await signed_by(path, lambda *_, made=spoilt: made)(house, body)
            refused_or_kept(answer)
            assert answer.status_code in (403, 422), (name, wrong[:10], answer.text)
        missing = {key: value for key, value in headers(body, AT).items() if key != name}
        answer = await signed_by(path, lambda *_, left=missing: left)(house, body)
        assert answer.status_code == 422, (name, answer.text)
    for at in (AT - 301, AT + 301, 0):
        answer = await signed_by(path, headers, at)(house, body)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "stale-callback"), at
    if door != "dingtalk":  # its signature does not cover the body
        answer = await signed_by(path, lambda _, at: headers(b"{}", at))(house, body)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "forged-callback")
    assert await house.one("select (select count(*) from receipts) + (select count(*) from calls)") == 0
    await still_there(house)


async def test_the_form_comes_back_for_people_whatever_was_typed(intake: Intake) -> None:
    browser = await intake.client()
    fields = {**await opened(intake), **TYPED}
    for name in (*TYPED, "form_id", "kind", "kept", "lang", "anonymous"):
        for wrong in ("\x00", "\ud800", "\u202ecod.exe", "<script>alert(1)</script>", "9" * 60_000, "0001-01-01T00:00"):
            body = urlencode({**fields, name: wrong}, errors="surrogatepass")
            answer = await browser.post("/form", content=body, headers=FORM)
            assert answer.status_code in (303, 422, 429), (name, wrong[:20], answer.text)
            assert "<script" not in answer.text
    large = await browser.post("/form", content=urlencode({**fields, "symptom": "x" * TEN_MB}), headers=FORM)
    assert large.status_code == 413
    assert (await browser.get("/form?kind=complaint")).status_code == 200


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


async def test_scripts_are_text_on_every_page(intake: Intake) -> None:
    attack = "'\"></textarea></title><script>alert(1)</script><img src=x onerror=alert(1)>"
    browser = await intake.client()
    fields = {**await opened(intake), **TYPED, "symptom": attack, "name": attack, "product": attack}
    taken = await browser.post("/form", content=urlencode(fields), headers=FORM)
    assert taken.status_code == 303
    place = "/" + taken.headers["location"]
    pages = [
        await browser.get(place),
        await browser.get(place.replace("done", "status")),
        await browser.get("/form", params={"kind": attack, "lang": attack}),
        await browser.get(f"/form/status/{quote(attack.replace('/', ''))}"),
        await browser.post(
            "/form", content=urlencode({**fields, "happened_at": attack, "contact": attack}), headers=FORM
        ),
        await browser.post(
            "/form", data={**fields, "contact": ""}, files=[("files", (attack, b"<script>", "text/html"))]
        ),
    ]
    for page in pages:
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        tags = _Tags(page.text)
        assert not tags.found & {"script", "img"}, page.text
        assert not tags.handlers


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066..\\..\\boot.ini", "boot.ini"),
        ("a\x00b\r\nSet-Cookie: x.txt", "abSet-Cookie: x.txt"),
        ("/etc/passwd", "passwd"),
    ],
)
async def test_a_file_name_hides_nothing(intake: Intake, name: str, kept: str) -> None:
    client = await intake.client(Role.ADAPTER)
    answer = await client.post("/v1/attachments", params={"name": name}, content=b"a file")
    assert (answer.status_code, answer.json()["name"]) == (201, kept)
    got = await intake.get(f"/v1/attachments/{answer.json()['id']}", Role.AGENT)
    assert "set-cookie" not in got.headers
    assert got.headers["content-disposition"].startswith("attachment;")


async def test_a_zip_bomb_is_a_file_like_any_other(intake: Intake) -> None:
    content = bomb()
    client = await intake.client(Role.ADAPTER)
    kept = (await client.post("/v1/attachments", params={"name": "photos.zip"}, content=content)).json()
    assert (kept["size_bytes"], kept["media_type"]) == (len(content), "application/zip")
    assert len(content) < 100_000
    body = {**MESSAGE_EXAMPLE, "attachments": [{"id": kept["id"]}]}
    assert (await intake.post("/v1/messages", body, Role.ADAPTER)).json()["status"] == "created"
    assert (await intake.get(f"/v1/attachments/{kept['id']}", Role.AGENT)).content == content


async def test_whoever_sends_too_much_is_told_when_to_go_on(intake: Intake) -> None:
    settings = intake.services[0].deps.settings.model_copy(
        update={"rate_limit_per_second": 0.5, "rate_limit_burst": 3, "form_rate_limit_burst": 1}
    )
    slow = service(settings, intake.clock, None)
    try:
        async with client_of(slow.app, Role.ADAPTER) as client:
            answers = [await client.post("/v1/messages", json=MESSAGE_EXAMPLE) for _ in range(5)]
        last = answers[-1]
        assert (last.status_code, last.json()["type"].rpartition(":")[2]) == (429, "too-many-requests")
        assert last.headers["retry-after"] == "2"
        assert last.headers["ratelimit-policy"] == '"default";q=3;w=6'
        assert last.headers["ratelimit"] == '"default";r=0;t=2'
        assert answers[0].headers["ratelimit"].startswith('"default";r=2;')
    finally:
        await slow.database.close()


async def test_the_doors_of_chats_tell_their_own_limits(house: Intake) -> None:
    for process in house.services:
        hub = process.deps.chats
        hub.opening, hub.saying, hub.uploading = (Buckets(0.5, 1) for _ in range(3))

    async def attach(intake: Intake, _: bytes) -> httpx.Response:
        return await visitor_sends(intake, "files", bomb(), params={"name": "invoice\u202epiz.exe"})

    for send, body, policy in (
        (DOORS["chats"][1], b"{}", "open-chat"),
        (say, written(DOORS["chat"][0], "much"), "say"),
        (attach, b"", "attach"),
    ):
        answers = [await send(house, body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 429]
        assert answers[1].headers["retry-after"] == "2"
        assert f'"{policy}";q=1;w=2' in answers[1].headers["ratelimit-policy"]
        assert f'"{policy}";r=0;t=2' in answers[1].headers["ratelimit"]
    assert answers[0].json()["name"] == "invoicepiz.exe"


async def test_twenty_deliveries_at_once_by_any_door_are_one(house: Intake) -> None:
    things = "select sum(n) from (select count(*) n from complaints union all select count(*) from messages"
    things += " union all select count(*) from calls) each"
    for name in DOORS.keys() - {"channels", "chats"}:
        good, send = DOORS[name]
        if name == "conversation":
            good = {**good, "channel": {"channel": "wecom", "account": "kf", "message_id": "w-1"}}
        before = await house.one(things)
        answers = await asyncio.gather(*(send(house, written(good, "good")) for _ in range(20)))
        assert {answer.status_code for answer in answers} <= {200, 201, 202}, name
        assert await house.one(things) - before == 1, name
    fields = urlencode({**await opened(house), **TYPED})
    before = await house.one(things)
    browser = await house.client()
    answers = await asyncio.gather(*(browser.post("/form", content=fields, headers=FORM) for _ in range(20)))
    assert {answer.headers.get("location") for answer in answers if answer.status_code == 303}, "form"
    assert {answer.status_code for answer in answers} == {303}
    assert await house.one(things) - before == 1, "form"
