"""Who held a clock how long. Expectations are worked out by hand."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.vocabulary import CaseState, Metric, Urgency
from shared.ids import derived_id
from sla_service.clocks.fold import ClockState, fold
from sla_service.clocks.holders import Held, holders, name_of
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import ledger
from sla_service.domain.facts_of import fact_of
from tests.unit.sla.history import ACTOR, BOOK, Story, at, clock, folded, person
from tests.unit.sla.own_case import own_case
from tests.unit.sla.test_ledger_and_order import MINUTE, tell


def held(story: Story, state: ClockState, now: str) -> tuple[Held, ...]:
    return holders(state, [fact for fact in map(fact_of, story.events) if fact], micros(at(now)))


def rows(story: Story, metric: Metric, now: str, cycle: int = 1) -> list[tuple[str, str | None, float, float]]:
    """(kind, who, minutes on the wall, minutes counted)."""
    return [
        (
            one.holder.kind.value,
            one.holder.person.staff_id if one.holder.kind == "agent" and one.holder.person else one.holder.team_id,
            one.wall / MINUTE,
            one.counted / MINUTE,
        )
        for one in held(story, clock(story, metric, cycle), now)
    ]


def test_the_resolution_of_the_users_own_case_was_with_rnd_for_an_hour() -> None:
    assert rows(own_case(), Metric.RESOLUTION, "18:00") == [
        ("queue", None, 1, 1),
        ("agent", "li", 9 + 30 + 30, 9 + 30),  # the half hour from noon on is lunch and does not count
        ("asked", "rnd", 60, 60),
    ]


def test_the_transfer_is_with_the_team_that_was_asked_and_the_first_response_never_left_the_house() -> None:
    assert rows(own_case(), Metric.TRANSFER_RESPONSE, "18:00") == [("asked", "rnd", 60, 60)]
    assert rows(own_case(), Metric.FIRST_RESPONSE, "18:00") == [("queue", None, 1, 1), ("agent", "li", 6, 6)]


def test_waiting_for_the_customer_is_the_customers_time_and_is_not_counted() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.assigned("10:30")
    story.transfer("10:40")
    story.moved("10:50", CaseState.WAITING_CUSTOMER, revision=2)
    story.wrote("11:30")
    assert rows(story, Metric.RESOLUTION, "11:45") == [
        ("queue", None, 10, 10),
        ("agent", "li", 10, 10),
        ("asked", "rnd", 10 + 15, 10 + 15),
        ("customer", None, 40, 0),
    ]


def test_a_team_without_an_agent_holds_it_and_of_two_that_were_asked_the_first() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.assigned("10:25", agent=None)
    story.assigned("10:30", agent="wu", revision=2)
    story.transfer("10:40", task="one")
    story.transfer("10:45", task="two")
    story.transfer_answered("10:50", task="one")
    story.transfer_cancelled("11:00", task="two")
    story.assigned("11:10", agent="li", revision=3)
    assert rows(story, Metric.RESOLUTION, "11:20") == [
        ("queue", None, 5, 5),
        ("team", "support", 5, 5),
        ("agent", "wu", 10 + 10, 10 + 10),
        ("asked", "rnd", 20, 20),
        ("agent", "li", 10, 10),
    ]
    names = [name_of(one.holder) for one in held(story, clock(story, Metric.RESOLUTION), "11:20")]
    assert [one.zh for one in names] == ["待分派", "售后", "Wu", "研发部", "Li"]
    assert names[0].en == "Not yet assigned"


def test_a_task_that_nobody_answered_ends_with_the_case() -> None:
    story = Story(urgency=Urgency.HIGH)
    story.received()
    story.assigned("10:20")
    story.transfer("10:30")
    story.resolved("11:00")
    story.moved("11:10", CaseState.CLOSED, revision=5)
    story.moved("11:20", CaseState.REOPENED, revision=6, cycle=2)
    assert rows(story, Metric.RESOLUTION, "11:50", cycle=2) == [("agent", "li", 30, 30)]


def test_an_improvement_action_is_its_owners() -> None:
    action = derived_id("action")
    planned = [
        ActionPlannedV1(
            event_id=derived_id("plan", revision),
            occurred_at=at(when),
            recorded_at=at(when),
            actor=ACTOR,
            action_id=action,
            revision=revision,
            review_id=None,
            title="…",
            kind="process",
            owner=person(owner),
            aim="…",
            due_at=at("05-17 18:00"),
        )
        for revision, when, owner in ((1, "10:00", "sun"), (2, "12:00", "wang"))
    ]
    done = ActionDoneV1(
        event_id=derived_id("done"),
        occurred_at=at("15:00"),
        recorded_at=at("15:00"),
        actor=ACTOR,
        action_id=action,
        result="…",
    )
    facts = [fact for fact in map(fact_of, [*planned, done]) if fact]
    (state,) = fold(action, None, facts, BOOK).clocks
    found = holders(state, facts, micros(at("18:00")))
    assert [(one.holder.person, one.wall // MINUTE) for one in found] == [(person("sun"), 120), (person("wang"), 180)]


MORE = st.lists(st.tuples(st.integers(-30, 3000), st.sampled_from([None, "li", "wu"])), max_size=4)
FACTS = st.lists(
    st.tuples(
        st.sampled_from(["waiting", "working", "wrote", "resolved", "reopened", "closed", "urgent", "transfer",
                         "transfer_answered", "told", "visit"]),
        st.integers(-30, 3000),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=150)
@given(FACTS, MORE, st.integers(0, 5000))
def test_what_the_holders_had_adds_up_exactly_to_the_ledger_and_to_the_whole_time(
    told: list[tuple[str, int]], hands: list[tuple[int, str | None]], later: int
) -> None:
    story = tell(told)
    for revision, (minute, agent) in enumerate(sorted(hands, key=lambda one: one[0]), start=1):
        day, rest = divmod(620 + minute, 1440)
        story.assigned(f"05-{10 + day:02} {rest // 60:02}:{rest % 60:02}", agent=agent, revision=revision)
    facts = [fact for fact in map(fact_of, story.events) if fact]
    now = micros(at("10:20")) + later * MINUTE
    for state in folded(story).clocks:
        segments, found = ledger(state, now), holders(state, facts, now)
        assert sum(one.counted for one in found) == sum(one.counted for one in segments)
        assert sum(one.wall for one in found) == sum(one.end - one.begin for one in segments)
        assert sum(one.wall for one in found) == (
            (state.run.end.at if state.run.end else max(now, state.run.start)) - state.run.start
        )
        assert all(0 <= one.counted <= one.wall and one.wall for one in found)
        assert len({one.holder.key for one in found}) == len(found)
