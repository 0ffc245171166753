"""Files in a live chat: from either side, once, each chat its own (A1, A2, A6, A8)."""

import asyncio
import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from intake_service.usecases import attachments
from intake_service.usecases.scanning import scan_next
from shared.web.auth import Role
from tests.component.intake.test_attachments import PNG, UNKNOWN_ID, files_in
from tests.component.intake.test_scanning import with_scanner
from tests.support.clamd import EICAR, running_clamd
from tests.support.web import client_of

DIGEST = hashlib.sha256(PNG).hexdigest()


async def uploaded(chat, opened, content=PNG, name="照片.png"):
    answer = await chat.upload(opened, content, name)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def by_agent(chat, content=PNG, name="说明.png"):
    client = await chat.intake.client(Role.AGENT)
    return (await client.post("/v1/attachments", params={"name": name}, content=content)).json()["id"]


async def downloaded(chat, url):
    async with client_of(chat.intake.services[1].app) as anybody:
        return await anybody.get(urlsplit(url).path)


async def test_both_sides_send_files_and_read_each_others_and_the_complaint_has_them(chat):
    opened = await chat.open(language="zh")
    first = await chat.upload(opened, PNG, "../照片.png")
    told = first.json()
    assert (first.status_code, told["name"], told["media_type"]) == (201, "照片.png", "image/png")
    async with chat.socket(opened) as visitor:
        await visitor.send(type="message", message_id="1", text="请看", files=[told["id"]])
        assert (await visitor.next("accepted"))["seq"] == 1
        (own,) = (await visitor.next("message"))["files"]
        assert {name: own[name] for name in ("id", "name", "media_type", "size_bytes", "scan")} == {
            "id": told["id"],
            "name": "照片.png",
            "media_type": "image/png",
            "size_bytes": len(PNG),
            "scan": "not_scanned",
        }
        assert "href" not in own
        assert (await downloaded(chat, own["url"])).content == PNG
        await chat.act(opened, "join")
        async with chat.socket(opened, process=1, agent="agent-li") as agent:
            (theirs,) = (await agent.next("message"))["files"]
            assert (theirs["name"], theirs["href"]) == ("照片.png", f"/v1/attachments/{told['id']}")
            assert "url" not in theirs
            assert (await chat.intake.get(theirs["href"])).content == PNG
            answer = await by_agent(chat, b"how to", "步骤.txt")
            await agent.send(type="message", message_id="1", text="请看步骤", files=[answer])
            assert (await agent.next("accepted"))["seq"] == 3
        (got,) = (await visitor.until("message", seq=3))["files"]
        assert (got["name"], got["size_bytes"]) == ("步骤.txt", 6)
        assert (await downloaded(chat, got["url"])).text == "how to"
        second = await uploaded(chat, opened, b"more", "more.txt")
        await visitor.send(type="message", message_id="2", text="还有", files=[second])
        await visitor.until("accepted", message_id="2")
    complaint = await chat.intake.one("select id from complaints")
    shown = (await chat.intake.get(f"/v1/complaints/{complaint}")).json()["attachments"]
    assert [(each["id"], each["href"]) for each in shown] == [(told["id"], f"/v1/attachments/{told['id']}")]
    thread = (await chat.intake.get(f"/v1/complaints/{complaint}/messages")).json()["data"]
    assert [(each["direction"], [file["id"] for file in each["attachments"]]) for each in thread] == [
        ("outbound", [answer]),
        ("inbound", [second]),
    ]
    reads = (await chat.intake.get(f"/v1/attachments/{told['id']}/accesses", Role.MANAGER)).json()["data"]
    assert [(each["what"], each["actor"]["id"]) for each in reads] == [("download", "agent-li")]


async def test_files_without_words_are_told_by_their_names(chat):
    opened = await chat.open()
    files = [await uploaded(chat, opened), await uploaded(chat, opened, b"x", "b.txt")]
    assert (await chat.said(opened, "1", files=[files[0], *files])).json()["seq"] == 1
    await chat.act(opened, "join")
    answer = {"message_id": "1", "files": [await by_agent(chat)]}
    assert (await chat.act(opened, "messages", answer)).status_code == 201
    entries = await chat.entries(opened)
    assert [each["text"] for each in entries] == ["[文件 File]\n照片.png\nb.txt", None, "[文件 File]\n说明.png"]
    assert [file["id"] for file in entries[0]["files"]] == files
    assert await chat.intake.one("select record->>'symptom' from complaints") == "[文件 File]\n照片.png\nb.txt"
    neither = await chat.said(opened, "2")
    assert (neither.status_code, neither.json()["type"]) == (422, "urn:redress:problem:invalid")


async def test_a_message_with_files_that_is_sent_again_is_one_and_with_other_files_refused(chat):
    opened = await chat.open()
    first, other = await uploaded(chat, opened), await uploaded(chat, opened, b"other")
    sends = (chat.said(opened, "1", "请看", process=each % 2, files=[first]) for each in range(10))
    assert {(answer.status_code, answer.json()["seq"]) for answer in await asyncio.gather(*sends)} == {(201, 1)}
    assert await chat.intake.one("select count(*) from complaints") == 1
    for files in ([other], [first, other], []):
        answer = await chat.said(opened, "1", "请看", files=files)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/message_id")
    await chat.act(opened, "join")
    mine = {"message_id": "1", "text": "好", "files": [await by_agent(chat)]}
    answers = await asyncio.gather(*(chat.act(opened, "messages", mine) for _ in range(5)))
    assert {(answer.status_code, answer.json()["seq"]) for answer in answers} == {(201, 3)}
    changed = await chat.act(opened, "messages", mine | {"files": []})
    assert (changed.status_code, changed.json()["errors"][0]["pointer"]) == (422, "/message_id")
    assert [len(each["files"] or ()) for each in await chat.entries(opened)] == [1, 0, 1]


async def test_a_file_of_another_chat_or_of_nobody_is_refused_with_its_pointer(chat):
    opened, another = await chat.open(), await chat.open()
    own, others = await uploaded(chat, opened), await uploaded(chat, another)
    ours = await by_agent(chat)
    for wrong in (others, ours, UNKNOWN_ID):
        answer = await chat.said(opened, "1", "请看", files=[own, wrong])
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:redress:problem:unknown-attachment")
        assert answer.json()["errors"][0]["pointer"] == "/files/1"
    async with chat.socket(opened) as visitor:
        await visitor.send(type="message", message_id="1", text="请看", files=[others])
        error = await visitor.next("error")
        assert (error["code"], error["message_id"], error["pointer"]) == ("unknown-attachment", "1", "/files/0")
    assert await chat.intake.one("select count(*) from receipts") == 0
    await chat.said(opened, "1", "hello")
    await chat.act(opened, "join")
    answer = await chat.act(opened, "messages", {"message_id": "1", "text": "x", "files": [own, others]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/files/1")
    assert (await chat.act(opened, "messages", {"message_id": "1", "text": "x", "files": [own]})).status_code == 201


@pytest.mark.parametrize("chat", [{"max_attachment_bytes": 700_000, "chat_files_burst": 4}], indirect=True)
async def test_uploads_have_the_limits_of_every_upload_and_need_the_chats_token(chat, tmp_path):
    opened, another = await chat.open(), await chat.open()

    async def endless():
        for _ in range(3):
            yield bytes(2**18)

    for content in (endless(), bytes(700_001)):
        answer = await chat.upload(opened, content)
        assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert files_in(tmp_path) == []
    path = f"/v1/chats/{opened.chat_id}/files"
    async with client_of(chat.intake.services[0].app) as client:
        for headers in ({}, {"X-Chat-Token": another.token}, {"X-Chat-Token": "no"}):
            assert (await client.post(path, content=b"x", headers=headers)).status_code == 401
    agent = await chat.intake.client(Role.AGENT)
    assert (await agent.post(path, content=b"x")).status_code == 401
    # Larger than any other body may be.
    assert (await chat.upload(opened, bytes(700_000))).status_code == 201
    assert [(await chat.upload(opened, b"x")).status_code for _ in range(3)] == [201, 201, 429]


async def test_an_ended_chat_takes_no_files_and_a_chat_that_is_not_there_has_none(chat, tmp_path):
    opened = await chat.open()
    kept = await uploaded(chat, opened)
    await chat.said(opened, "1", "hello")
    async with client_of(chat.intake.services[0].app) as client:
        await client.post(f"/v1/chats/{opened.chat_id}/end", headers={"X-Chat-Token": opened.token})
    answer = await chat.upload(opened, b"late")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:redress:problem:chat-ended")
    assert (await chat.said(opened, "2", "x", files=[kept])).json()["type"].endswith("chat-ended")
    gone = await chat.open()
    await chat.intake.run("delete from chats where state = 'silent'")
    assert (await chat.upload(gone, b"x")).status_code == 404
    assert files_in(tmp_path) == [DIGEST]


async def test_what_was_said_is_never_swept_and_what_was_not_is(chat, tmp_path):
    opened = await chat.open()
    said, unsaid = await uploaded(chat, opened), await uploaded(chat, opened, b"unsaid")
    await chat.said(opened, "1", files=[said])
    await chat.intake.clock.advance_to(chat.intake.clock.now() + timedelta(hours=25))
    await attachments.tidy(chat.intake.services[0].deps)
    assert files_in(tmp_path) == [DIGEST]
    assert (await chat.intake.get(f"/v1/attachments/{said}")).content == PNG
    assert (await chat.intake.get(f"/v1/attachments/{unsaid}")).status_code == 404


async def test_erasing_the_person_erases_the_files_of_their_chat_said_or_not(chat, tmp_path):
    opened, other = await chat.open(), await chat.open()
    files = [await uploaded(chat, opened, b"first"), await uploaded(chat, opened, b"second")]
    await chat.said(opened, "1", "one", files=files[:1])
    await chat.said(opened, "2", "two", files=files[1:])
    await chat.act(opened, "join")
    answer = {"message_id": "1", "text": "x", "files": [await by_agent(chat, b"an answer")]}
    assert (await chat.act(opened, "messages", answer)).status_code == 201
    await uploaded(chat, opened, b"never said")
    await uploaded(chat, other)
    (seen, *_) = await chat.entries(opened)
    person = await chat.intake.one("select person_id from complaints")
    erased = await (await chat.intake.client(Role.ADMIN)).post(f"/v1/complainants/{person}/erasure")
    assert erased.status_code == 200, erased.text
    assert files_in(tmp_path) == [DIGEST]
    assert [each["files"] for each in await chat.entries(opened)] == [None] * 4
    assert (await downloaded(chat, seen["files"][0]["url"])).status_code == 404
    assert (await chat.said(opened, "1", "one", files=files[:1])).json()["seq"] == 1


async def test_an_infected_file_is_told_and_given_to_nobody(chat):
    with running_clamd() as scanner:
        deps = with_scanner(chat.intake, scanner.unix)
        assert deps.scanner is not None
        opened = await chat.open()
        virus = await uploaded(chat, opened, EICAR, "x.com")
        await chat.said(opened, "1", files=[virus])
        ((before,),) = [each["files"] for each in await chat.entries(opened)]
        assert before["scan"] == "pending"
        assert (await downloaded(chat, before["url"])).status_code == 409
        while await scan_next(deps.scanner, deps):
            pass
    ((after,),) = [each["files"] for each in await chat.entries(opened)]
    assert (after["scan"], after["url"]) == ("infected", None)
    assert (await downloaded(chat, before["url"])).status_code == 403
    inside = (await chat.intake.get(f"/v1/chats/{opened.chat_id}/messages")).json()["data"][0]["files"][0]
    assert (inside["scan"], inside["href"]) == ("infected", None)
