"""Business calendars (F9). Expectations are worked out by hand from the State Council's arrangement of 2024: holiday
05-01 to 05-05, make-up working days 04-28 (Sunday) and 05-11 (Saturday)."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.envelope import Bilingual
from shared.web.errors import pointer_of
from sla_service.clocks.calendar import Calendar, CalendarSpec, CalendarUnknown
from sla_service.clocks.instants import instant_of, micros
from sla_service.usecases.packs import load_pack
from tests.unit.sla.history import SHANGHAI, at

HOUR = 3_600_000_000
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE, ALWAYS = (Calendar(spec) for spec in load_pack("default")[1])


def calendar(zone: str, **week: list[str]) -> Calendar:
    return Calendar(
        CalendarSpec.model_validate(
            {"calendar_id": "own", "title": Bilingual(zh="自用", en="Own"), "zone": zone, "week": week}
        )
    )


def due(start: str, hours: float) -> str:
    found = instant_of(OFFICE.add(micros(at(start)), round(hours * HOUR)))
    return found.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("05-10 10:20", 1, "05-10 11:20"),
        ("05-10 10:20", 2, "05-10 13:20"),  # over the noon break
        ("05-10 17:30", 1, "05-11 09:30"),  # a Saturday, but a make-up working day
        ("05-11 17:00", 2, "05-13 10:00"),  # over the Sunday
        ("04-30 16:00", 4, "05-06 11:00"),  # over the holiday of five days
        ("04-28 08:00", 8, "04-28 18:00"),  # a make-up Sunday; closing time, not the next opening
        ("05-01 12:00", 0.5, "05-06 09:30"),  # begun on a holiday
        ("12-31 17:00", 2, "01-02 10:00"),  # over New Year's Day 2025
    ],
)
def test_working_time_skips_breaks_weekends_and_holidays_and_counts_make_up_days(
    start: str, hours: float, expected: str
) -> None:
    assert due(start, hours) == expected


def test_working_time_between_two_instants_is_what_was_open() -> None:
    # 04-30: 2 h, five days of holiday, 05-06 to 05-10 five days of 8 h, 05-11 make-up 8 h, Sunday nothing
    assert OFFICE.between(micros(at("04-30 16:00")), micros(at("05-12 12:00"))) == (2 + 40 + 8) * HOUR


def test_a_year_whose_arrangement_is_not_known_is_a_loud_error_and_not_a_guess() -> None:
    with pytest.raises(CalendarUnknown, match="2098"):
        OFFICE.add(micros(at("2098-03-03 10:00")), HOUR)
    with pytest.raises(CalendarUnknown, match="update chinesecalendar or add 2099"):
        OFFICE.is_working_day(date(2099, 1, 4))


def test_a_table_of_our_own_covers_a_year_that_the_library_lacks() -> None:
    spec = OFFICE.spec.model_copy(
        update={"years": (2098,), "closed": {date(2098, 1, 1): "元旦"}, "open": {date(2098, 1, 4): ((540, 720),)}}
    )
    own = Calendar(spec)
    assert not own.is_working_day(date(2098, 1, 1))
    assert own.is_working_day(date(2098, 1, 2))
    assert own.is_working_day(date(2098, 1, 4))  # a Saturday
    assert own.shift(date(2098, 1, 1))[1] == "元旦"


def test_round_the_clock_is_exactly_round_the_clock_over_midnights_and_dst() -> None:
    new_york = calendar("America/New_York", **{day: ["00:00-24:00"] for day in WEEK})
    split = calendar("America/New_York", **{day: ["00:00-12:00", "12:00-24:00"] for day in WEEK})
    start, end = micros(datetime(2024, 1, 1, tzinfo=UTC)), micros(datetime(2024, 12, 31, 23, 59, tzinfo=UTC))
    for one in (new_york, split, ALWAYS):
        assert one.between(start, end) == end - start
        assert one.add(start, end - start) == end


def test_a_day_written_until_2359_loses_its_last_minute_and_one_until_2400_does_not() -> None:
    start, end = micros(at("05-10 12:00")), micros(at("05-13 12:00"))
    lossy = calendar("Asia/Shanghai", **{day: ["00:00-23:59"] for day in WEEK})
    assert not lossy.always_open
    assert end - start - lossy.between(start, end) == 3 * HOUR // 60
    nights = calendar("Asia/Shanghai", **{day: ["11:59-12:00", "12:00-11:59"] for day in WEEK})
    for whole in (ALWAYS, nights):
        assert whole.between(start, end) == end - start
        assert whole.add(start, end - start) == end


def test_a_shift_over_a_dst_gap_is_an_hour_shorter_and_over_a_fold_an_hour_longer() -> None:
    nights = calendar("America/New_York", sat=["22:00-06:00"])
    spring = micros(datetime(2024, 3, 9, 12, tzinfo=UTC)), micros(datetime(2024, 3, 11, tzinfo=UTC))
    autumn = micros(datetime(2024, 11, 2, 12, tzinfo=UTC)), micros(datetime(2024, 11, 4, tzinfo=UTC))
    assert nights.between(*spring) == 7 * HOUR
    assert nights.between(*autumn) == 9 * HOUR


def test_a_wall_time_in_the_gap_is_the_instant_of_the_jump_and_in_the_fold_its_first_coming() -> None:
    office = calendar("America/New_York", mon=["09:00-17:00"])
    assert instant_of(office.at(date(2024, 3, 10), 150)) == datetime(2024, 3, 10, 7, 0, tzinfo=UTC)
    assert instant_of(office.at(date(2024, 11, 3), 90)) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


def test_an_interval_that_begins_in_the_gap_begins_at_the_jump() -> None:
    early = calendar("America/New_York", sun=["02:30-04:00"])
    day = micros(datetime(2024, 3, 10, 5, tzinfo=UTC)), micros(datetime(2024, 3, 11, 3, tzinfo=UTC))
    assert early.between(*day) == HOUR


def test_an_overnight_shift_belongs_to_the_day_on_which_it_begins() -> None:
    nights = calendar("Asia/Shanghai", fri=["22:00-06:00"])
    assert nights.between(micros(at("05-11 00:00")), micros(at("05-11 12:00"))) == 6 * HOUR
    assert nights.between(micros(at("05-10 00:00")), micros(at("05-10 12:00"))) == 0
    years_end = calendar("Asia/Shanghai", tue=["22:00-06:00"])  # 2024-12-31 is a Tuesday
    assert years_end.between(micros(at("2025-01-01 01:00")), micros(at("2025-01-01 12:00"))) == 5 * HOUR


def test_the_stretches_of_a_holiday_are_named() -> None:
    found = list(OFFICE.stretches(micros(at("04-30 17:00")), micros(at("05-06 10:00"))))
    told = [
        (instant_of(begin).astimezone(SHANGHAI).strftime("%d %H"), is_open, why) for begin, _, is_open, why in found
    ]
    assert told == [
        ("30 17", True, "week"),
        ("30 18", False, "outside hours"),
        ("01 00", False, "Labour Day"),
        ("06 00", False, "outside hours"),
        ("06 09", True, "week"),
    ]
    assert found[0][0] == micros(at("04-30 17:00"))
    assert all(before[1] == after[0] for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        ({"zone": "Asia/Atlantis"}, "/zone", "not an IANA time zone"),
        ({"week": {}}, "/week", "no working time"),
        ({"week": {"mon": []}}, "/week", "no working time"),
        ({"week": {"mon": ["9-17"]}}, "/week/mon/0", "not a time of day"),
        ({"week": {"mon": ["09:00-09:00"]}}, "/week/mon/0", "is empty"),
        ({"week": {"mon": ["09:00-13:00", "12:00-18:00"]}}, "/week/mon", "09:00-13:00 and 12:00-18:00 overlap"),
        ({"week": {"mon": ["22:00-06:00"], "tue": ["05:00-09:00"]}}, "/week", "overlap on tue"),
        ({"week": {"sun": ["22:00-06:00"], "mon": ["05:00-09:00"]}}, "/week", "overlap on mon"),
        ({"arrangement": "cn"}, "/make_up_hours", "make_up_hours"),
        ({"arrangement": "cn", "make_up_hours": ["09:00-13:00", "12:00-18:00"]}, "/make_up_hours", "overlap"),
        ({"open": {"2024-05-11": ["09:00-13:00", "12:00-18:00"]}}, "/open/2024-05-11", "overlap"),
        ({"open": {"2024-05-11": []}}, "/open/2024-05-11", "at least 1 item"),
        ({"closed": {"2024-05-11": "A"}, "open": {"2024-05-11": ["09:00-12:00"]}}, "/open", "both open and closed"),
        ({"closed": {"2024-05-11": ""}}, "/closed/2024-05-11", "at least 1 character"),
    ],
)
def test_a_calendar_that_cannot_work_is_refused_with_the_field_and_the_reason(
    change: dict[str, object], pointer: str, told: str
) -> None:
    spec = {"calendar_id": "x", "title": {"zh": "甲", "en": "A"}, "zone": "UTC", "week": {"mon": ["09:00-17:00"]}}
    with pytest.raises(ValidationError, match=told) as refused:
        CalendarSpec.model_validate({**spec, **change})
    assert [pointer_of(error["loc"]) for error in refused.value.errors()] == [pointer]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    zone = draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"]))
    week: dict[str, list[str]] = {}
    for day in WEEK:
        cuts = sorted(draw(st.sets(st.integers(0, 47), max_size=4)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        week[day] = [f"{a // 2:02}:{a % 2 * 30:02}-{b // 2:02}:{b % 2 * 30:02}" for a, b in pairs]
    if not any(week.values()):
        week["mon"] = ["22:30-00:30"]
    return calendar(zone, **week)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2025, 6, 1)).map(lambda one: micros(one.replace(tzinfo=UTC)))  # noqa: DTZ001
amounts = st.integers(1, 200 * HOUR)


@settings(max_examples=60)
@given(calendars(), instants, amounts, amounts)
def test_working_time_adds_up_and_never_runs_backwards(one: Calendar, start: int, first: int, second: int) -> None:
    middle = one.add(start, first)
    assert one.between(start, middle) == first
    assert one.add(middle, second) == one.add(start, first + second)
    end = start + second
    assert one.between(start, end) == one.between(start, start + second // 2) + one.between(start + second // 2, end)
    assert one.add(start, first) <= one.add(start + second, first)
    assert sum(b - a for a, b, is_open, _ in one.stretches(start, end) if is_open) == one.between(start, end)
