"""The fold: ``state = fold(facts, policies, calendars)``. No present instant comes in here.

What the clock looks like at an instant (has it warned, is it late) is read off the state by `warned_at` and
`breached_at` with the *horizon*, the instant up to which the timers have looked. So the same facts give the same state
in whatever order they came, and a deadline is judged by recorded instants alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts
from shared.contracts.vocabulary import ClockStatus, ClockSubject, Metric, Urgency
from shared.ids import derived_id
from sla_service.clocks import durations
from sla_service.clocks.calendar import CalendarUnknown
from sla_service.clocks.durations import Basis, NoDueInstant
from sla_service.clocks.facts import Fact
from sla_service.clocks.instants import length, micros
from sla_service.clocks.lifecycle import complaint_runs
from sla_service.clocks.policy import Book, Priced, Target
from sla_service.clocks.runs import Change, Pause, Run, action_runs


@dataclass(frozen=True, slots=True)
class ClockState:
    """One clock, priced. `late` says that the facts alone show the breach: it ended, or went on, after `due`."""

    clock_id: UUID
    run: Run
    priced: Priced
    basis: Basis
    due: int
    warn: int | None
    late: bool
    status: ClockStatus
    #: When each step of the escalation chain is due, if the clock is still running then.
    steps: tuple[int, ...]

    def warned_at(self, horizon: int) -> int | None:
        if self.warn is None:
            return None
        until = self.run.end.at if self.run.end else horizon + 1
        return self.warn if self.warn < until else None

    def breached_at(self, horizon: int) -> int | None:
        """An answer at the due instant itself is in time, so the breach shows just after it."""
        return self.due if self.late or (self.status is ClockStatus.RUNNING and self.due < horizon) else None

    def next_instant(self, horizon: int, escalated: int) -> int | None:
        """When a timer has to look at this clock again; `escalated` steps are raised already."""
        if self.status is not ClockStatus.RUNNING:
            return None
        shows = self.due + 1
        coming = [shows] if shows > horizon else []
        if self.warn is not None and self.warn > horizon:
            coming.append(self.warn)
        if escalated < len(self.steps):
            coming.append(max(self.steps[escalated], shows))
        return min(coming, default=None)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A clock that runs but cannot be priced: no policy for it, or a calendar that does not know the year."""

    metric: Metric
    subject_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Folded:
    clocks: tuple[ClockState, ...]
    unpriced: tuple[Unpriced, ...]


def clock_id_of(run: Run, track: str) -> UUID:
    return _clock_id(run.subject, run.subject_id, run.metric, run.cycle, track)


@lru_cache(maxsize=20_000)
def _clock_id(subject: ClockSubject, subject_id: UUID, metric: Metric, cycle: int, track: str) -> UUID:
    return derived_id("clock", subject.value, subject_id, metric.value, cycle, track)


def fold(history_id: UUID, complaint: ComplaintFacts | None, facts: Sequence[Fact], book: Book) -> Folded:
    """All clocks of one history: of a complaint, or (without `complaint`) of an improvement action."""
    if complaint is None:
        runs = action_runs(history_id, facts)
    else:

        def goes_on(urgency: Urgency | None, at: int) -> bool:
            return any(
                priced.rule.target(urgency or complaint.urgency).repeated is not None
                for priced in book.choose(Metric.PERIODIC_UPDATE, at, complaint)
            )

        runs = complaint_runs(history_id, micros(complaint.received_at), facts, goes_on)
    clocks: list[ClockState] = []
    unpriced: list[Unpriced] = []
    resolution_due: dict[tuple[str, int], int] = {}
    for run in runs:
        chosen = book.choose(run.metric, run.start, complaint)
        if not chosen:
            unpriced.append(Unpriced(run.metric, run.subject_id, "no policy has a rule for it"))
        for priced in chosen:
            track = priced.policy.spec.track
            try:
                state = price(run, priced, resolution_due.get((track, run.case_cycle)))
            except (CalendarUnknown, NoDueInstant) as problem:
                unpriced.append(Unpriced(run.metric, run.subject_id, str(problem)))
                continue
            if run.metric is Metric.RESOLUTION:
                resolution_due[track, run.case_cycle] = state.due
            clocks.append(state)
    return Folded(tuple(clocks), tuple(unpriced))


def pauses_of(run: Run, priced: Priced) -> list[Pause]:
    """The pauses that the policy allows, up to the end of the run."""
    end = run.end.at if run.end else None
    return [pause for pause in run.pauses if pause.reason in priced.rule.pauses and (end is None or pause.begin < end)]


def price(run: Run, priced: Priced, resolution_due: int | None = None) -> ClockState:
    """Walk the run: pauses put the due instant off, changes price it anew from then on, a breach stands.

    A change keeps what has elapsed: the due instant is computed from the start by the new target, but never before the
    change itself, for the past was lived under the old one. A late clock is not repriced.
    """
    clock_id = clock_id_of(run, priced.policy.spec.track)
    if run.void:
        return ClockState(clock_id, run, priced, Basis.ELAPSED, run.start, None, False, ClockStatus.CANCELLED, ())
    calendar = priced.calendar
    target = _target(run, priced, run.urgency)
    basis, own, done, floor = durations.basis_of(target.due), run.own_due, 0, run.start
    paused, last_pause = False, 0

    def due_now() -> int:
        raw = durations.due(target.due, run.start, calendar, own, resolution_due)
        return max(durations.add(basis, calendar, raw, done) if done else raw, floor)

    due = due_now()
    late = False
    walked: list[Pause] = []
    for at, mark in _marks(run, priced):
        if not paused and due < at:
            late = True
            break
        if isinstance(mark, Change):
            target = _target(run, priced, mark.urgency) if mark.urgency else target
            own = mark.own_due if mark.own_due is not None else own
            basis = durations.basis_of(target.due)
            done = sum(durations.between(basis, calendar, p.begin, p.end) for p in walked if p.end is not None)
            before, floor_before, floor = due, floor, max(floor, at)
            due = due_now()
            if due == before:
                floor = floor_before
        elif at == mark.begin and not paused and mark.end != at:
            paused, last_pause = True, at
        elif paused:
            paused = False
            walked.append(mark)
            done += durations.between(basis, calendar, mark.begin, at)
            due = due_now()
    if (end := run.end) is None:
        status = ClockStatus.PAUSED if paused else ClockStatus.RUNNING
    else:
        status = end.status
        if paused:
            done += durations.between(basis, calendar, last_pause, end.at)
            due = due_now()
        late = late or due < end.at
    warn = _warn_instant(run, priced, basis, due, walked, floor)
    steps = tuple(
        due + length(step.after) + (round(step.share * (due - run.start)) if step.share else 0)
        for step in priced.rule.escalation
    )
    return ClockState(clock_id, run, priced, basis, due, warn, late, status, steps)


def _target(run: Run, priced: Priced, urgency: Urgency | None) -> Target:
    target = priced.rule.target(urgency or Urgency.MEDIUM)
    return (target.repeated or target) if run.repeated else target


def _marks(run: Run, priced: Priced) -> list[tuple[int, Pause | Change]]:
    """Beginnings and ends of pauses and changes, in order, before the end of the run."""
    end = run.end.at if run.end else None
    marks: list[tuple[int, int, Pause | Change]] = []
    for pause in pauses_of(run, priced):
        marks.append((pause.begin, 1, pause))
        if pause.end is not None:
            marks.append((pause.end, 0, pause))
    marks += [(change.at, 2, change) for change in run.changes]
    if not marks:
        return []
    marks.sort(key=lambda one: one[:2])
    return [(at, mark) for at, _, mark in marks if end is None or at < end]


def _warn_instant(run: Run, priced: Priced, basis: Basis, due: int, pauses: Sequence[Pause], floor: int) -> int | None:
    """When the share of the allowed time is used up, without the pauses; never before the last change of `due`."""
    warn = priced.rule.warn
    if warn is None:
        return None
    calendar = priced.calendar
    allowed = durations.between(basis, calendar, run.start, due) - sum(
        durations.between(basis, calendar, pause.begin, pause.end) for pause in pauses if pause.end is not None
    )
    needs = []
    if warn.share is not None:
        needs.append(round(warn.share * allowed))
    if warn.before is not None:
        needs.append(max(allowed - length(warn.before), 0))
    if not needs:
        return None
    need, at = min(needs), run.start
    for pause in pauses:
        ran = durations.between(basis, calendar, at, pause.begin)
        if need <= ran:
            break
        need -= ran
        at = pause.end or pause.begin
    warned = max(durations.add(basis, calendar, at, need), floor)
    return warned if warned < due else None
