"""Next year's holidays come as a file: drafted, looked at, published (F9)."""

from datetime import date

import httpx

from tests.component.sla.world import World

FILE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//holidays//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20990101
DTEND;VALUE=DATE:20990104
SUMMARY:元旦
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20990110
SUMMARY:元旦补班
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART:20990111T090000Z
SUMMARY:例会
END:VEVENT
END:VCALENDAR
"""


async def test_a_year_that_nobody_knew_is_known_once_its_file_is_published(
    world: World, admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    door = "/v1/calendars/cn-office/ical"
    unknown = await agent.get(door, params={"year": 2099})
    assert (unknown.status_code, unknown.json()["type"].rpartition(":")[2]) == (422, "calendar-year-unknown")
    drafted = await admin.post(door, json={"ical": FILE, "years": [2099]})
    assert drafted.status_code == 200, drafted.text
    assert drafted.json()["left_out"] == [{"summary": "例会", "why": "it is no whole day"}]
    assert (await agent.get(door, params={"year": 2099})).status_code == 422, "a draft is kept nowhere"
    body = {"calendar": drafted.json()["calendar"], "reason": "国务院办公厅通知"}
    assert (await admin.post("/v1/calendars", json=body)).status_code == 201
    file = await agent.get(door, params={"year": 2099})
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "DTSTART;VALUE=DATE:20990103" in file.text
    async with world.deps.reading() as tx:
        calendar = (await world.deps.shelf.book(tx)).calendars["cn-office", 2]
    assert not calendar.is_working_day(date(2099, 1, 1))
    assert calendar.shift(date(2099, 1, 10)) == (calendar.spec.make_up_hours, "make-up day")


async def test_a_bad_file_an_unknown_calendar_and_a_wrong_role_are_told_apart(
    admin: httpx.AsyncClient, agent: httpx.AsyncClient
) -> None:
    bad = await admin.post("/v1/calendars/cn-office/ical", json={"ical": "hello", "years": [2027]})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/ical")
    assert (await admin.post("/v1/calendars/none/ical", json={"ical": FILE, "years": [2099]})).status_code == 404
    assert (await agent.post("/v1/calendars/cn-office/ical", json={"ical": FILE, "years": [2099]})).status_code == 403
    twice = FILE.replace("20990110", "20990102")
    both = await admin.post("/v1/calendars/cn-office/ical", json={"ical": twice, "years": [2099]})
    assert "2099-01-02 is both" in both.json()["detail"]
