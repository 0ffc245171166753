"""The public complaint form, as a browser without JavaScript meets it."""

import asyncio
import re
from html import unescape
from unittest.mock import AsyncMock
from urllib.parse import urlencode

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from intake_service.groupcommit import Overloaded
from tests.component.intake.conftest import Intake

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TYPED = {
    "symptom": "查询最近七天的订单时提示加载失败",
    "name": "王女士",
    "contact": "13812341234",
    "happened_at": "2024-05-10T10:15",
    "priority": "important",
}


async def visitor(intake, process=0):
    return await intake.client(process=process)


async def opened(intake, kind="complaint"):
    """The hidden fields of a fresh form."""
    page = await (await visitor(intake)).get(f"/form?kind={kind}")
    assert page.status_code == 200
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page.text))


async def sent(intake, fields, process=0, query=""):
    return await (await visitor(intake, process)).post(f"/form{query}", content=urlencode(fields), headers=FORM)


async def complaints(intake: Intake):
    return await intake.rows("select number, account, priority, kind, record from complaints order by number")


async def test_whoever_opens_the_form_chooses_what_it_is_about_and_gets_the_fields_of_that_template(intake):
    browser = await visitor(intake)
    start = await browser.get("/form", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert "<h1>Complaints and suggestions</h1>" in start.text
    assert re.findall(r'href="\?kind=(\w+)', start.text) == ["enquiry", "after_sales", "complaint", "suggestion"]
    form = (await browser.get("/form?kind=suggestion&lang=zh")).text
    assert re.findall(r'<label class="label" for="(\w+)">', form) == ["symptom", "contact", "product", "scene", "files"]
    assert "问题出现时您在哪里、正在做什么操作？" in form
    assert "<script" not in form


async def test_a_form_is_received_and_answered_with_its_number_and_a_status_link(intake):
    answer = await sent(intake, {**await opened(intake), **TYPED}, query="?lang=en")
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert re.fullmatch(r"form/done/[\w-]{43}\?lang=en", place)
    done = (await (await visitor(intake)).get(f"/{place}")).text
    assert "C-20240510-000001" in done
    assert "How would you like us to settle it?" in done
    assert "What may we call you?" not in done
    shown = (await intake.get("/v1/complaints/C-20240510-000001")).json()
    assert shown["source"]["channel"] == "web_form"
    assert shown["source"]["account"] == "form"
    assert (shown["priority"], shown["happened_at"]) == ("important", "2024-05-10T02:15:00Z")
    assert shown["recorded_by"] == "web form"
    assert shown["complainant"]["language"] == "en"
    ((kind, _),) = await intake.outbox()
    assert kind == "redress.complaint.received.v1"


async def test_the_status_page_tells_number_receipt_and_state_and_nothing_personal(intake):
    place = (await sent(intake, {**await opened(intake), **TYPED})).headers["location"]
    status = "/" + place.replace("done", "status")
    browser = await visitor(intake)
    before = (await browser.get(status)).text
    assert "C-20240510-000001" in before
    assert "2024-05-10 10:21" in before
    assert "已收到,等待处理。" in before
    await intake.run(
        "insert into outcomes (complaint_id, state, state_revision, cycle, moved_at) "
        "select id, 'in_progress', 3, 1, received_at + interval '10 minutes' from complaints"
    )
    after = (await browser.get(status)).text
    assert "正在处理。" in after
    assert "2024-05-10 10:31" in after
    for personal in ("王", "1381234", "138****", "加载失败"):
        assert personal not in after


async def test_a_button_pressed_twice_a_reload_and_two_processes_at_once_make_one_complaint(intake):
    fields = {**await opened(intake), **TYPED}
    answers = await asyncio.gather(*(sent(intake, fields, process=number % 2) for number in range(6)))
    answers.append(await sent(intake, fields))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await complaints(intake)) == 1


async def test_what_is_changed_after_sending_is_another_complaint_and_not_lost(intake):
    fields = {**await opened(intake), **TYPED}
    await sent(intake, fields)
    await sent(intake, {**fields, "impact": "发货也停了"})
    assert [row.record["impact"] for row in await complaints(intake)] == ["", "发货也停了"]


async def test_all_that_is_wrong_is_shown_beside_its_field_and_what_was_typed_is_kept_and_escaped(intake):
    attack = '"><script>alert(1)</script>'
    wrong = {
        **await opened(intake),
        "symptom": f"</textarea>{attack}",
        "name": f"王\x07{attack}",
        "contact": attack,
        "happened_at": "2030-01-01T00:00",
        "website": attack,
    }
    answer = await sent(intake, wrong, query="?lang=en")
    assert answer.status_code == 422
    page = answer.text
    assert re.findall(r'class="error" id="([\w-]+)"', page) == ["name-error", "contact-error", "happened_at-error"]
    assert re.findall(r'<li><a href="#(\w+)">', page) == ["name", "contact", "happened_at"]
    assert "<script" not in page
    for name in ("symptom", "name", "contact", "website"):
        assert wrong[name] in unescape(page)
    assert f'value="{wrong["form_id"]}"' in page
    assert await complaints(intake) == []


async def test_the_language_is_changed_without_losing_what_was_typed_or_sending_it(intake):
    fields = {**await opened(intake), **TYPED, "show": "en"}
    page = await sent(intake, fields, query="?lang=zh")
    assert page.status_code == 200
    assert "What went wrong" in page.text
    assert all(text in page.text for text in (fields["form_id"], TYPED["symptom"], TYPED["happened_at"]))
    assert await complaints(intake) == []


async def test_who_fills_the_unseen_field_is_received_all_the_same_in_the_junk_folder(intake):
    trapped = {**await opened(intake), **TYPED, "website": "https://spam.example", "priority": "urgent"}
    answer = await sent(intake, trapped)
    assert answer.status_code == 303
    (row,) = await complaints(intake)
    assert (row.account, row.priority) == ("form-suspected-spam", "general")
    assert row.record["symptom"] == TYPED["symptom"]
    ((_, event),) = await intake.outbox()
    assert event["source"]["account"] == "form-suspected-spam"


async def test_who_sends_too_many_is_told_to_wait_and_loses_nothing(intake):
    buckets = intake.services[0].deps.form_buckets
    buckets.burst = 2
    answers = [await sent(intake, {**await opened(intake), **TYPED, "scene": str(number)}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert '"form";q=2' in refused.headers["ratelimit-policy"]
    assert '"form";r=0' in refused.headers["ratelimit"]
    assert "text/html" in refused.headers["content-type"]
    assert TYPED["symptom"] in refused.text
    assert len(await complaints(intake)) == 2


async def test_a_form_without_its_id_comes_back_with_a_new_one(intake):
    answer = await sent(intake, {**TYPED, "kind": "complaint"})
    assert answer.status_code == 422
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', answer.text))
    assert (await sent(intake, {**TYPED, **hidden})).status_code == 303


@pytest.mark.parametrize("trouble", [Overloaded(), PoolTimeout("the database does not answer")])
async def test_in_trouble_the_form_comes_back_and_is_received_when_it_is_sent_again(intake, monkeypatch, trouble):
    fields = {**await opened(intake), **TYPED}
    with monkeypatch.context() as troubled:
        submit = AsyncMock(side_effect=trouble)
        troubled.setattr(intake.services[0].deps.receiving, "submit", submit)
        answer = await sent(intake, fields)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "系统暂时繁忙" in answer.text
    assert TYPED["symptom"] in answer.text
    assert await complaints(intake) == []
    assert (await sent(intake, fields)).status_code == 303


@pytest.mark.parametrize("token", ["x", "%00", "é", "A" * 43, "a" * 300])
async def test_a_link_that_nobody_was_given_finds_nothing(intake, token):
    for page in ("done", "status"):
        answer = await (await visitor(intake)).get(f"/form/{page}/{token}?lang=en")
        assert answer.status_code == 404
        assert "This link is not valid" in answer.text


async def test_only_a_small_urlencoded_form_is_read(intake):
    browser = await visitor(intake)
    assert (await browser.post("/form", json=TYPED)).status_code == 415
    many = urlencode([("a", "1")] * 31)
    assert (await browser.post("/form", content=many, headers=FORM)).status_code == 400
    large = "symptom=" + "x" * (513 * 1024)
    assert (await browser.post("/form", content=large, headers=FORM)).status_code == 413
    assert (await browser.post("/form", content=b"symptom=\xff%ff%00&kind=\xff", headers=FORM)).status_code == 422


async def test_every_page_has_a_strict_policy_and_is_kept_by_nobody(intake):
    browser = await visitor(intake)
    place = (await sent(intake, {**await opened(intake), **TYPED})).headers["location"]
    pages = ["/form", "/form?kind=complaint", f"/{place}", "/" + place.replace("done", "status"), "/form/status/x"]
    for page in pages:
        headers = (await browser.get(page)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "set-cookie" not in headers
