"""What if: the same facts by the rules as they are and by a draft of others.

Both sides are folds, so what differs is the draft's doing alone. `seen` is the instant up to which breaches show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.envelope import ComplaintFacts
from shared.contracts.vocabulary import ClockStatus, Metric
from sla_service.clocks.calendar import Calendar, CalendarSpec
from sla_service.clocks.facts import Fact
from sla_service.clocks.fold import ClockState, fold
from sla_service.clocks.instants import EPOCH, instant_of
from sla_service.clocks.policy import Book, PolicySpec, PolicyVersion

GroupKind = Literal["team", "type", "hour", "metric"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Policies and calendars that take the place of those of the same name, or come beside the others."""

    policies: tuple[PolicySpec, ...] = ()
    calendars: tuple[CalendarSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """A clock by one of the two sets of rules."""

    policy: str
    due: int
    breached: int | None
    status: ClockStatus


@dataclass(frozen=True, slots=True)
class Pair:
    """One clock by both; None where only the other set of rules has it."""

    history_id: UUID
    clock_id: UUID
    metric: Metric
    cycle: int
    team: str | None
    before: Side | None
    after: Side | None

    @property
    def differs(self) -> bool:
        """Whether it is due at another instant, is late by one alone, or is had by one alone."""
        if self.before is None or self.after is None:
            return True
        return (self.before.due, self.before.breached) != (self.after.due, self.after.breached)


def drafted(book: Book, draft: Draft) -> Book:
    """The book as if the draft had always held. Raises `KeyError` with the name of a calendar that does not exist."""
    ours = {spec.calendar_id: spec for spec in draft.calendars}
    calendars = {
        (name, version): Calendar(ours[name], version) if name in ours else calendar
        for (name, version), calendar in book.calendars.items()
    }
    calendars |= {(name, 1): Calendar(spec, 1) for name, spec in ours.items() if (name, 1) not in calendars}
    dated = [one for one in book.dated if one.calendar.spec.calendar_id not in ours]
    newest: dict[str, int] = {}
    for name, version in calendars:
        newest[name] = max(version, newest.get(name, 0))
    replaced = {spec.policy_id for spec in draft.policies}
    kept = [one for name, versions in book.versions.items() if name not in replaced for one in versions]
    for spec in draft.policies:
        versions = book.versions.get(spec.policy_id, [])
        number = versions[-1].version + 1 if versions else 1
        kept.append(PolicyVersion(spec=spec, version=number, valid_from=EPOCH, calendar_version=newest[spec.calendar]))
    return Book(kept, calendars, book.revision, dated)


def pairs(
    history_id: UUID,
    complaint: ComplaintFacts | None,
    facts: Sequence[Fact],
    before: Book,
    after: Book,
    seen: int,
) -> Iterator[Pair]:
    """Every clock of one history by both sets of rules, in the order of their ids."""
    old, new = (
        {state.clock_id: state for state in fold(history_id, complaint, facts, book).clocks} for book in (before, after)
    )
    for clock_id, state in sorted((new | old).items()):
        run, one, other = state.run, _side(old.get(clock_id), seen), _side(new.get(clock_id), seen)
        if one or other:
            yield Pair(history_id, clock_id, run.metric, run.cycle, run.team_id, one, other)


def _side(state: ClockState | None, seen: int) -> Side | None:
    if state is None or state.run.void:
        return None
    return Side(state.priced.policy.policy_id, state.due, state.breached_at(seen), state.status_at(seen))


@dataclass(frozen=True, slots=True)
class Tally:
    """Clocks, breaches among them, and clocks that differ."""

    clocks_before: int = 0
    clocks_after: int = 0
    breaches_before: int = 0
    breaches_after: int = 0
    differing: int = 0

    def plus(self, pair: Pair) -> "Tally":
        return Tally(
            self.clocks_before + (pair.before is not None),
            self.clocks_after + (pair.after is not None),
            self.breaches_before + _late(pair.before),
            self.breaches_after + _late(pair.after),
            self.differing + pair.differs,
        )


def _late(side: Side | None) -> bool:
    return side is not None and side.breached is not None


def groups_of(pair: Pair, issue_type: str | None, zone: ZoneInfo) -> dict[GroupKind, str | None]:
    """Where a clock counts. The hour (``"00"`` to ``"23"``) is that of its breach by the rules as they are, else by the
    draft, by the zone's wall clock; empty for one that is late by neither."""
    late = next((one.breached for one in (pair.before, pair.after) if one and one.breached is not None), None)
    hour = None if late is None else f"{instant_of(late).astimezone(zone):%H}"
    return {"team": pair.team, "type": issue_type, "metric": pair.metric.value, "hour": hour}
