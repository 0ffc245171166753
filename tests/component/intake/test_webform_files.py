"""Files that are sent with the public form, as a browser without JavaScript sends them."""

import re
from typing import Any

import httpx

from intake_service.usecases import Deps
from shared.web.auth import Role
from tests.component.intake.conftest import Intake
from tests.component.intake.test_webform import TYPED, opened, visitor

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)
Files = list[tuple[str, tuple[str, bytes, str]]]


async def sent(intake: Intake, fields: dict[str, str], *files: tuple[str, bytes], query: str = "") -> httpx.Response:
    parts: Files = [("files", (name, content, "application/x-what")) for name, content in files]
    # An empty choice is sent as a nameless file of no bytes.
    parts = parts or [("files", ("", b"", "application/octet-stream"))]
    answer: httpx.Response = await (await visitor(intake)).post(f"/form{query}", data=fields, files=parts)
    return answer


async def attachments_of(intake: Intake) -> list[list[dict[str, Any]]]:
    return [row.attachments for row in await intake.rows("select record->'attachments' as attachments from complaints")]


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page))


async def test_files_come_with_the_complaint_and_agents_read_them(intake: Intake) -> None:
    answer = await sent(intake, {**await opened(intake), **TYPED}, ("屏幕.png", PNG), ("../说明.txt", "你好".encode()))
    assert answer.status_code == 303
    ((first, second),) = await attachments_of(intake)
    assert (first["name"], first["media_type"], second["name"]) == ("屏幕.png", "image/png", "说明.txt")
    assert (await intake.get(f"/v1/attachments/{first['id']}", Role.AGENT)).content == PNG


async def test_no_file_need_be_chosen(intake: Intake) -> None:
    assert (await sent(intake, {**await opened(intake), **TYPED})).status_code == 303
    assert await attachments_of(intake) == [[]]


async def test_the_same_form_with_the_same_files_is_one_complaint_and_with_another_file_a_second(
    intake: Intake,
) -> None:
    fields = {**await opened(intake), **TYPED}
    first, again = await sent(intake, fields, ("a.png", PNG)), await sent(intake, fields, ("a.png", PNG))
    assert first.headers["location"] == again.headers["location"]
    other = await sent(intake, fields, ("a.png", PNG + b"!"))
    assert other.headers["location"] != first.headers["location"]


async def test_a_form_that_comes_back_keeps_its_files_in_either_language(intake: Intake) -> None:
    fields = {**await opened(intake), **TYPED}
    back = await sent(intake, {**fields, "contact": "?"}, ("屏幕.png", PNG), query="?lang=zh")
    assert back.status_code == 422
    assert "<li>屏幕.png</li>" in back.text
    english = await sent(intake, {**fields, **hidden(back.text), "show": "en"})
    assert "<li>屏幕.png</li>" in english.text
    done = await sent(intake, {**fields, **hidden(english.text)}, ("b.png", PNG + b"b"))
    assert done.status_code == 303
    assert [each["name"] for each in (await attachments_of(intake))[0]] == ["屏幕.png", "b.png"]


async def test_a_token_that_we_did_not_make_names_nothing(intake: Intake) -> None:
    fields = {**await opened(intake), **TYPED, "kept": "nonsense 照片 AAAA"}
    assert (await sent(intake, fields)).status_code == 303
    assert await attachments_of(intake) == [[]]


async def test_too_many_or_too_large_files_are_told_beside_their_field_and_the_others_stay(intake: Intake) -> None:
    settings = deps_of(intake).settings
    fields = {**await opened(intake), **TYPED}
    many = await sent(intake, fields, *[(f"{number}.png", PNG) for number in range(6)], query="?lang=en")
    assert many.status_code == 422
    assert "Too many files: at most 5." in many.text
    assert many.text.count("<li>") == 6
    large = await sent(
        intake, fields, ("large.bin", bytes(settings.form_file_bytes + 1)), ("a.png", PNG), query="?lang=en"
    )
    assert large.status_code == 422
    assert "A file is larger than 10 MB" in large.text
    assert "<li>a.png</li>" in large.text
    assert "<li>large.bin</li>" not in large.text


async def test_a_form_without_files_has_the_limit_of_every_body(intake: Intake) -> None:
    body = b"symptom=" + b"a" * deps_of(intake).settings.max_body_bytes
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await (await visitor(intake)).post("/form", content=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


async def test_a_form_that_cannot_be_read_is_400(intake: Intake) -> None:
    for boundary, body in ((b"", b"x"), (b"; boundary=b", b"--b\r\nno header"), (b"; boundary=b", b"--c\r\n\r\n--c--")):
        headers = {"Content-Type": f"multipart/form-data{boundary.decode()}"}
        answer = await (await visitor(intake)).post("/form", content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text


def deps_of(intake: Intake) -> Deps:
    deps: Deps = intake.services[0].deps
    return deps
