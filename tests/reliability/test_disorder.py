"""All events of a complaint in any order, with doubles, in batches of any size: the same end state in every service.

The events are those of lives that were really played (`tests.support.lives`): the unhappy twin, the same with the
erasure of its complainant, and one whose way winds. `REDRESS_DISORDER_ORDERS` says how many orders each service meets.
A failure prints what differs and the smallest order that shows it; hypothesis prints how to get it again.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from notify_service.usecases.deliver import deliver
from resolution_service.store import metadata as resolution_tables
from shared.contracts.feedback import FollowUpAssignedV1, FollowUpPlannedV1, SurveyOfferedV1
from shared.contracts.intake import ComplaintReceivedV1
from shared.contracts.triage import ComplaintAssignedV1, ComplaintClassifiedV1
from sla_service.usecases import policies, timers
from tests.support.disorder import Fed, Order, Spec, State, differences, fed
from tests.support.lives import ERASURES, Life, Lives, Told, play
from triage_service import data
from triage_service.usecases.roster import seed as seed_roster

ORDERS = int(os.environ.get("REDRESS_DISORDER_ORDERS", "200"))
#: Orders of three complaints at once.
INTERLEAVED = max(1, ORDERS // 10)
#: So many complaints with the same life, each in an order of its own, go through a service side by side where they do
#: not meet: a batch takes little longer for eight than for one. In triage they would meet over who is free, and
#: feedback must know the ids that it gave itself.
SIDE_BY_SIDE = dict.fromkeys(("intake", "resolution", "sla", "insight", "notify"), 8)


async def _roster(triage: Fed) -> None:
    await seed_roster(data.read("taxonomy"), data.read("roster"), triage.deps)


async def _policies(sla: Fed) -> None:
    await policies.seed_pack(sla.deps)


async def _fire(sla: Fed) -> None:
    while await timers.fire_due(sla.deps):
        pass


async def _deliver(notify: Fed) -> None:
    while await deliver(notify.deps):
        pass


async def _commands(resolution: Fed, lives: Sequence[Life]) -> None:
    """A case is worked on once its receipt was heard of. The rest of what is told of it may come whenever it likes."""
    await resolution.hear([event for life in lives for event in life.told if event.type == ComplaintReceivedV1.TYPE])
    async with resolution.database.session() as tx:
        for life in lives:
            for table, rows in life.commanded.items():
                if rows:
                    await tx.execute(insert(resolution_tables.tables[table]), list(rows))
        await tx.execute(text("update cases set plain = false"))


def _only(*names: str) -> frozenset[str]:
    return frozenset(names)


#: What is left out of the comparison, and why:
SPECS = {
    spec.name: spec
    for spec in (
        Spec("intake"),
        Spec(
            "triage",
            decisions=_only(ComplaintClassifiedV1.TYPE, ComplaintAssignedV1.TYPE),
            reference=_only("taxonomy_entries", "teams"),
            kept=_only("agents"),
            reset="update agents set load = 0",
            seed=_roster,
        ),
        # How many moves and changes it took depends on how many states the case was seen in.
        Spec("resolution", columns={"cases": _only("revision", "version")}, prepare=_commands),
        # How many events told of a clock depends on how much of it was known when it was first told of.
        Spec(
            "sla",
            columns={"clocks": _only("revision")},
            reference=_only("policies", "calendars", "book"),
            seed=_policies,
            work=_fire,
        ),
        Spec("feedback", decisions=_only(SurveyOfferedV1.TYPE, FollowUpPlannedV1.TYPE, FollowUpAssignedV1.TYPE)),
        # `seq` is the order of arrival itself. Salts are random; here they are not, so that the hashes are compared.
        Spec("insight", columns={"archive": _only("seq")}, deps={"salt": lambda: bytes(16)}),
        # The next attempt of a message that waited for contacts is later; once it is sent or withdrawn there is none.
        Spec("notify", columns={"messages": _only("due_at")}, work=_deliver),
    )
}

#: With three complaints at once, who gets which depends on who came first: loads, and the agent whom the complainant
#: had before (B5). What they were given for must be the same.
_WHO = {"cases": _only("agent_id"), "assignments": _only("agent_id", "reasons"), "agents": _only("load")}
HOT: Mapping[str, Spec] = {name: SPECS[name] for name in ("resolution", "sla", "insight", "notify")} | {
    "triage": SPECS["triage"]._replace(columns=_WHO, decisions=_only(ComplaintClassifiedV1.TYPE))
}


@pytest.fixture(scope="session")
def lives() -> Lives:
    with tempfile.TemporaryDirectory(prefix="redress-lives-", ignore_cleanup_errors=True) as folder:
        return play(Path(folder))


@st.composite
def orders(draw: st.DrawFn, lives: Sequence[Life], told: Sequence[Told]) -> Order:
    """A permutation with up to a third (at most 60) of doubles anywhere, cut anywhere.

    What a service does of itself before an erasure (it has sent the message) is not what it does after it (it
    withdraws the message), so where somebody is erased it does so at the end alone.
    """
    mixed = list(draw(st.permutations(told)))
    for event in draw(st.lists(st.sampled_from(told), max_size=min(60, len(told) // 3))):
        mixed.insert(draw(st.integers(0, len(mixed))), event)
    cuts = sorted(draw(st.sets(st.integers(1, len(mixed) - 1), max_size=7)))
    batches = [mixed[start:end] for start, end in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]
    some = st.frozensets(st.integers(0, len(batches) - 1), max_size=3)
    erased = any(event.type in ERASURES for event in told)
    return Order(lives, batches, draw(some), frozenset() if erased else draw(some))


def told_in(lives: Sequence[Life], service: Fed) -> Sequence[Told]:
    """What the service hears of these lives, each event once, as it was told."""
    once = {event.record.position: event for life in lives for event in life.told if event.type in service.consumes}
    return [event for _, event in sorted(once.items())]


def prove(spec: Spec, admin_url: str, played: Lives, choices: Sequence[Sequence[Life]], examples: int) -> None:
    """Of each choice of lives, any order ends as the natural one."""
    with asyncio.Runner() as runner:
        opened = fed(spec, admin_url, played.ended_at)
        service = runner.run(opened.__aenter__())
        try:
            heard = [told_in(lives, service) for lives in choices]
            natural: list[State] = [
                runner.run(service.end_of(Order.natural(lives, told)))
                for lives, told in zip(choices, heard, strict=True)
            ]

            @settings(
                max_examples=examples,
                deadline=None,
                print_blob=True,
                phases=(Phase.reuse, Phase.generate, Phase.shrink),
                suppress_health_check=[
                    HealthCheck.too_slow,
                    HealthCheck.large_base_example,
                    HealthCheck.data_too_large,
                ],
            )
            @given(st.data())
            def ends_the_same(drawn: st.DataObject) -> None:
                number = drawn.draw(st.integers(0, len(choices) - 1))
                order = drawn.draw(orders(choices[number], heard[number]))
                if found := differences(natural[number], runner.run(service.end_of(order))):
                    pytest.fail(f"{found}\n{order!r}", pytrace=False)

            ends_the_same()
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("name", SPECS)
def test_any_order_of_a_complaints_events_ends_the_same(name: str, admin_url: str, lives: Lives) -> None:
    many = SIDE_BY_SIDE.get(name, 1)
    choices = [
        [life.again(number) for number in range(many)] for life in (lives.twin.unerased, lives.twin, lives.winding)
    ]
    prove(SPECS[name], admin_url, lives, choices, -(-ORDERS // many))


@pytest.mark.parametrize("name", HOT)
def test_any_order_of_three_complaints_interleaved_ends_the_same(name: str, admin_url: str, lives: Lives) -> None:
    three = [lives.happy, lives.twin, lives.winding]
    prove(HOT[name], admin_url, lives, [[life.unerased for life in three], three], INTERLEAVED)
