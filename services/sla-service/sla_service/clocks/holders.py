"""Who held a clock, and how long: its ledger, cut where the case changed hands.

As far as the facts tell. While the case waits for the customer it is the customer's; while a transfer task is open it
is with the team that was asked (of several the one that was asked first); else with the agent, or the team where no
agent is named, and before that in the queue. A transfer's own clock is with the team that was asked, an improvement
action's with its owner, a follow-up visit's with the one who is to make it. Whether a team is a partner's is not kept,
so a third party is shown as the team that was asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.vocabulary import Metric
from sla_service.clocks.facts import Fact, FactKind
from sla_service.clocks.fold import ClockState
from sla_service.clocks.ledger import ledger
from sla_service.clocks.metrics import WAITING_CUSTOMER
from sla_service.clocks.waiting import asked_tasks


class HolderKind(StrEnum):
    QUEUE = "queue"
    TEAM = "team"
    AGENT = "agent"
    ASKED = "asked"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Holder:
    kind: HolderKind
    team_id: str | None = None
    team_name: Bilingual | None = None
    person: StaffContact | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """One holder is one, whatever its name was at the time."""
        staff_id = self.person.staff_id if self.person and self.kind is HolderKind.AGENT else ""
        return self.kind.value, "" if staff_id else self.team_id or "", staff_id


@dataclass(frozen=True, slots=True)
class Held:
    """What of a clock was with one holder, in microseconds: `wall` by the clock on the wall, `counted` by this one."""

    holder: Holder
    wall: int
    counted: int


def holders(state: ClockState, facts: Sequence[Fact], now: int) -> tuple[Held, ...]:
    """The holders in the order in which they first held it. `wall` adds up to the time from the start to the end (or
    `now`, while it runs), `counted` to that of the ledger, exactly."""
    case = _Case(state, facts)
    turns = sorted({one.at for one in facts})
    found: dict[tuple[str, ...], Held] = {}
    for segment in ledger(state, now):
        for begin, end in _cut(segment.begin, segment.end, turns):
            holder, length = case.holder_at(begin), end - begin
            before = found.get(holder.key)
            found[holder.key] = Held(
                holder,
                length + (before.wall if before else 0),
                (length if segment.counted else 0) + (before.counted if before else 0),
            )
    return tuple(found.values())


def _cut(begin: int, end: int, turns: Sequence[int]) -> Iterator[tuple[int, int]]:
    return pairwise([begin, *(turn for turn in turns if begin < turn < end), end])


class _Case:
    """In whose hands the clock's case was at an instant. It changes hands at the instants of facts alone."""

    def __init__(self, state: ClockState, facts: Sequence[Fact]) -> None:
        self.run = state.run
        self.facts = facts
        self.with_customer = [one for one in state.run.pauses if one.reason == WAITING_CUSTOMER]
        self.asked = sorted(asked_tasks(facts), key=lambda one: (one[0].at, one[0].fact_id))

    def holder_at(self, instant: int) -> Holder:
        run = self.run
        if run.metric in (Metric.TRANSFER_RESPONSE, Metric.THIRD_PARTY_RESPONSE):
            return Holder(HolderKind.ASKED, run.team_id, run.team_name, run.holder)
        if run.metric is Metric.IMPROVEMENT_ACTION:
            return _assigned(self._last(FactKind.ACTION_PLANNED, instant))
        if run.metric is Metric.FOLLOW_UP and (visit := self._last(FactKind.FOLLOW_UP_ASSIGNED, instant)):
            return _assigned(visit)
        if any(one.begin <= instant and (one.end is None or instant < one.end) for one in self.with_customer):
            return Holder(HolderKind.CUSTOMER)
        for task, ended in self.asked:
            if task.at <= instant and (ended is None or instant < ended.at):
                return Holder(HolderKind.ASKED, task.team_id, task.team_name, task.person)
        return _assigned(self._last(FactKind.ASSIGNED, instant))

    def _last(self, kind: FactKind, instant: int) -> Fact | None:
        """What held at the instant: the highest revision of what had happened by then."""
        visit = self.run.subject_id if kind is FactKind.FOLLOW_UP_ASSIGNED else None
        told = (one for one in self.facts if one.kind is kind and one.at <= instant and visit in (None, one.subject_id))
        return max(told, key=lambda one: (one.revision, one.fact_id), default=None)


def _assigned(fact: Fact | None) -> Holder:
    if fact is None or (fact.team_id is None and fact.person is None):
        return Holder(HolderKind.QUEUE)
    kind = HolderKind.AGENT if fact.person else HolderKind.TEAM
    return Holder(kind, fact.team_id, fact.team_name, fact.person)


_NAMES = {
    HolderKind.QUEUE: Bilingual(zh="待分派", en="Not yet assigned"),
    HolderKind.CUSTOMER: Bilingual(zh="客户", en="The customer"),
}


def name_of(holder: Holder) -> Bilingual:
    """The holder in words, both languages."""
    if holder.kind is HolderKind.AGENT and holder.person:
        return Bilingual(zh=holder.person.name, en=holder.person.name)
    unnamed = holder.team_id or ""
    return _NAMES.get(holder.kind) or holder.team_name or Bilingual(zh=unnamed, en=unnamed)
