"""Which policy a running clock is under (F9): chosen anew by what is learned, changed by versions, ended. Expectations
are worked out by hand; the default pack gives a medium complaint half an hour for its first response and eight hours
of working time for its resolution."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import CaseState, ClockStatus, Kind, Metric, Urgency
from sla_service.clocks.conditions import Conditions
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import ledger
from sla_service.clocks.policy import Book, PolicyVersion
from sla_service.clocks.travel import Vantage, fold_at
from sla_service.domain.facts_of import fact_of
from tests.unit.sla.history import BOOK, LONG_AGO, STANDARD, Story, at, clock, folded, shown
from tests.unit.sla.test_ledger_and_order import FACTS, tell

FIRST, RESOLUTION, UPDATE = Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE


def elapsed(time: str, **more: Any) -> dict[str, Any]:
    return {"every": {"due": {"kind": "elapsed", "time": time}}, **more}


def version(policy_id: str, number: int = 1, since: str | None = None, **changes: Any) -> PolicyVersion:
    more = {name: changes.pop(name) for name in ("change", "ended") if name in changes}
    spec = {
        "policy_id": policy_id,
        "title": {"zh": policy_id, "en": policy_id},
        "position": 10,
        "calendar": "cn-office",
        "rules": {"resolution": elapsed("PT4H")},
        **changes,
    }
    valid_from = at(since) if since else LONG_AGO
    return PolicyVersion.model_validate({"spec": spec, "version": number, "valid_from": valid_from, **more})


def standard(number: int = 1, since: str | None = None, change: str = "keep", **rules: Any) -> PolicyVersion:
    spec = STANDARD[0].model_dump(mode="json")
    spec["rules"] |= rules
    valid_from = at(since) if since else LONG_AGO
    return PolicyVersion.model_validate({"spec": spec, "version": number, "valid_from": valid_from, "change": change})


def book(*versions: PolicyVersion, waiting: Any = ()) -> Book:
    return Book([standard(), *versions], BOOK.calendars, waiting=waiting)


def under(state: ClockState) -> tuple[str, int, str | None]:
    return state.priced.policy.policy_id, state.priced.policy.version, shown(state.due)


@pytest.mark.parametrize(
    ("when", "policy", "due"),
    [
        ({"kinds": ["complaint"]}, "special", "05-10 14:20"),
        ({"kinds": ["enquiry", "suggestion"]}, "standard", "05-11 10:20"),
        ({"issue_types": ["product"]}, "special", "05-10 14:20"),
        ({"issue_types": ["product.function"]}, "special", "05-10 14:20"),
        ({"issue_types": ["product.func", "price"]}, "standard", "05-11 10:20"),
        ({"tags": ["security", "media"]}, "special", "05-10 14:20"),
        ({"tags": ["media"]}, "standard", "05-11 10:20"),
        ({"urgencies": ["medium"], "kinds": ["complaint"]}, "special", "05-10 14:20"),
        ({"urgencies": ["high"]}, "standard", "05-11 10:20"),
    ],
)
def test_what_the_classification_tells_chooses_the_policy_of_the_clock_that_runs(
    when: dict[str, Any], policy: str, due: str
) -> None:
    story = Story()
    story.received()
    story.classified("10:30", Urgency.MEDIUM, tags=("security", "login"))
    state = clock(story, RESOLUTION, book=book(version("special", when=when)))
    assert under(state) == (policy, 1, due)


def test_the_choice_is_made_anew_at_each_classification_and_the_why_is_that_of_the_last_look() -> None:
    policies = book(version("complaints", when={"kinds": ["complaint"]}))
    story = Story()
    story.received()
    before = clock(story, RESOLUTION, book=policies)
    assert (before.priced.policy.policy_id, before.priced.why.passed_over[0].failed.has) == ("standard", None)
    story.classified("10:30", Urgency.MEDIUM, kind=Kind.ENQUIRY)
    assert clock(story, RESOLUTION, book=policies).priced.why.passed_over[0].failed.has == "enquiry"
    story.classified("12:00", Urgency.MEDIUM, revision=2)
    state = clock(story, RESOLUTION, book=policies)
    assert under(state) == ("complaints", 1, "05-10 14:20")
    assert [one.has for one in state.priced.why.met] == ["complaint"]
    story.classified("13:00", Urgency.MEDIUM, revision=3, kind=Kind.ENQUIRY)
    assert under(clock(story, RESOLUTION, book=policies)) == ("standard", 1, "05-11 10:20")


def test_a_policy_that_comes_late_is_never_due_before_it_came() -> None:
    story = Story()
    story.received()
    story.classified("16:00", Urgency.MEDIUM)  # four hours after the receipt was 14:20
    state = clock(story, RESOLUTION, book=book(version("complaints", when={"kinds": ["complaint"]})))
    assert under(state) == ("complaints", 1, "05-10 16:00")
    story.resolved("16:01")
    assert clock(story, RESOLUTION, book=book(version("complaints", when={"kinds": ["complaint"]}))).late


def test_a_level_that_changes_counts_from_its_own_instant_and_an_older_word_changes_nothing() -> None:
    policies = book(version("vip", when={"levels": ["vip"]}))
    story = Story()
    story.received()
    old = story.facts
    story.became("vip")
    story.wrote("11:00")
    assert under(clock(story, RESOLUTION, book=policies)) == ("vip", 1, "05-10 14:20")
    story.facts = old  # another service still tells what it heard first
    story.assigned("11:30")
    assert under(clock(story, RESOLUTION, book=policies)) == ("vip", 1, "05-10 14:20")


def test_an_organisation_that_was_erased_still_has_the_policy_that_it_had() -> None:
    policies = book(version("group", when={"organisations": ["集团"]}))
    story = Story()
    story.facts = story.facts.model_copy(update={"organisation": "集团"})
    story.received()
    story.facts = story.facts.model_copy(update={"organisation": None})
    story.wrote("11:00")
    assert under(clock(story, RESOLUTION, book=policies))[0] == "group"


def test_a_clock_that_ended_before_the_classification_keeps_its_policy() -> None:
    story = Story()
    story.received()
    story.resolved("10:29")
    story.classified("10:30", Urgency.MEDIUM)
    assert under(clock(story, RESOLUTION, book=book(version("c", when={"kinds": ["complaint"]}))))[0] == "standard"


def test_a_track_that_is_learned_of_later_has_a_clock_from_then_on_and_loses_it_with_the_reason() -> None:
    policies = book(version("regulator", track="regulator", when={"kinds": ["complaint"]}))
    story = Story()
    story.received()
    story.classified("10:30", Urgency.MEDIUM)
    states = {one.priced.policy.spec.track: one for one in folded(story, book=policies).clocks
              if one.run.metric is RESOLUTION}  # fmt: skip
    assert {track: shown(one.due) for track, one in states.items()} == {
        "service": "05-11 10:20",
        "regulator": "05-10 14:20",
    }
    assert states["service"].clock_id != states["regulator"].clock_id
    story.classified("11:00", Urgency.MEDIUM, revision=2, kind=Kind.ENQUIRY)
    lost = next(one for one in folded(story, book=policies).clocks if one.priced.policy.spec.track == "regulator")
    assert lost.run.end is not None
    assert (lost.status, shown(lost.run.end.at), lost.run.end.reason, lost.late) == (
        ClockStatus.CANCELLED, "05-10 11:00", "no_policy_applies", False
    )  # fmt: skip


TWO_HOURS: dict[str, Any] = {"resolution": elapsed("PT2H", pauses=["waiting_customer"])}


@pytest.mark.parametrize(
    ("change", "start", "due"),
    [
        ("keep", "05-10 10:20", "05-11 10:20"),
        ("rebase", "05-10 10:20", "05-10 12:20"),
        ("restart", "05-10 11:00", "05-10 13:00"),
    ],
)
def test_a_version_says_what_becomes_of_clocks_that_run(change: str, start: str, due: str) -> None:
    story, later = Story(), Story("later", received="11:05")
    story.received()
    later.received()
    policies = book(standard(2, "11:00", change, **TWO_HOURS))
    state = clock(story, RESOLUTION, book=policies)
    assert (shown(state.run.start), shown(state.due)) == (start, due)
    assert state.priced.policy.version == (1 if change == "keep" else 2)
    assert shown(clock(later, RESOLUTION, book=policies).due) == "05-10 13:05"


def test_a_version_that_has_not_come_for_running_clocks_changes_none_of_them() -> None:
    story = Story()
    story.received()
    policies = book(standard(2, "11:00", "rebase", **TWO_HOURS), waiting={("standard", 2)})
    assert under(clock(story, RESOLUTION, book=policies)) == ("standard", 1, "05-11 10:20")


def test_a_running_clock_skips_a_version_to_keep_and_takes_the_next_to_rebase() -> None:
    story = Story()
    story.received()
    policies = book(
        standard(2, "11:00", "keep", **TWO_HOURS), standard(3, "11:30", "rebase", resolution=elapsed("PT3H"))
    )
    assert under(clock(story, RESOLUTION, book=policies)) == ("standard", 3, "05-10 13:20")


@pytest.mark.parametrize("change", ["rebase", "restart"])
def test_a_breach_stands_whatever_version_comes_after_it(change: str) -> None:
    story = Story()
    story.received()
    state = clock(story, FIRST, book=book(standard(2, "12:00", change, first_response=elapsed("PT8H"))))
    assert (under(state), state.late) == (("standard", 1, "05-10 10:50"), True)


@pytest.mark.parametrize(("change", "due"), [("rebase", "05-10 13:20"), ("restart", "05-10 14:00")])
def test_a_pause_before_a_change_of_policy_is_not_forgotten(change: str, due: str) -> None:
    """Waited from 10:40 to 11:40; the two hours of the new version begin at 10:20 (rebase: an hour of pause is kept) or
    at 12:00 (restart: what was before counts no more)."""
    story = Story()
    story.received()
    story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=2)
    story.wrote("11:40")
    state = clock(story, RESOLUTION, book=book(standard(2, "12:00", change, **TWO_HOURS)))
    assert under(state) == ("standard", 2, due)


@pytest.mark.parametrize(
    ("change", "due"),
    # rebase: 10:20 + 2 h + the hour and a half of waiting; restart: 11:30 + 2 h + the 40 minutes after it
    [("rebase", "05-10 13:50"), ("restart", "05-10 14:10")],
)
def test_a_pause_that_lasts_at_a_change_of_policy_goes_on(change: str, due: str) -> None:
    story = Story()
    story.received()
    story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=2)
    policies = book(standard(2, "11:30", change, **TWO_HOURS))
    assert clock(story, RESOLUTION, book=policies).status is ClockStatus.PAUSED
    story.wrote("12:10")
    state = clock(story, RESOLUTION, book=policies)
    assert (state.status, under(state)) == (ClockStatus.RUNNING, ("standard", 2, due))


def test_a_pause_that_the_new_policy_does_not_allow_ends_with_it_and_the_ledger_says_so() -> None:
    story = Story()
    story.received()
    story.moved("10:40", CaseState.WAITING_CUSTOMER, revision=2)
    state = clock(story, RESOLUTION, book=book(standard(2, "11:00", "rebase", resolution=elapsed("PT2H"))))
    assert (state.status, shown(state.due)) == (ClockStatus.RUNNING, "05-10 12:40")
    told = [(shown(one.begin), one.kind.value, one.reason) for one in ledger(state, micros(at("11:30")))]
    assert told == [
        ("05-10 10:20", "ran", "started"),
        ("05-10 10:40", "paused", "waiting_customer"),
        ("05-10 11:00", "ran", "pause_not_allowed"),
    ]


def test_a_pause_that_only_the_new_policy_allows_begins_with_it() -> None:
    story = Story(level="vip")
    story.received()
    story.moved("10:30", CaseState.WAITING_CUSTOMER, revision=2)
    pausing = elapsed("PT1H", pauses=["waiting_customer"])
    policies = book(version("vip"), version("vip", 2, "10:40", change="rebase", rules={"resolution": pausing}))
    assert clock(story, RESOLUTION, book=policies).status is ClockStatus.PAUSED
    story.moved("11:00", CaseState.IN_PROGRESS, revision=3, leaving=CaseState.WAITING_CUSTOMER)
    assert shown(clock(story, RESOLUTION, book=policies).due) == "05-10 11:40"


def test_an_update_target_never_overrules_the_first_response() -> None:
    """One answer to the customer by the cadence's own time is no excuse for the first response, and the other way."""
    tight = standard(2, "10:25", "rebase", periodic_update=elapsed("PT5M"))
    story = Story()
    story.received()
    policies = book(tight)
    assert shown(clock(story, UPDATE, book=policies).due) == "05-10 10:25"
    assert under(clock(story, FIRST, book=policies)) == ("standard", 2, "05-10 10:50")
    story.told("10:55")  # too late as a first response, and for the cadence
    assert [(one.run.metric, one.late) for one in folded(story, book=policies).clocks][:1] == [(FIRST, True)]


def ended(since: str, change: str = "rebase", **more: Any) -> PolicyVersion:
    return version("vip", 2, since, change=change, ended=True, **more)


VIP: dict[str, Any] = {
    "when": {"levels": ["vip"]},
    "rules": {"resolution": elapsed("PT4H", escalation=[{"role": "executive"}])},
}


def test_a_policy_that_ended_is_chosen_no_more_and_running_clocks_move_to_the_next_or_keep_it() -> None:
    story, later = Story(level="vip"), Story("later", received="11:05", level="vip")
    story.received()
    later.received()
    moved = book(version("vip", **VIP), ended("11:00", **VIP))
    kept = book(version("vip", **VIP), ended("11:00", "keep", **VIP))
    assert under(clock(story, RESOLUTION, book=moved)) == ("standard", 1, "05-11 10:20")
    assert under(clock(story, RESOLUTION, book=kept)) == ("vip", 1, "05-10 14:20")
    assert {under(clock(later, RESOLUTION, book=one))[0] for one in (moved, kept)} == {"standard"}


def test_a_clock_whose_policy_ended_without_another_on_its_track_is_cancelled() -> None:
    own: dict[str, Any] = {**VIP, "track": "agreement"}
    story = Story(level="vip")
    story.received()
    policies = book(version("vip", **own), ended("11:00", **own))
    (state,) = [one for one in folded(story, book=policies).clocks if one.priced.policy.policy_id == "vip"]
    assert state.run.end is not None
    assert (state.status, state.late, state.run.end.reason) == (ClockStatus.CANCELLED, False, "policy_ended")
    assert state.next_instant(micros(at("11:01")), 0) is None


def test_a_policy_that_ended_escalates_no_more_though_the_breach_stands() -> None:
    chain = [{"role": "agent"}, {"role": "executive", "after": "PT1H"}]
    rules: dict[str, Any] = {"rules": {"resolution": elapsed("PT10M", escalation=chain)}, "when": {"levels": ["vip"]}}
    story = Story(level="vip")
    story.received()
    state = clock(story, RESOLUTION, book=book(version("vip", **rules), ended("11:00", **rules)))
    assert (under(state), state.late) == (("standard", 1, "05-10 10:30"), True)
    assert [step.role for step in state.priced.rule.escalation] == [one.role for one in
            STANDARD[0].rules[RESOLUTION].escalation]  # fmt: skip


def test_time_travel_sees_the_policy_of_the_time() -> None:
    story = Story()
    story.received()
    story.classified("10:30", Urgency.MEDIUM)
    policies = book(
        version("complaints", when={"kinds": ["complaint"]}),
        version("complaints", 2, "12:00", when={"kinds": ["complaint"]}, change="rebase",
                rules={"resolution": elapsed("PT5H")}),
        waiting={("complaints", 2)},
    )  # fmt: skip
    facts = [fact for fact in map(fact_of, story.events) if fact is not None]

    def seen(when: str) -> tuple[str, int, str | None]:
        states = fold_at(story.id, story.facts, facts, policies, Vantage(micros(at(when))))
        return next(under(one) for one in states if one.run.metric is RESOLUTION)

    assert seen("10:29") == ("standard", 1, "05-11 10:20")
    assert seen("11:59") == ("complaints", 1, "05-10 14:20")
    assert seen("12:00") == ("complaints", 2, "05-10 15:20")


CHANGING = book(
    version("angry", position=5, when={"urgencies": ["high"]}, rules={"resolution": elapsed("PT1H")}),
    version("calm", position=6, track="calm", when={"urgencies": ["low"]}, rules={"periodic_update": elapsed("PT9H")}),
    standard(2, "05-10 15:00", "rebase", resolution=elapsed("PT20H", pauses=["waiting_customer"])),
    version("angry", 2, "05-11 09:00", position=5, when={"urgencies": ["high"]}, change="restart",
            rules={"resolution": elapsed("PT3H", pauses=["waiting_customer"])}),
    version("calm", 2, "05-11 12:00", position=6, track="calm", ended=True, change="rebase",
            rules={"periodic_update": elapsed("PT9H")}),
)  # fmt: skip


@settings(max_examples=150)
@given(FACTS, st.randoms(use_true_random=False), st.integers(0, 4000))
def test_under_changing_policies_the_order_of_arrival_does_not_matter_and_every_ledger_adds_up(
    facts: list[tuple[str, int]], random: Any, later: int
) -> None:
    story = tell(facts)
    expected = {one.clock_id: one for one in folded(story, book=CHANGING).clocks}
    shuffled: list[Event] = story.events * 2
    random.shuffle(shuffled)
    assert {one.clock_id: one for one in folded(story, shuffled, book=CHANGING).clocks} == expected
    now = micros(at("10:20")) + later * 60_000_000
    for state in expected.values():
        assert state.due >= state.run.start
        segments = ledger(state, now)
        begin = state.run.start
        for one in segments:
            assert one.begin == begin
            assert one.end > one.begin
            begin = one.end
        assert begin == (state.run.end.at if state.run.end else max(now, state.run.start))


@pytest.mark.parametrize(
    ("one", "other", "excludes"),
    [
        ({}, {}, False),
        ({"levels": ["vip"]}, {"levels": ["standard", "gold"]}, True),
        ({"levels": ["vip"]}, {"levels": ["vip", "gold"]}, False),
        ({"levels": ["vip"]}, {"channels": ["hotline"]}, False),
        ({"tags": ["a"]}, {"tags": ["b"]}, False),
        ({"issue_types": ["product"]}, {"issue_types": ["product.function"]}, False),
        ({"issue_types": ["product"]}, {"issue_types": ["productivity"]}, True),
        ({"kinds": ["enquiry"], "levels": ["vip"]}, {"kinds": ["complaint"], "levels": ["vip"]}, True),
    ],
)
def test_whether_a_complaint_may_meet_two_conditions_at_once(
    one: dict[str, Any], other: dict[str, Any], excludes: bool
) -> None:
    first, second = Conditions.model_validate(one), Conditions.model_validate(other)
    assert (first.excludes(second), second.excludes(first)) == (excludes, excludes)
