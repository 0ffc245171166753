"""The policy packs: every rule has a source, and due instants worked out by hand. The users' own figures are the
default policies, whose tables stand in test_fold.py."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.contracts.vocabulary import Channel, Metric, Urgency
from shared.contracts.vocabulary import RegulatorStage as Stage
from sla_service.clocks.calendar import Calendar, CalendarSpec, CalendarUnknown
from sla_service.clocks.instants import instant_of, micros
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.domain.packs import Pack, in_words
from sla_service.usecases.packs import packs
from tests.unit.sla.history import BOOK, LONG_AGO, SHANGHAI, STANDARD, Story, folded

NAMES = ["cn-12315", "cn-beijing-12345", "default", "uk-fca-disp", "us-cfpb"]
REGULATORS = [pack for name, pack in packs().items() if name != "default"]
ALL = Book(
    [
        PolicyVersion(spec=spec, version=1, valid_from=LONG_AGO)
        for specs in (STANDARD, *(pack.policies for pack in REGULATORS))
        for spec in specs
    ],
    {
        **BOOK.calendars,
        **{(spec.calendar_id, 1): Calendar(spec) for pack in REGULATORS for spec in pack.calendars},
    },
)


def told(instant: str, zone: str) -> str:
    """A wall time of the zone as Shanghai's wall clock shows it, which is how a story is told."""
    local = datetime.fromisoformat(instant).replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def due(story: Story, track: str, metric: Metric, zone: str) -> str:
    (found,) = [
        one
        for one in folded(story, book=ALL).clocks
        if (one.priced.policy.spec.track, one.run.metric) == (track, metric)
    ]
    return instant_of(found.due).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")


CHINA = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        # Sunday 04-28 makes up for Labour Day; 29, 30; 05-01 to 05-05 off; 6, 7, 8, 9
        ("2024-04-26 10:00", "2024-05-09 18:00 CST"),
        # Sunday 09-28 makes up; 29, 30; 10-01 to 10-08 off; 9, 10, Saturday 11 makes up, Monday 13
        ("2025-09-26 17:59", "2025-10-13 18:00 CST"),
        # 13; Saturday 14 makes up; 02-15 to 02-23 off; 24, 25, 26, 27, Saturday 28 makes up
        ("2026-02-12 09:00", "2026-02-28 18:00 CST"),
        # on a Sunday: Monday 06-03 to 07 are five, 06-10 is the Dragon Boat Festival, 11, 12
        ("2024-06-02 12:00", "2024-06-12 18:00 CST"),
    ],
)
def test_12315_accepts_or_refuses_within_seven_working_days(received: str, expected: str) -> None:
    story = Story(received=received)
    story.stage(received, Stage.RECEIVED)
    assert due(story, "cn-12315", Metric.REGULATOR_ACCEPT, CHINA) == expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        # May 7 to 10 and the Saturday 11: 5; three weeks more: 20; June 3 to 7: 25; 11 to 14: 29; 17 to 28: 39;
        # July 1 to 5: 44; Monday 8
        ("2024-05-06 11:00", "2024-07-08 18:00 CST"),
        # September 2 to 5: 4, 8 to 12: 9, 15 to 19: 14, 22 to 26: 19, 28 (Sunday), 29, 30: 22, October 9, 10, 11: 25,
        # 13 to 17: 30, 20 to 24: 35, 27 to 31: 40, November 3 to 7: 45
        ("2025-09-01 09:30", "2025-11-07 18:00 CST"),
    ],
)
def test_12315_mediates_for_forty_five_working_days_after_acceptance(accepted: str, expected: str) -> None:
    story = Story(received=accepted)
    story.stage(accepted, Stage.ACCEPTED)
    assert due(story, "cn-12315", Metric.REGULATOR_DECIDE, CHINA) == expected


@pytest.mark.parametrize(
    ("decided", "expected"),
    [
        # January 21 to 24: 4; Sunday 26 makes up; 27; 01-28 to 02-04 off; February 5
        ("2025-01-20 16:00", "2025-02-05 18:00 CST"),
        # March 3 to 6: 4, 9 to 11: 7
        ("2026-03-02 08:00", "2026-03-11 18:00 CST"),
    ],
)
def test_12315_tells_the_parties_within_seven_working_days_of_the_end(decided: str, expected: str) -> None:
    story = Story(received=decided)
    story.stage(decided, Stage.DECIDED)
    assert due(story, "cn-12315", Metric.REGULATOR_INFORM, CHINA) == expected


def test_a_year_whose_working_days_are_not_published_is_an_error_and_no_guess() -> None:
    story = Story(received="2026-12-28 10:00", urgency=Urgency.HIGH)
    story.stage("2026-12-28 10:00", Stage.RECEIVED)
    unpriced = {one.metric: one.reason for one in folded(story, book=ALL).unpriced}
    assert "the working days of 2027 in China are not known" in unpriced[Metric.REGULATOR_ACCEPT]
    english = Calendar(next(one for one in packs()["uk-fca-disp"].calendars if one.calendar_id == "gb-office"))
    with pytest.raises(CalendarUnknown, match="holidays of 2101 are not known"):
        english.working_day_after(datetime(2100, 12, 31, tzinfo=UTC).date())


@pytest.mark.parametrize(
    ("urgency", "expected"),
    [
        # in the night of the Spring Festival: round the clock
        (Urgency.HIGH, "2026-02-18 00:30 CST"),
        (Urgency.MEDIUM, "2026-02-18 01:30 CST"),
        (Urgency.LOW, "2026-02-18 23:30 CST"),
    ],
)
def test_beijings_12345_dispatches_by_kind(urgency: Urgency, expected: str) -> None:
    story = Story(received="2026-02-17 23:00", urgency=urgency)
    story.stage("2026-02-17 23:30", Stage.RECEIVED, authority="cn-beijing-12345")
    assert due(story, "cn-beijing-12345", Metric.REGULATOR_DISPATCH, CHINA) == expected


LONDON = "Europe/London"


def british(received: str) -> Story:
    story = Story(received=told(received, LONDON), channel=Channel.EMAIL)
    story.facts = story.facts.model_copy(update={"region": "GB"})
    story.received()
    return story


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        # the Thursday before Easter: Friday and Monday are holidays; Tuesday 2, in summer time
        ("2024-03-28 15:00", "2024-04-02 17:00 BST"),
        ("2025-06-06 23:30", "2025-06-09 17:00 BST"),
    ],
)
def test_the_fca_wants_a_prompt_acknowledgement(received: str, expected: str) -> None:
    assert due(british(received), "uk-fca-disp", Metric.ACKNOWLEDGE, LONDON) == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        # Tuesday 2, Wednesday 3, Thursday 4 after Easter
        ("2024-03-28 15:00", "2024-04-04 17:00 BST"),
        # a Saturday; Monday 25 is the bank holiday; 26, 27, 28
        ("2025-08-23 10:00", "2025-08-28 17:00 BST"),
        # Thursday 24; 25 Christmas; 26 is a Saturday, so Monday 28 is off for Boxing Day; 29, 30
        ("2026-12-23 09:00", "2026-12-30 17:00 GMT"),
    ],
)
def test_the_fcas_summary_resolution_is_by_the_close_of_the_third_business_day(received: str, expected: str) -> None:
    assert due(british(received), "uk-fca-summary", Metric.RESOLUTION, LONDON) == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        # January 31 is day 3, February 28 day 31, March 25 day 56; its end
        ("2026-01-28 09:00", "2026-03-26 00:00 GMT"),
        # over the beginning of summer time: March 31 is day 28, April 28 day 56
        ("2025-03-03 23:59", "2025-04-29 00:00 BST"),
        # leap year: February 29 is day 24, March 31 day 55, April 1 day 56
        ("2024-02-05 12:00", "2024-04-02 00:00 BST"),
    ],
)
def test_the_fcas_final_response_is_by_the_end_of_eight_weeks(received: str, expected: str) -> None:
    assert due(british(received), "uk-fca-disp", Metric.RESOLUTION, LONDON) == expected


def test_a_complaint_from_elsewhere_has_no_british_clock() -> None:
    story = Story()
    story.received()
    tracks = {one.priced.policy.spec.track for one in folded(story, book=ALL).clocks}
    assert tracks == {"service"}


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("received", "respond", "final"),
    [
        # March 18 is day 15, in daylight time since March 9; March 31 day 28, April 30 day 58, May 2 day 60
        ("2025-03-03 12:00", "2025-03-19 00:00 EDT", "2025-05-03 00:00 EDT"),
        # leap year: February 29 is day 9, March 6 day 15, March 31 day 40, April 20 day 60
        ("2024-02-20 23:30", "2024-03-07 00:00 EST", "2024-04-21 00:00 EDT"),
        # November 30 is day 12, December 3 day 15; December 31 day 43, January 17 day 60
        ("2025-11-18 08:00", "2025-12-04 00:00 EST", "2026-01-18 00:00 EST"),
    ],
)
def test_the_cfpb_waits_fifteen_days_for_a_response_and_sixty_for_the_final_one(
    received: str, respond: str, final: str
) -> None:
    when = told(received, NEW_YORK)
    story = Story(received=when)
    story.stage(when, Stage.RECEIVED, authority="us-cfpb")
    assert due(story, "us-cfpb", Metric.REGULATOR_RESPOND, NEW_YORK) == respond
    assert due(story, "us-cfpb", Metric.REGULATOR_FINAL, NEW_YORK) == final


def test_every_pack_says_where_its_figures_come_from_and_whether_they_were_read_there() -> None:
    assert list(packs()) == NAMES
    for pack in packs().values():
        for source in pack.sources:
            assert source.instrument.zh
            assert source.instrument.en
        for policy in pack.policies:
            assert policy.track == "service" or policy.track.startswith(("cn-", "uk-", "us-"))
    unread = {pack.name for pack in packs().values() if not all(one.read_in_original for one in pack.sources)}
    assert unread == {"cn-12315", "cn-beijing-12345", "us-cfpb"}


def test_a_rule_without_a_source_is_refused() -> None:
    pack = packs()["us-cfpb"]
    with pytest.raises(ValidationError, match=r"rules.regulator_respond of us-cfpb has no source"):
        Pack.model_validate({**pack.model_dump(), "sources": []})


def test_rules_are_told_in_words_by_urgency_where_they_differ() -> None:
    (beijing,) = packs()["cn-beijing-12345"].policies
    words = in_words(beijing.rules[Metric.REGULATOR_DISPATCH])
    assert words.zh == "高：1 小时内；中：2 小时内；低：1 天内"
    assert words.en == "high: within 1 hour; medium: within 2 hours; low: within 1 day"
    (china,) = packs()["cn-12315"].policies
    assert in_words(china.rules[Metric.REGULATOR_ACCEPT]).zh == "第 7 个工作日下班前"


def test_a_calendar_keeps_the_holidays_of_a_country_that_is_known() -> None:
    spec = next(one for one in packs()["us-cfpb"].calendars if one.calendar_id == "us-office")
    hours, why = Calendar(spec).shift(datetime(2024, 7, 4, tzinfo=UTC).date())
    assert (hours, why) == ((), "Independence Day")
    begin, end = (micros(datetime(2024, 7, 4, hour, tzinfo=UTC)) for hour in (12, 20))
    (closed,) = Calendar(spec).stretches(begin, end)
    assert closed[2:] == (False, "Independence Day")
    for unknown in ("ZZ", "GB-XYZ", "gb"):
        with pytest.raises(ValidationError):
            CalendarSpec.model_validate({**spec.model_dump(mode="json"), "arrangement": unknown})
