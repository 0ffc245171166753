"""Papers that a service point took: one form is one complaint, with its pages as they were scanned."""

import asyncio

import pytest

from intake_service.channels.service_point import EXAMPLE, MIB
from shared.web.auth import Role
from tests.component.intake.test_channels import put

POINT = {
    "kind": "service_point",
    "account": "hangzhou-1",
    "title": {"zh": "杭州一店", "en": "Hangzhou 1"},
    "owner_team": "hangzhou",
    "settings": {"max_page_mib": 1},
}
PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PATH = "/v1/channels/counter/papers"


@pytest.fixture
async def counter(intake):
    assert (await put(intake, "counter", POINT)).status_code == 201
    return intake


async def page(intake, content=PDF, name="page-1.pdf"):
    client = await intake.client(Role.AGENT)
    answer = await client.post("/v1/attachments", content=content, params={"name": name})
    return answer.json()["id"]


def paper(*pages, **changes):
    return {**EXAMPLE, "pages": list(pages), **changes}


async def test_a_paper_is_a_complaint_with_its_pages_its_seat_and_the_stamped_time(counter):
    pages = [await page(counter), await page(counter, PNG, "page-2.png")]
    answer = await counter.post(PATH, paper(*pages))
    assert answer.status_code == 201, answer.text
    shown = (await counter.get(f"/v1/complaints/{answer.json()['number']}")).json()
    assert [each["id"] for each in shown["attachments"]] == pages
    assert shown["source"] == {
        "channel": "service_point",
        "account": "hangzhou-1",
        "seat": "counter-3",
        "message_id": "HZ-2024-000317",
    }
    assert (shown["received_at"], shown["channel_teams"]) == ("2024-05-10T02:20:00Z", ["hangzhou"])


async def test_twenty_at_once_are_one_complaint_and_another_paper_with_the_number_is_not_swallowed(counter):
    first = await page(counter)
    answers = await asyncio.gather(*(counter.post(PATH, paper(first), process=each % 2) for each in range(20)))
    assert sorted(each.status_code for each in answers) == [200] * 19 + [201]
    assert len({each.json()["id"] for each in answers}) == 1
    other = await counter.post(PATH, paper(first, symptom="空调漏水"))
    assert (other.status_code, other.json()["type"]) == (409, "urn:redress:problem:form-number-taken")


async def test_what_is_no_page_is_refused_with_its_place(counter):
    good = await page(counter)
    for wrong, slug in (
        (await page(counter, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"), "bad-page"),
        (await page(counter, b"plain words", "a.pdf"), "bad-page"),
        (await page(counter, PDF + b" " * MIB), "bad-page"),
        ("0190d0a4-7c1c-7000-8000-000000000000", "unknown-attachment"),
    ):
        answer = await counter.post(PATH, paper(good, wrong))
        told = (answer.status_code, answer.json()["type"], answer.json()["errors"][0]["pointer"])
        assert told == (422, f"urn:redress:problem:{slug}", "/pages/1")
    assert (await counter.post(PATH, paper())).status_code == 422
    assert await counter.one("select count(*) from complaints") == 0


async def test_a_paper_is_not_stamped_in_the_future_and_is_recorded_by_seats_alone(counter):
    good = await page(counter)
    late = await counter.post(PATH, paper(good, received_at="2024-05-10T11:00:00+08:00"))
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/received_at")
    for role in (Role.ADAPTER, Role.QUALITY):
        assert (await counter.post(PATH, paper(good), role)).status_code == 403
    assert (await counter.post("/v1/channels/nowhere/papers", paper(good))).status_code == 404
