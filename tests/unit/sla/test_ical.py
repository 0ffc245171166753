"""Calendars as iCalendar, both ways (F9)."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as Component

from sla_service.clocks.calendar import Calendar, CalendarSpec, CalendarUnknown
from sla_service.domain.ical import NotICalendar, Read, merged, read, written
from tests.unit.sla.history import CALENDARS

OFFICE = next(one for one in CALENDARS if one.calendar_id == "cn-office")
PLAIN = CalendarSpec.model_validate(
    {
        "calendar_id": "plant",
        "title": {"zh": "工厂", "en": "Plant"},
        "zone": "Asia/Shanghai",
        "week": {"mon": ["09:00-12:00", "13:00-18:00"], "fri": ["22:00-06:00"]},
        "make_up_hours": ["09:00-18:00"],
    }
)


def file_of(*events: str) -> str:
    laid = "\r\n".join(f"BEGIN:VEVENT\r\nUID:{n}\r\n{event}\r\nEND:VEVENT" for n, event in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{laid}\r\nEND:VCALENDAR\r\n"


def test_a_holiday_of_several_days_ends_before_its_end() -> None:
    text = file_of("DTSTART;VALUE=DATE:20270205\r\nDTEND;VALUE=DATE:20270208\r\nSUMMARY:春节 休")
    assert read(text, [2027]).closed == {date(2027, 2, day): "春节 休" for day in (5, 6, 7)}


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART;VALUE=DATE:20270220\r\nSUMMARY:春节 补班",
        "DTSTART;VALUE=DATE:20270220\r\nSUMMARY:春节（上班）",
        "DTSTART;VALUE=DATE:20270220\r\nSUMMARY:x\r\nCATEGORIES:WORKING-DAY",
        "DTSTART;VALUE=DATE:20270220\r\nSUMMARY:春节\r\nX-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY",
    ],
)
def test_a_make_up_working_day_is_known_by_its_category_its_mark_or_its_name(event: str) -> None:
    assert read(file_of(event), [2027]) == Read({}, {date(2027, 2, 20): ()}, ())


def test_a_holiday_that_comes_every_year_is_there_in_each_year_but_not_where_it_is_taken_out() -> None:
    text = file_of(
        "DTSTART;VALUE=DATE:20000501\r\nRRULE:FREQ=YEARLY;UNTIL=20280501T000000Z\r\n"
        "EXDATE;VALUE=DATE:20270501\r\nSUMMARY:劳动节"
    )
    assert sorted(read(text, [2026, 2027, 2028, 2029]).closed) == [date(2026, 5, 1), date(2028, 5, 1)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("DTSTART:20270101T090000Z\r\nDTEND:20270101T100000Z\r\nSUMMARY:例会", "it is no whole day"),
        ("DTSTART;VALUE=DATE:20260101\r\nSUMMARY:元旦", "it is in none of the years"),
        ("DTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20280101\r\nSUMMARY:停业", "it lasts longer than 60 days"),
        ("DTSTART;VALUE=DATE:20270101\r\nSTATUS:CANCELLED\r\nSUMMARY:x", "it has no beginning, is cancelled, or"),
        ("SUMMARY:x", "it has no beginning, is cancelled, or"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=SECONDLY\r\nSUMMARY:x", "it cannot be read: a holiday may repeat"),
    ],
)
def test_what_is_not_taken_is_told_with_its_reason(event: str, why: str) -> None:
    found = read(file_of(event), [2027])
    assert (found.closed, found.worked) == ({}, {})
    assert [one.why[: len(why)] for one in found.left_out] == [why]


@pytest.mark.parametrize(
    "text", ["", "hello", "BEGIN:VCALENDAR", "BEGIN:VEVENT\r\nEND:VEVENT", "\x00", "END:VCALENDAR"]
)
def test_what_is_no_icalendar_is_refused(text: str) -> None:
    with pytest.raises(NotICalendar):
        read(text, [2027])


@given(
    st.text(max_size=200), st.sampled_from(["SUMMARY", "DTSTART", "DTEND", "RRULE", "EXDATE", "CATEGORIES", "DURATION"])
)
def test_whatever_a_file_says_it_is_read_or_refused(value: str, name: str) -> None:
    with suppress(NotICalendar):
        read(file_of(f"DTSTART;VALUE=DATE:20270101\r\n{name}:{value}"), [2027])


def test_the_year_of_a_chinese_office_comes_back_as_it_went_out() -> None:
    found = read(written(Calendar(OFFICE), [2024]).decode(), [2024])
    special = {day: Calendar(OFFICE).shift(day) for day in (*found.closed, *found.worked)}
    assert found.closed[date(2024, 2, 10)] == special[date(2024, 2, 10)][1]
    assert {day for day, (hours, _) in special.items() if hours} == set(found.worked)
    assert len(found.worked) == 8, "eight make-up days in 2024"
    assert found.worked[date(2024, 2, 4)] == OFFICE.make_up_hours
    by_hand = Calendar(CalendarSpec.model_validate(merged(OFFICE, found, [2024])))
    begin, end = by_hand.at(date(2024, 1, 1), 0), by_hand.at(date(2025, 1, 1), 0)
    assert by_hand.between(begin, end) == Calendar(OFFICE).between(begin, end)


def test_the_weekly_hours_go_out_as_repeating_events_without_the_days_that_differ() -> None:
    spec = CalendarSpec.model_validate({**PLAIN.model_dump(mode="json"), "closed": {"2027-01-11": "盘点"}})
    events = Component.from_ical(written(Calendar(spec), [2027])).walk("VEVENT")
    hours = [event for event in events if event.get("categories").cats == ["HOURS"]]
    monday = hours[0]
    assert monday.decoded("dtstart").isoformat() == "2027-01-04T09:00:00+08:00"
    assert monday.get("rrule")["FREQ"] == ["WEEKLY"]
    assert [one.dt.date() for one in monday.get("exdate").dts] == [date(2027, 1, 11)]
    night = next(event for event in hours if event.decoded("dtstart").hour == 22)
    assert night.decoded("dtend").isoformat() == "2027-01-02T06:00:00+08:00"


def test_a_year_that_is_not_known_is_an_error_and_no_guess() -> None:
    with pytest.raises(CalendarUnknown):
        written(Calendar(OFFICE), [2150])


def test_the_file_takes_the_place_of_the_calendars_own_days_of_these_years_alone() -> None:
    spec = PLAIN.model_copy(update={"closed": {date(2026, 12, 31): "a", date(2027, 1, 4): "b"}})
    found = Read({date(2027, 1, 1): "元旦"}, {date(2027, 2, 20): ()}, ())
    made = CalendarSpec.model_validate(merged(spec, found, [2027]))
    assert made.closed == {date(2026, 12, 31): "a", date(2027, 1, 1): "元旦"}
    assert made.open == {date(2027, 2, 20): PLAIN.make_up_hours}
    assert made.years == ()
