"""The fold: ``state = fold(facts, policies, calendars)``. No present instant comes in here.

What the clock looks like at an instant (has it warned, is it late) is read off the state by `warned_at` and
`breached_at` with the *horizon*, the instant up to which the timers have looked. So the same facts give the same state
in whatever order they came, and a deadline is judged by recorded instants alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts
from shared.contracts.vocabulary import ClockStatus, ClockSubject, Metric, Urgency
from shared.ids import derived_id
from sla_service.clocks import durations
from sla_service.clocks.calendar import CalendarUnknown
from sla_service.clocks.course import Stage, course, restarted, under_policies
from sla_service.clocks.durations import Basis, NoDueInstant
from sla_service.clocks.facts import Fact
from sla_service.clocks.instants import length, micros
from sla_service.clocks.lifecycle import complaint_runs
from sla_service.clocks.metrics import OBLIGATORY, STANDS_STILL
from sla_service.clocks.pauses import Judged, judge
from sla_service.clocks.policy import Book, Priced, Target
from sla_service.clocks.runs import Change, End, Pause, Run, action_runs
from sla_service.clocks.subjects import Subjects, subjects_of


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
    #: When each step of the escalation chain is due, if the clock is still running then. There are fewer than the
    #: policy has where the working days that a step is counted in are not known.
    steps: tuple[int, ...]
    #: Its pauses as the policy sees them.
    pauses: tuple[Judged, ...] = ()
    #: When a pause that lasts has used up the longest time, and the clock runs on by itself.
    resumes: int | None = None

    def status_at(self, horizon: int) -> ClockStatus:
        """Its status when the timers have looked up to the horizon."""
        return ClockStatus.PAUSED if self.resumes is not None and horizon < self.resumes else self.status

    def warned_at(self, horizon: int) -> int | None:
        if self.warn is None:
            return None
        until = self.run.end.at if self.run.end else horizon + 1
        return self.warn if self.warn < until else None

    def breached_at(self, horizon: int) -> int | None:
        """An answer at the due instant itself is in time, so the breach shows just after it."""
        return (
            self.due if self.late or (self.status_at(horizon) is ClockStatus.RUNNING and self.due < horizon) else None
        )

    def next_instant(self, horizon: int, escalated: int) -> int | None:
        """When a timer has to look at this clock again; `escalated` steps are raised already."""
        if self.status is not ClockStatus.RUNNING:
            return None
        shows = self.due + 1
        coming = [at for at in (shows, self.resumes) if at is not None and at > horizon]
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
        runs, subjects = action_runs(history_id, facts), Subjects(None)
    else:
        received_at = micros(complaint.received_at)
        subjects = subjects_of(complaint, received_at, facts) if book.demanding else Subjects(None)

        def goes_on(metric: Metric, urgency: Urgency | None, at: int) -> bool:
            return any(
                priced.rule.target(urgency or complaint.urgency).repeated is not None
                for priced in book.choose(metric, at, subjects.at(at)).values()
            )

        runs = complaint_runs(history_id, received_at, facts, goes_on, book.beside)
    clocks: list[ClockState] = []
    unpriced: list[Unpriced] = []
    resolution_due: dict[tuple[str, int], int] = {}
    for run in runs:
        run, paths = _measured(run, subjects, book)
        if not paths and run.metric in OBLIGATORY:
            unpriced.append(Unpriced(run.metric, run.subject_id, "no policy has a rule for it"))
        for track, path in paths.items():
            try:
                state = _along(run, path, book, resolution_due.get((track, run.case_cycle)))
            except (CalendarUnknown, NoDueInstant) as problem:
                unpriced.append(Unpriced(run.metric, run.subject_id, str(problem)))
                continue
            if run.metric is Metric.RESOLUTION:
                resolution_due[track, run.case_cycle] = state.due
            if run.end is None and len(state.steps) < len(state.priced.rule.escalation):
                unpriced.append(Unpriced(run.metric, run.subject_id, "not all steps of its escalation can be dated"))
            clocks.append(state)
    return Folded(tuple(clocks), tuple(unpriced))


def _measured(run: Run, subjects: Subjects, book: Book) -> tuple[Run, dict[str, list[Stage]]]:
    """The policies that the run is under. A partner is measured like a department where no contract with it has a rule
    when it is asked."""
    partner = run.metric is Metric.THIRD_PARTY_RESPONSE
    if partner and not book.choose(run.metric, run.start, subjects.at(run.start)):
        run = replace(run, metric=Metric.TRANSFER_RESPONSE)
    paths = course(run, subjects, book)
    if run.authority is not None:
        paths = {track: path for track, path in paths.items() if track == run.authority}
    return run, paths


def _along(run: Run, path: list[Stage], book: Book, resolution_due: int | None) -> ClockState:
    """The clock of one track, with every change of its policy. One that is late then is not started anew."""
    run, priced, restarts = under_policies(run, path, book)
    since = path[0].at
    for stage in restarts:
        assert stage.priced is not None
        until = End(stage.at, ClockStatus.CANCELLED, "restarted", None)
        if stage is path[0] or not price(replace(run, end=until), priced, resolution_due, since).late:
            run, priced, since = restarted(run, stage.at), stage.priced, stage.at
    return price(run, priced, resolution_due, since)


def _allows(priced: Priced, run: Run, reason: str) -> bool:
    return reason in priced.rule.pauses or reason in STANDS_STILL.get(run.metric, ())


def pauses_of(run: Run, priced: Priced) -> list[Pause]:
    """The pauses that the policy or one that comes after it allows, up to the end of the run."""
    if not run.pauses:
        return []
    end = run.end.at if run.end else None
    policies = [priced, *(change.priced for change in run.changes if change.priced)]
    reasons = {pause.reason for pause in run.pauses}
    allowed = {reason for reason in reasons if any(_allows(one, run, reason) for one in policies)}
    return [pause for pause in run.pauses if pause.reason in allowed and (end is None or pause.begin < end)]


def price(run: Run, priced: Priced, resolution_due: int | None = None, since: int | None = None) -> ClockState:
    """Walk the run: pauses put the due instant off, changes price it anew from then on, a breach stands.

    A change keeps what has elapsed: the due instant is computed from the start by the new target, but never before the
    change itself, for the past was lived under the old one. A late clock is not repriced; a change of the calendar may
    be still to come, so that it comes after the due instant does not make the clock late. A policy that is chosen only
    `since` an instant after the start counts from the start too, and is not due before that instant.
    """
    clock_id = clock_id_of(run, priced.policy.spec.track)
    if run.void:
        return ClockState(clock_id, run, priced, Basis.ELAPSED, run.start, None, False, ClockStatus.CANCELLED, ())
    walk = _Walk(run, priced, resolution_due, since)
    priced = walk.priced
    open_status = ClockStatus.PAUSED if walk.paused else ClockStatus.RUNNING
    status, due = run.end.status if run.end else open_status, walk.due
    warn = _warn_instant(run, walk)
    steps = _steps(run.start, due, priced)
    resumes = walk.resumes if run.end is None else None
    return ClockState(
        clock_id, run, priced, walk.basis, due, warn, walk.late, status, steps, tuple(walk.judged), resumes
    )


def _steps(start: int, due: int, priced: Priced) -> tuple[int, ...]:
    """When each step of the chain is due, none before the one before it; up to the first that cannot be dated."""
    at, calendar = due, priced.calendar
    found: list[int] = []
    for step in priced.rule.escalation:
        basis = Basis.BUSINESS if step.business else Basis.ELAPSED
        try:
            delay = length(step.after)
            if step.share:
                delay += round(step.share * durations.between(basis, calendar, start, due))
            at = max(at, durations.add(basis, calendar, due, delay))
        except CalendarUnknown:
            break
        found.append(at)
    return tuple(found)


class _Walk:
    """From mark to mark along a run. `due` is what stands at the mark, `floor` the last change that moved it."""

    def __init__(self, run: Run, priced: Priced, resolution_due: int | None, since: int | None) -> None:
        self.run = run
        self.priced = priced
        self.resolution_due = resolution_due
        self.urgency = run.urgency
        self.target = _target(run, priced, run.urgency)
        self.basis, self.own, self.floor = durations.basis_of(self.target.due), run.own_due, since or run.start
        self.late = False
        self.paused: Judged | None = None
        self.resumes: int | None = None
        self.judged: list[Judged] = []
        #: The pauses that stopped the clock and are over; their counted time. `used` is the plain time of all pauses.
        self.walked: list[Pause] = []
        self.done = self.used = 0
        self.raw = self._raw()
        #: The due instant of a moment ago: pauses put it off, so it is never later than what stands.
        self.earliest, self.put_off = self._due(self.done), False
        for at, mark in _marks(run, priced):
            self._resume(at + 1)
            passed = self.paused is None and self.earliest < at and self.due < at
            if passed and isinstance(mark, Change) and mark.calendar is not None:
                continue
            self.late = self.late or passed
            if isinstance(mark, Pause):
                self._begin(mark)
            elif not self.late:
                self._change(at, mark)
            elif mark.ended and mark.priced is not None:
                self.priced = mark.priced
                self.done = self._stood()
        self._finish()

    @property
    def due(self) -> int:
        if self.put_off:
            self.earliest, self.put_off = self._due(self.done), False
        return self.earliest

    def _raw(self) -> int:
        """The due instant as if the clock had never stood still."""
        return durations.due(self.target.due, self.run.start, self.priced.calendar, self.own, self.resolution_due)

    def _due(self, stood: int) -> int:
        return max(durations.add(self.basis, self.priced.calendar, self.raw, stood), self.floor)

    def _stood(self) -> int:
        return sum(self._counted(one.begin, one.end) for one in self.walked if one.end is not None)

    def _counted(self, begin: int, end: int) -> int:
        return durations.between(self.basis, self.priced.calendar, begin, end)

    def _begin(self, pause: Pause) -> None:
        if pause.end == pause.begin or not _allows(self.priced, self.run, pause.reason):
            return
        terms = self.priced.rule.pause_terms
        judged = judge(pause, terms, self.due if terms.not_before_due is not None else None, self.used)
        self.judged.append(judged)
        if (until := judged.until) is not None:
            self.used += until - pause.begin
        if (until is None or until > pause.begin) and not self.late and self.paused is None:
            self.paused = judged

    def _resume(self, before: int | None) -> None:
        """End the pause that lasts, if it ends before the instant (None: whenever that is)."""
        if self.paused is None or (until := self.paused.until) is None or (before is not None and until >= before):
            return
        pause, self.paused = self.paused.pause, None
        self.resumes = until if pause.end is None else None
        self.walked.append(pause if pause.end == until else pause._replace(end=until))
        self.done += self._counted(pause.begin, until)
        self.put_off = True

    def _change(self, at: int, change: Change) -> None:
        before, floor_before = self.due, self.floor
        if change.calendar is not None:
            self.priced = replace(self.priced, calendar=change.calendar)
        if change.priced is not None:
            self._move(at, change.priced)
        self.urgency = change.urgency or self.urgency
        self.target = _target(self.run, self.priced, self.urgency)
        self.own = change.own_due if change.own_due is not None else self.own
        self.basis = durations.basis_of(self.target.due)
        self.done = self._stood()
        self.floor = max(self.floor, at)
        self.raw = self._raw()
        self.earliest, self.put_off = self._due(self.done), False
        if self.due == before:
            self.floor = floor_before

    def _move(self, at: int, priced: Priced) -> None:
        """Under another policy. What stood still before stays so; a pause that lasts goes on if this policy allows it,
        and if only this one does it begins here."""
        self.priced = priced
        if self.paused is not None and not _allows(priced, self.run, self.paused.pause.reason):
            pause = self.paused.pause
            self.judged[-1] = self.judged[-1]._replace(limit=at, cut=True)
            self.walked.append(pause._replace(end=at))
            self.paused = None
        elif self.paused is None:
            known = {one.pause.fact_id for one in self.judged}
            lasting = [one for one in self.run.pauses if one.begin < at and (one.end is None or one.end > at)]
            for pause in lasting:
                if pause.fact_id not in known:
                    self._begin(pause._replace(begin=at))

    def _finish(self) -> None:
        end = self.run.end.at if self.run.end else None
        self._resume(end)
        if end is None:
            return
        if self.paused is not None:
            self.done += self._counted(self.paused.pause.begin, end)
            self.put_off = True
        self.late = self.late or self.due < end


def _target(run: Run, priced: Priced, urgency: Urgency | None) -> Target:
    target = priced.rule.target(urgency or Urgency.MEDIUM)
    return (target.repeated or target) if run.repeated else target


def _marks(run: Run, priced: Priced) -> list[tuple[int, Pause | Change]]:
    """Beginnings of pauses and changes, in order, before the end of the run; at one instant the pause first."""
    marks: list[tuple[int, Pause | Change]] = [(pause.begin, pause) for pause in pauses_of(run, priced)]
    end = run.end.at if run.end else None
    marks += [(change.at, change) for change in run.changes if end is None or change.at < end]
    marks.sort(key=itemgetter(0))
    return marks


def _warn_instant(run: Run, walk: _Walk) -> int | None:
    """When the share of the allowed time is used up, without the pauses; never before the last change of `due`."""
    warn = walk.priced.rule.warn
    if warn is None:
        return None
    calendar, basis = walk.priced.calendar, walk.basis
    allowed = durations.between(basis, calendar, run.start, walk.due) - walk.done
    needs = []
    if warn.share is not None:
        needs.append(round(warn.share * allowed))
    if warn.before is not None:
        needs.append(max(allowed - length(warn.before), 0))
    if not needs:
        return None
    need, at = min(needs), run.start
    for pause in walk.walked:
        ran = durations.between(basis, calendar, at, pause.begin)
        if need <= ran:
            break
        need -= ran
        at = pause.end or pause.begin
    warned = max(durations.add(basis, calendar, at, need), walk.floor)
    return warned if warned < walk.due else None
