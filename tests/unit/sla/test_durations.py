"""When a clock is due, kind by kind. 2024-05-10 is a Friday, 05-11 a make-up Saturday, 05-12 a free Sunday."""

from typing import Any

import pytest
from pydantic import ValidationError

from sla_service.clocks.calendar import Calendar
from sla_service.clocks.durations import DURATION, NoDueInstant, describe, due
from sla_service.clocks.instants import micros
from sla_service.usecases.packs import PackError, load_pack
from tests.unit.sla.history import CALENDARS, at, shown

OFFICE = Calendar(CALENDARS[0])


def due_of(start: str, **duration: Any) -> str | None:
    own = duration.pop("own", None)
    return shown(due(DURATION.validate_python(duration), micros(at(start)), OFFICE, own and micros(at(own)), None))


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("05-10 23:50", {"kind": "elapsed", "time": "PT30M"}, "05-11 00:20"),
        ("05-10 17:00", {"kind": "business", "time": "PT2H"}, "05-11 10:00"),
        ("05-10 10:20", {"kind": "business_days", "days": 1}, "05-11 18:00"),
        ("05-10 10:20", {"kind": "business_days", "days": 2}, "05-13 18:00"),
        ("05-10 10:20", {"kind": "business_days", "days": 3, "count_start": True}, "05-13 18:00"),
        ("05-12 10:20", {"kind": "business_days", "days": 1, "count_start": True}, "05-13 18:00"),
        ("05-10 10:20", {"kind": "business_days", "days": 1, "until": "12:00"}, "05-11 12:00"),
        ("04-30 17:59", {"kind": "business_days", "days": 1}, "05-06 18:00"),  # over the holiday
        ("05-10 10:20", {"kind": "calendar_days", "days": 2}, "05-13 00:00"),
        ("05-10 10:20", {"kind": "calendar_days", "days": 1, "count_start": True}, "05-11 00:00"),
        ("05-10 10:20", {"kind": "by_time", "time": "17:00"}, "05-10 17:00"),
        ("05-10 17:00", {"kind": "by_time", "time": "17:00"}, "05-11 17:00"),
        ("05-12 10:00", {"kind": "by_time", "time": "17:00"}, "05-13 17:00"),
        ("05-10 10:20", {"kind": "by_time", "time": "17:00", "day": "next"}, "05-11 17:00"),
        ("04-30 10:20", {"kind": "by_time", "time": "17:00", "day": "next"}, "05-06 17:00"),
        ("05-10 10:20", {"kind": "own", "own": "05-10 12:00"}, "05-10 12:00"),
    ],
)
def test_a_duration_ends_when_the_calendar_says(start: str, duration: dict[str, Any], expected: str) -> None:
    assert due_of(start, **duration) == expected


def test_a_duration_that_needs_a_due_instant_from_elsewhere_says_that_there_is_none() -> None:
    for kind in ("own", "with_resolution"):
        with pytest.raises(NoDueInstant):
            due_of("10:20", kind=kind)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "elapsed", "time": "PT0S"},
        {"kind": "elapsed", "time": "-PT1H"},
        {"kind": "business", "time": "P9999D"},
        {"kind": "business_days", "days": 0},
        {"kind": "business_days", "days": 1, "until": "25:00"},
        {"kind": "by_time", "time": "5pm"},
        {"kind": "eventually"},
        {"kind": "elapsed", "time": "PT1H", "speed": 2},
    ],
)
def test_a_duration_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(wrong)


def test_durations_are_told_in_both_languages() -> None:
    told = describe(DURATION.validate_python({"kind": "business_days", "days": 3}))
    assert (told.zh, told.en) == ("第 3 个工作日下班前", "by close of business of working day 3")


def test_a_pack_that_cannot_be_used_is_refused_with_file_and_field(tmp_path: Any) -> None:
    with pytest.raises(PackError, match="SLA_POLICY_PACK is default, seconds or a file"):
        load_pack("missing.yaml")
    wrong = tmp_path / "wrong.yaml"
    policy = "- {policy_id: x, title: {zh: 甲, en: A}, calendar: %s, rules: {survey: {every: {due: %s}}}}"
    hour = "{kind: elapsed, time: PT1H}"
    for content, told in (
        ("{", "not YAML"),
        ("- policy_id: x", "/0/title"),
        (policy % ("cn-office", hour), "no policy without conditions has a rule for first_response"),
        (policy % ("mars", hour), "unknown calendar 'mars'"),
    ):
        wrong.write_text(content, encoding="utf-8")
        with pytest.raises(PackError, match=told):
            load_pack(str(wrong))
