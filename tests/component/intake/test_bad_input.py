"""What comes to the doors on a bad day: a clear refusal or quarantine, never a 5xx, and the next one is taken."""

import asyncio
import copy
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from intake_service.channels import in_app, social_feed
from intake_service.domain.message import MESSAGE_EXAMPLE
from intake_service.domain.record import COMPLAINT_EXAMPLE
from intake_service.main import service
from shared.web.auth import Role
from tests.component.intake.conftest import NOW, Intake
from tests.component.intake.test_channels import CHANNEL, put
from tests.component.intake.test_doors import APP, FEED
from tests.component.intake.test_webform import FORM, TYPED, opened
from tests.component.intake.test_wecom import DINGTALK, SECRETS
from tests.support.signing import SECRET, signed
from tests.support.web import client_of
from tests.support.wecom import dingtalk_headers, dingtalk_says

AT = NOW.timestamp()
TEN_MB = 10 * 2**20
Send = Callable[[Intake, bytes], Awaitable[httpx.Response]]


def by(path: str, role: Role, method: str = "POST") -> Send:
    async def send(intake: Intake, body: bytes) -> httpx.Response:
        client = await intake.client(role)
        return await client.request(method, path, content=body, headers={"Content-Type": "application/json"})

    return send


def signed_by(path: str, headers: Callable[[bytes], dict[str, str]]) -> Send:
    async def send(intake: Intake, body: bytes) -> httpx.Response:
        return await (await intake.client()).post(path, content=body, headers=headers(body))

    return send


#: Every door that takes JSON: what is sent to it on a good day, and how.
DOORS: dict[str, tuple[Any, Send]] = {
    "complaints": (COMPLAINT_EXAMPLE, by("/v1/complaints", Role.AGENT)),
    "messages": (MESSAGE_EXAMPLE, by("/v1/messages", Role.ADAPTER)),
    "conversation": (
        {"direction": "inbound", "channel": {"channel": "wecom"}, "text": "什么时候能修好？"},
        by("/v1/complaints/C-20240510-000001/messages", Role.AGENT),
    ),
    "channels": (CHANNEL, by("/v1/channels/mail", Role.ADMIN, "PUT")),
    "dingtalk": (dingtalk_says("d-1", AT), signed_by("/v1/channels/robot/dingtalk", lambda _: dingtalk_headers(AT))),
    "in_app": (in_app.EXAMPLE, signed_by("/v1/channels/app/feedback", lambda body: signed(body, AT))),
    "social_feed": (
        {"items": social_feed.EXAMPLE["items"][:1]},
        signed_by("/v1/channels/feed/posts", lambda body: signed(body, AT)),
    ),
}


#: By what a door knows a delivery again.
IDS = ("call-20240510-0001", "m-1@mail.example", "d-1", "fb-20240510-7f3a")


def written(body: Any, number: int | str) -> bytes:
    """The body under an id that no other delivery has."""
    text = json.dumps(body)
    for each in IDS:
        text = text.replace(f'"{each}"', f'"{each}-{number}"')
    return text.encode()


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "INTAKE_SECRET_DOOR": SECRET}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def house(intake: Intake) -> Intake:
    for name, body in (("robot", DINGTALK), ("app", APP), ("feed", FEED), ("mail", CHANNEL)):
        assert (await put(intake, name, body)).status_code == 201
    await intake.receive(channel={"channel": "hotline", "account": "first"})
    return intake


def refused_or_kept(answer: httpx.Response) -> None:
    """A problem that says what is wrong, or something that was taken or put aside."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]
        assert len(answer.content) < 20_000


async def still_there(house: Intake) -> None:
    """Every door takes what is good, and what came is accounted for."""
    for name, (good, send) in DOORS.items():
        answer = await send(house, written(good, "good"))
        assert answer.status_code in (200, 201, 202), (name, answer.text)
    assert (await house.get("/v1/reconciliation", Role.LEAD)).json()["unaccounted"] == 0


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "10,000 lists": b"[" * 10_000 + b"]" * 10_000,
    "10,000 lists that do not end": b"[" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "a number of 5,000 digits": b"9" * 5_000,
    "a number without end": b"1e999999",
    "NaN": b"NaN",
    "null": b"null",
    "half a surrogate": rb'"\ud800"',
    "HTML": b"<html><script>alert(1)</script></html>",
    "XML with an entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "10 MB of text": b'"' + b"x" * TEN_MB + b'"',
}


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


#: What stands where something else belongs.
WRONG: tuple[Any, ...] = (
    None,
    True,
    10**400,
    -1.5e300,
    "",
    "\x00",
    "\x07 bell",
    "\ud800",
    "\u202etxt.exe",
    "x" * 20_000,
    "9999-12-31T23:59:59.999999Z",
    "2030-01-01T00:00:00+23:59",
    "Mars/Olympus",
    "<script>alert(1)</script>",
    [],
    {},
    [[[[1]]]],
    json.loads('{"a":' * 500 + "1" + "}" * 500),
)


def changed(good: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all that a body says, parts before what they hold."""
    if path:
        yield path
    if isinstance(good, dict | list):
        for key in good if isinstance(good, dict) else range(len(good)):
            yield from changed(good[key], (*path, key))


@pytest.mark.parametrize("door", DOORS)
async def test_whatever_stands_in_any_place_of_a_body_stops_no_door(house: Intake, door: str) -> None:
    good, send = DOORS[door]
    for number, path in enumerate(changed(good)):
        # Each place is told a fifth of what is wrong, so that a door is asked a hundred times.
        for wrong in WRONG[number % 5 :: 5]:
            body = copy.deepcopy(good)
            part = body
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = wrong
            refused_or_kept(await send(house, written(body, f"{number}-{WRONG.index(wrong)}")))
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


def bomb() -> bytes:
    """A file of some kilobytes that holds 50 MB."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w") as inside,
    ):
        for _ in range(50):
            inside.write(bytes(2**20))
    return made.getvalue()


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


async def test_twenty_deliveries_at_once_by_any_door_are_one(house: Intake) -> None:
    for name in ("complaints", "messages", "conversation", "dingtalk", "in_app", "social_feed"):
        good, send = DOORS[name]
        if name == "conversation":
            good = {**good, "channel": {"channel": "wecom", "account": "kf", "message_id": "w-1"}}
        before = await house.one("select (select count(*) from complaints) + (select count(*) from messages)")
        answers = await asyncio.gather(*(send(house, written(good, "good")) for _ in range(20)))
        assert {answer.status_code for answer in answers} <= {200, 201, 202}, name
        after = await house.one("select (select count(*) from complaints) + (select count(*) from messages)")
        assert after - before == 1, name
