"""Files: uploaded, named by complaints and messages, read back, swept and erased."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from intake_service.domain.message import MESSAGE_EXAMPLE
from intake_service.usecases import Deps, attachments
from shared.web.auth import Role
from tests.component.intake.conftest import Intake, complaint

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
DIGEST = hashlib.sha256(PNG).hexdigest()


async def upload(intake: Intake, content: bytes = PNG, name: str = "照片.png", **rest: Any) -> httpx.Response:
    client = await intake.client(Role.ADAPTER)
    return await client.post("/v1/attachments", params={"name": name}, content=content, **rest)


async def uploaded(intake: Intake, content: bytes = PNG, name: str = "照片.png") -> dict[str, Any]:
    answer = await upload(intake, content, name)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def message(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {**MESSAGE_EXAMPLE, "source": {**MESSAGE_EXAMPLE["source"], "message_id": f"m-{number}"}, **changes}


def deps_of(intake: Intake) -> Deps:
    deps: Deps = intake.services[0].deps
    return deps


def paths_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in paths_in(folder))


async def test_an_upload_is_told_by_its_content_and_kept_under_its_sha_256(intake: Intake, tmp_path: Path) -> None:
    answer = await upload(intake, headers={"Content-Type": "text/html"})
    receipt = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/attachments/{receipt['id']}"
    assert receipt == {
        "id": receipt["id"],
        "sha256": DIGEST,
        "size_bytes": len(PNG),
        "media_type": "image/png",
        "name": "照片.png",
        "scan": "not_scanned",
    }
    assert await intake.one("select stated_type from attachments") == "text/html"
    assert (tmp_path / DIGEST[:2] / DIGEST[2:4] / DIGEST).read_bytes() == PNG


async def test_the_same_content_twice_is_two_uploads_of_one_file(intake: Intake, tmp_path: Path) -> None:
    first, second = await uploaded(intake, name="a.png"), await uploaded(intake, name="b.png")
    assert first["id"] != second["id"]
    assert files_in(tmp_path) == [DIGEST]
    assert await intake.one("select count(*) from blobs") == 1


async def test_a_repeated_key_is_one_upload_and_with_another_file_refused(intake: Intake) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first, again = await upload(intake, headers=key), await upload(intake, headers=key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await intake.one("select count(*) from attachments") == 1
    other = await upload(intake, b"another", headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:redress:problem:idempotency-key-reused")


async def test_a_file_over_the_limit_is_refused_with_or_without_its_length_and_nothing_stays(
    intake: Intake, tmp_path: Path
) -> None:
    limit = deps_of(intake).settings.max_attachment_bytes

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(limit // 2**20 + 1):
            yield bytes(2**20)

    client = await intake.client(Role.ADAPTER)
    for content in (endless(), bytes(limit + 1)):
        answer = await client.post("/v1/attachments", content=content)
        assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert files_in(tmp_path) == []


async def test_a_large_file_passes_where_other_bodies_may_not(intake: Intake) -> None:
    content = bytes(deps_of(intake).settings.max_body_bytes + 1)
    assert (await uploaded(intake, content))["size_bytes"] == len(content)


async def test_readers_may_not_upload_and_adapters_may_not_read(intake: Intake) -> None:
    receipt = await uploaded(intake)
    assert (await intake.get(f"/v1/attachments/{receipt['id']}", Role.ADAPTER)).status_code == 403
    client = await intake.client(Role.QUALITY)
    assert (await client.post("/v1/attachments", content=PNG)).status_code == 403


async def test_a_complaint_shows_its_files_and_where_they_are_read(intake: Intake) -> None:
    by_id, elsewhere = await uploaded(intake), {"name": "b.pdf", "url": "https://files.example/b.pdf"}
    by_digest = {"name": "again.png", "sha256": DIGEST}
    received = await intake.receive(attachments=[{"id": by_id["id"]}, by_digest, elsewhere])
    first, second, third = (await intake.get(f"/v1/complaints/{received['id']}")).json()["attachments"]
    assert first == {
        "id": by_id["id"],
        "name": "照片.png",
        "media_type": "image/png",
        "size_bytes": len(PNG),
        "url": None,
        "sha256": DIGEST,
        "href": f"/v1/attachments/{by_id['id']}",
        "scan": "not_scanned",
    }
    assert (second["name"], second["sha256"]) == ("again.png", DIGEST)
    assert (await intake.get(second["href"])).content == PNG
    assert (third["url"], third["href"], third["scan"]) == ("https://files.example/b.pdf", None, None)


UNKNOWN_ID = "0190d0a4-7c1c-7000-8000-000000000001"


@pytest.mark.parametrize("unknown", [{"id": UNKNOWN_ID}, {"name": "a", "sha256": "0" * 64}])
async def test_an_unknown_upload_is_refused_with_its_pointer_by_every_door(
    intake: Intake, unknown: dict[str, str]
) -> None:
    files = [{"name": "b.pdf", "url": "https://files.example/b.pdf"}, unknown]
    received = await intake.receive()
    spoken = {"direction": "inbound", "channel": {"channel": "hotline"}, "text": "录音", "attachments": files}
    for path, body in (
        ("/v1/complaints", complaint(attachments=files, channel__message_id="call-2")),
        ("/v1/messages", message(attachments=files)),
        (f"/v1/complaints/{received['id']}/messages", spoken),
    ):
        answer = await intake.post(path, body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:redress:problem:unknown-attachment"), path
        assert answer.json()["errors"][0]["pointer"] == "/attachments/1"
    assert await intake.one("select count(*) from complaints") == 1
    assert await intake.one("select count(*) from receipts") == 0


async def test_an_id_with_the_sha_256_of_another_file_is_refused(intake: Intake) -> None:
    receipt = await uploaded(intake)
    answer = await intake.post("/v1/complaints", complaint(attachments=[{"id": receipt["id"], "sha256": "0" * 64}]))
    assert answer.json()["type"] == "urn:redress:problem:unknown-attachment"


async def test_messages_bring_files_to_the_complaint_that_they_make_and_to_its_thread(intake: Intake) -> None:
    first, second = await uploaded(intake), await uploaded(intake, b"a recording", "录音.txt")
    made = await intake.post("/v1/messages", message(attachments=[{"id": first["id"]}]), Role.ADAPTER)
    added = await intake.post("/v1/messages", message(2, attachments=[{"id": second["id"]}]), Role.ADAPTER)
    assert (made.json()["status"], added.json()["status"]) == ("created", "appended")
    path = f"/v1/complaints/{made.json()['complaint']['id']}"
    assert [each["id"] for each in (await intake.get(path)).json()["attachments"]] == [first["id"]]
    (thread,) = (await intake.get(f"{path}/messages")).json()["data"]
    assert [(each["id"], each["name"]) for each in thread["attachments"]] == [(second["id"], "录音.txt")]
    assert (await intake.get(thread["attachments"][0]["href"])).text == "a recording"


async def test_a_message_as_it_came_may_be_an_upload(intake: Intake) -> None:
    raw = await uploaded(intake, b"From: zhang@example.com\r\n\r\nhi", "message.eml")
    body = message(raw={"sha256": raw["sha256"], "media_type": "message/rfc822"})
    answer = await intake.post("/v1/messages", body, Role.ADAPTER)
    assert answer.json()["status"] == "created"
    unknown = await intake.post("/v1/messages", message(2, raw={"sha256": "0" * 64}), Role.ADAPTER)
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/raw/sha256")
    neither = await intake.post("/v1/messages", message(3, raw={}), Role.ADAPTER)
    assert (neither.status_code, neither.json()["errors"][0]["pointer"]) == (422, "/raw")


async def test_a_message_in_quarantine_keeps_its_files(intake: Intake) -> None:
    receipt = await uploaded(intake)
    unreadable = message(content={"text": ""}, attachments=[{"id": receipt["id"]}])
    answer = await intake.post("/v1/messages", unreadable, Role.ADAPTER)
    assert answer.json()["status"] == "quarantined"
    await intake.clock.advance_to(intake.clock.now() + timedelta(days=2))
    await attachments.tidy(deps_of(intake))
    assert (await intake.get(f"/v1/attachments/{receipt['id']}")).content == PNG


async def test_a_repeated_delivery_is_answered_though_its_files_are_gone(intake: Intake) -> None:
    receipt = await uploaded(intake)
    body = message(attachments=[{"id": receipt["id"]}])
    first = await intake.post("/v1/messages", body, Role.ADAPTER)
    view = (await intake.get(f"/v1/complaints/{first.json()['complaint']['id']}")).json()
    await intake.post(f"/v1/complainants/{view['complainant']['id']}/erasure", None, Role.ADMIN)
    again = await intake.post("/v1/messages", body, Role.ADAPTER)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


async def test_a_refused_neighbour_in_a_batch_harms_nobody(intake: Intake) -> None:
    bodies = [complaint(channel__message_id=f"call-{number}") for number in range(6)]
    for body in bodies[::2]:
        body["attachments"] = [{"id": UNKNOWN_ID}]
    bodies.append(bodies[0])
    answers = await asyncio.gather(*(intake.post("/v1/complaints", body) for body in bodies))
    assert [answer.status_code for answer in answers] == [422, 201, 422, 201, 422, 201, 422]


async def test_a_download_is_a_file_to_be_saved_and_is_recorded(intake: Intake) -> None:
    receipt = await uploaded(intake)
    path = f"/v1/attachments/{receipt['id']}"
    answer = await intake.get(path)
    assert (answer.status_code, answer.content) == (200, PNG)
    told = {
        "content-type": "image/png",
        "content-length": str(len(PNG)),
        "content-disposition": "attachment; filename=\"__.png\"; filename*=UTF-8''%E7%85%A7%E7%89%87.png",
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-cache",
        "accept-ranges": "bytes",
        "etag": f'"{DIGEST}"',
    }
    assert {name: answer.headers[name] for name in told} == told
    (access,) = (await intake.get(f"{path}/accesses", Role.MANAGER)).json()["data"]
    assert (access["what"], access["actor"]["id"]) == ("download", "agent-li")


async def test_a_page_is_served_as_bytes(intake: Intake) -> None:
    receipt = await uploaded(intake, b"<html><script>alert(1)</script>", "x.html")
    assert receipt["media_type"] == "text/html"
    answer = await intake.get(f"/v1/attachments/{receipt['id']}")
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("headers", "status", "expected", "content_range"),
    [
        ({"Range": "bytes=4-7"}, 206, PNG[4:8], f"bytes 4-7/{len(PNG)}"),
        ({"Range": "bytes=-5"}, 206, PNG[-5:], f"bytes {len(PNG) - 5}-{len(PNG) - 1}/{len(PNG)}"),
        ({"Range": "bytes=0-3", "If-Range": f'"{DIGEST}"'}, 206, PNG[:4], f"bytes 0-3/{len(PNG)}"),
        ({"Range": "bytes=0-3", "If-Range": '"another"'}, 200, PNG, None),
        ({"Range": "bytes=0-1,4-5"}, 200, PNG, None),
        ({"If-None-Match": f'W/"{DIGEST}"'}, 304, b"", None),
    ],
)
async def test_parts_of_a_file(
    intake: Intake, headers: dict[str, str], status: int, expected: bytes, content_range: str | None
) -> None:
    receipt = await uploaded(intake)
    answer = await (await intake.client(Role.AGENT)).get(f"/v1/attachments/{receipt['id']}", headers=headers)
    assert (answer.status_code, answer.content) == (status, expected)
    assert answer.headers.get("content-range") == content_range


async def test_bytes_beyond_the_end_are_416_with_the_size(intake: Intake) -> None:
    receipt = await uploaded(intake)
    client = await intake.client(Role.AGENT)
    answer = await client.get(f"/v1/attachments/{receipt['id']}", headers={"Range": f"bytes={len(PNG)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PNG)}")


async def test_head_tells_the_same_without_the_file_and_without_a_record(intake: Intake) -> None:
    receipt = await uploaded(intake)
    path = f"/v1/attachments/{receipt['id']}"
    answer = await (await intake.client(Role.AGENT)).head(path)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(PNG)))
    assert (await intake.get(f"{path}/accesses", Role.MANAGER)).json()["data"] == []


async def test_an_empty_file_is_a_file(intake: Intake) -> None:
    receipt = await uploaded(intake, b"", "empty.txt")
    answer = await intake.get(f"/v1/attachments/{receipt['id']}")
    assert (answer.status_code, answer.content, receipt["media_type"]) == (200, b"", "application/x-empty")


async def test_a_link_opens_without_signing_in_for_a_quarter_of_an_hour(intake: Intake) -> None:
    receipt = await uploaded(intake)
    link = (await intake.post(f"/v1/attachments/{receipt['id']}/links", None)).json()
    assert link["expires_at"] == "2024-05-10T02:36:00Z"
    path = httpx.URL(link["url"]).path
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(intake.services[1].app), base_url="http://test"
    ) as anybody:
        answer = await anybody.get(path)
        assert (answer.status_code, answer.content) == (200, PNG)
        assert (await anybody.head(path)).status_code == 200
        assert (await anybody.get("/files/nonsense")).status_code == 404
        await intake.clock.advance_to(intake.clock.now() + timedelta(minutes=15))
        late = await anybody.get(path)
    assert (late.status_code, late.json()["type"]) == (410, "urn:redress:problem:link-expired")
    (access,) = (await intake.get(f"/v1/attachments/{receipt['id']}/accesses", Role.MANAGER)).json()["data"]
    assert access["what"] == "link"


async def test_uploads_that_nobody_named_are_swept_with_their_files(intake: Intake, tmp_path: Path) -> None:
    unnamed, named = await uploaded(intake, b"unnamed"), await uploaded(intake)
    await intake.receive(attachments=[{"id": named["id"]}])
    await intake.clock.advance_to(intake.clock.now() + timedelta(hours=23))
    await attachments.tidy(deps_of(intake))
    assert len(files_in(tmp_path)) == 2
    await intake.clock.advance_to(intake.clock.now() + timedelta(hours=2))
    await attachments.tidy(deps_of(intake))
    assert files_in(tmp_path) == [DIGEST]
    assert (await intake.get(f"/v1/attachments/{unnamed['id']}")).status_code == 404


async def test_files_of_uploads_that_died_before_their_commit_are_swept(intake: Intake, tmp_path: Path) -> None:
    kept, stray = await uploaded(intake), hashlib.sha256(b"stray").hexdigest()
    place = tmp_path / stray[:2] / stray[2:4] / stray
    place.parent.mkdir(parents=True)
    place.write_bytes(b"stray")
    begun = tmp_path / "unfinished" / "begun"
    begun.write_bytes(b"be")
    for path in (place, begun, *paths_in(tmp_path)):
        os.utime(path, (0, 0))
    await attachments.tidy(deps_of(intake))
    assert files_in(tmp_path) == [kept["sha256"]]


async def test_erasing_a_person_deletes_the_files_that_nobody_else_has(intake: Intake, tmp_path: Path) -> None:
    own, spoken, shared = (
        await uploaded(intake, b"own"),
        await uploaded(intake, b"spoken"),
        await uploaded(intake, b"shared"),
    )
    mine = await intake.receive(attachments=[{"id": own["id"]}, {"id": shared["id"]}])
    await intake.post(
        f"/v1/complaints/{mine['id']}/messages",
        {
            "direction": "inbound",
            "channel": {"channel": "hotline"},
            "text": "录音",
            "attachments": [{"id": spoken["id"]}],
        },
    )
    other = {"name": "李先生", "phones": ["13900005678"]}
    theirs = await intake.receive(
        channel__message_id="call-2", complainant=other, attachments=[{"name": "same", "sha256": shared["sha256"]}]
    )
    erased = await intake.post(f"/v1/complainants/{mine['complainant_id']}/erasure", None, Role.ADMIN)
    assert erased.status_code == 200, erased.text
    assert files_in(tmp_path) == [shared["sha256"]]
    for gone in (own, spoken, shared):
        assert (await intake.get(f"/v1/attachments/{gone['id']}")).status_code == 404
    (still,) = (await intake.get(f"/v1/complaints/{theirs['id']}")).json()["attachments"]
    assert (await intake.get(still["href"])).content == b"shared"


async def test_a_store_that_does_not_answer_is_503_and_keeps_nothing(intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "unfinished").write_bytes(b"a file where the folder should be")
    answer = await upload(intake)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:redress:problem:attachment-store-away")
    assert await intake.one("select count(*) from attachments") == 0
