"""Which clocks a history of facts has: what starts each, what ends it, when it stands still.

The runs are a function of the set of facts: these are put in order here, by their own instants (moves by the revision
of the case), so the order of arrival does not matter.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.contracts.vocabulary import CaseState, ClockStatus, ClockSubject, Metric, Urgency
from shared.ids import derived_id
from sla_service.clocks.facts import ASKED, IN_TIME, Fact, FactKind, happened
from sla_service.clocks.regulators import proceedings
from sla_service.clocks.runs import Change, End, Pause, Run, answered_by, cancelled, earliest, fulfilled
from sla_service.clocks.urgencies import urgencies_of
from sla_service.clocks.waiting import FINAL, apart, since, unanswered, with_customer, with_third_party

_ACKNOWLEDGED = (FactKind.ACKNOWLEDGED, FactKind.RESOLVED)
_ANSWERS = (FactKind.ANSWERED, FactKind.PROGRESS_TOLD, FactKind.RESOLVED)
_TASKS = {
    FactKind.TRANSFER_OPENED: Metric.TRANSFER_RESPONSE,
    FactKind.PARTNER_ASKED: Metric.THIRD_PARTY_RESPONSE,
    FactKind.PROMISE_MADE: Metric.PROMISE,
}
_RESPONSES = (FactKind.ACKNOWLEDGED, *_ANSWERS)


@dataclass(frozen=True, slots=True)
class _Cycle:
    number: int
    start: int
    fact_id: UUID | None
    ends: tuple[End, ...]


#: Whether a cadence goes on at this urgency, asked of the policies that hold at the instant.
GoesOn = Callable[[Metric, Urgency | None, int], bool]


def complaint_runs(
    complaint_id: UUID, received_at: int, facts: Sequence[Fact], goes_on: GoesOn, measured: Collection[Metric]
) -> list[Run]:
    """Every clock of one complaint: F1 to F7, its promises, and of the other metrics those that are `measured`."""
    return _Complaint(complaint_id, received_at, facts, goes_on, measured).runs()


class _Complaint:
    def __init__(
        self,
        complaint_id: UUID,
        received_at: int,
        facts: Sequence[Fact],
        goes_on: GoesOn,
        measured: Collection[Metric],
    ) -> None:
        self.id = complaint_id
        self.facts = facts
        self.measured = measured
        self.goes_on = goes_on
        self.of: dict[FactKind, list[Fact]] = {}
        for fact in sorted(facts, key=IN_TIME):
            self.of.setdefault(fact.kind, []).append(fact)
        received = self.of.get(FactKind.RECEIVED)
        self.received_id = received[0].fact_id if received else None
        self.received_at = happened(received_at, received[0].recorded) if received else received_at
        self.moves = sorted(self.of.get(FactKind.MOVED, ()), key=lambda one: (one.revision, one.at))
        self.finals = [move for move in self.moves if move.to_state in FINAL]
        self.urgencies = urgencies_of(self.received_at, facts)
        assigned = max(self.of.get(FactKind.ASSIGNED, ()), key=lambda one: (one.revision, one.fact_id), default=None)
        self.team_id = assigned.team_id if assigned else None
        self.team_name = assigned.team_name if assigned else None
        self.agent = assigned.person if assigned else None
        self.resolved: dict[int, Fact] = {}
        for fact in self.of.get(FactKind.RESOLVED, ()):
            self.resolved.setdefault(fact.cycle or 1, fact)
        self.reopened: dict[int, Fact] = {}
        for move in self.moves:
            if move.to_state is CaseState.REOPENED and move.cycle:
                self.reopened.setdefault(move.cycle, move)

    def runs(self) -> list[Run]:
        cycles = self._cycles()
        pauses = with_customer(self.moves, self.of)
        found = [self._answered(Metric.FIRST_RESPONSE, _RESPONSES)]
        found += [self._resolution(cycle, pauses) for cycle in cycles]
        found += self._cadence(Metric.PERIODIC_UPDATE, cycles, pauses)
        found += self._recording()
        found += self._tasks(FactKind.TRANSFER_OPENED, FactKind.TRANSFER_ANSWERED, FactKind.TRANSFER_CANCELLED)
        found += self._tasks(FactKind.PARTNER_ASKED, FactKind.TRANSFER_ANSWERED, FactKind.TRANSFER_CANCELLED)
        found += self._tasks(FactKind.PROMISE_MADE, FactKind.PROMISE_KEPT, FactKind.PROMISE_WITHDRAWN)
        found += self._surveys()
        found += self._follow_ups()
        return found + self._asked_for(cycles, pauses) if self.measured else found

    def _asked_for(self, cycles: Sequence[_Cycle], pauses: Sequence[Pause]) -> list[Run]:
        """The clocks that only some policies ask for."""
        found: list[Run] = []
        if Metric.ACKNOWLEDGE in self.measured:
            found.append(self._answered(Metric.ACKNOWLEDGE, _ACKNOWLEDGED))
        if Metric.NEXT_RESPONSE in self.measured:
            found += self._next_responses()
        if Metric.PAUSABLE_UPDATE in self.measured:
            found += self._cadence(Metric.PAUSABLE_UPDATE, cycles, pauses)
        if Metric.AGENT_WORK_TIME in self.measured:
            found += self._work(cycles, pauses)
        return found + self._regulators()

    def _run(
        self,
        subject: ClockSubject,
        subject_id: UUID,
        metric: Metric,
        cycle: int,
        start: int,
        start_fact_id: UUID | None,
        end: End | None,
        *,
        case_cycle: int = 1,
        pauses: tuple[Pause, ...] = (),
        repeated: bool = False,
        authority: str | None = None,
    ) -> Run:
        """A run of the complaint's team, with the urgencies that it meets."""
        held = self.urgencies[0][2] if self.urgencies else None
        changes = []
        for at, fact_id, urgency in self.urgencies:
            if at <= start:
                held = urgency
            elif end is None or at < end.at:
                changes.append(Change(at, fact_id, urgency=urgency))
        return Run(
            subject,
            subject_id,
            metric,
            cycle,
            start,
            start_fact_id,
            held,
            case_cycle,
            end,
            pauses,
            tuple(changes),
            repeated=repeated,
            team_id=self.team_id,
            team_name=self.team_name,
            holder=self.agent,
            authority=authority,
        )

    def _final_since(self, start: int) -> End | None:
        return earliest(cancelled(move, start) for move in self.finals if move.at >= start)

    def _answered(self, metric: Metric, kinds: Sequence[FactKind]) -> Run:
        """F1: from the receipt until the acknowledgement, the first answer, or the first word on progress, whichever
        comes first; for an acknowledgement until that, or the result, which makes it needless."""
        ends = [end for kind in kinds for end in answered_by(self.of.get(kind, ()), self.received_at)]
        ends += [cancelled(move, self.received_at) for move in self.finals]
        return self._run(
            ClockSubject.COMPLAINT,
            self.id,
            metric,
            1,
            self.received_at,
            self.received_id,
            earliest(ends),
        )

    def _resolution(self, cycle: _Cycle, pauses: Sequence[Pause]) -> Run:
        """F2: from the receipt or the reopening to the resolution of that cycle."""
        return self._run(
            ClockSubject.COMPLAINT,
            self.id,
            Metric.RESOLUTION,
            cycle.number,
            cycle.start,
            cycle.fact_id,
            earliest(end for end in cycle.ends if end.reason != "reopened"),
            case_cycle=cycle.number,
            pauses=since(pauses, cycle.start),
        )

    def _cycles(self) -> list[_Cycle]:
        """Cycle 1 from the receipt, each further one from its reopening (D3)."""
        begun = [(1, self.received_at, self.received_id, 0)]
        begun += [(number, move.at, move.fact_id, move.revision) for number, move in sorted(self.reopened.items())]
        cycles = []
        for place, (number, start, fact_id, revision) in enumerate(begun):
            ends = [cancelled(move, start) for move in self.finals if move.revision > revision]
            if (resolved := self.resolved.get(number)) is not None:
                ends.append(fulfilled(resolved, start))
            if place + 1 < len(begun):
                _, reopened_at, reopened_by, _ = begun[place + 1]
                ends.append(End(max(reopened_at, start), ClockStatus.CANCELLED, "reopened", reopened_by))
            cycles.append(_Cycle(number, start, fact_id, tuple(ends)))
        return cycles

    def _cadence(self, metric: Metric, cycles: Sequence[_Cycle], pauses: Sequence[Pause]) -> list[Run]:
        """F4: a period ends when the customer is told, and the next begins; the resolution ends them all."""
        found: list[Run] = []
        told = self.of.get(FactKind.PROGRESS_TOLD, ())
        for cycle in cycles:
            end = earliest(cycle.ends)
            if end is not None and end.status is ClockStatus.FULFILLED:
                end = End(end.at, ClockStatus.CANCELLED, "resolved", end.fact_id)
            begin, begun_by, repeated = cycle.start, cycle.fact_id, False
            within = [one for one in told if one.at >= cycle.start and (end is None or one.at < end.at)]
            for stop in [*[End(one.at, ClockStatus.FULFILLED, "told", one.fact_id) for one in within], end]:
                run = self._run(
                    ClockSubject.COMPLAINT,
                    self.id,
                    metric,
                    len(found) + 1,
                    begin,
                    begun_by,
                    stop,
                    case_cycle=cycle.number,
                    repeated=repeated,
                    pauses=since(pauses, begin),
                )
                found.append(self._as_asked(run) if repeated else run)
                if stop is not None:
                    begin, begun_by, repeated = stop.at, stop.fact_id, True
        return found

    def _as_asked(self, run: Run) -> Run:
        """A further period runs only while the policy asks for one at the urgency of the moment."""
        changes = run.changes
        if not self.goes_on(run.metric, run.urgency, run.start):
            for place, change in enumerate(changes):
                if self.goes_on(run.metric, change.urgency, change.at):
                    run = replace(
                        run,
                        start=change.at,
                        start_fact_id=change.fact_id,
                        urgency=change.urgency,
                        changes=changes[place + 1 :],
                    )
                    break
            else:
                none_due = End(run.start, ClockStatus.CANCELLED, "no_further_update_due", run.start_fact_id)
                return replace(run, end=none_due, void=True, changes=(), pauses=())
        for change in run.changes:
            if not self.goes_on(run.metric, change.urgency, change.at):
                return replace(run, end=End(change.at, ClockStatus.CANCELLED, "no_further_update_due", change.fact_id))
        return run

    def _next_responses(self) -> list[Run]:
        """From the customer's first message that awaits an answer to the answer."""
        waits = unanswered(
            self.of.get(FactKind.CUSTOMER_WROTE, ()),
            sorted((one for kind in _ANSWERS for one in self.of.get(kind, ())), key=IN_TIME),
            self.finals,
            self.resolved.values(),
            self.reopened.values(),
        )
        return [
            self._run(ClockSubject.COMPLAINT, self.id, Metric.NEXT_RESPONSE, number, awaited, message.fact_id, end)
            for number, (awaited, message, end) in enumerate(waits, start=1)
        ]

    def _work(self, cycles: Sequence[_Cycle], pauses: Sequence[Pause]) -> list[Run]:
        """The team's own time: from its assignment on, without what it waits for the customer or a third party."""
        assigned = min(self.of.get(FactKind.ASSIGNED, ()), key=IN_TIME, default=None)
        if assigned is None:
            return []
        away = apart([*pauses, *with_third_party(self.facts, self.moves)])
        found = []
        for cycle in cycles:
            start, fact_id = max((cycle.start, cycle.fact_id), (assigned.at, assigned.fact_id), key=lambda one: one[0])
            end = earliest(cycle.ends)
            found.append(
                self._run(
                    ClockSubject.COMPLAINT,
                    self.id,
                    Metric.AGENT_WORK_TIME,
                    cycle.number,
                    start,
                    fact_id,
                    end._replace(at=max(end.at, start)) if end else None,
                    case_cycle=cycle.number,
                    pauses=since(away, start),
                )
            )
        return found

    def _regulators(self) -> list[Run]:
        """What regulators' proceedings ask for, each in the track of its authority."""
        return [
            self._run(
                ClockSubject.REGULATOR_STAGE,
                one.subject_id,
                one.metric,
                1,
                one.start.at,
                one.start.fact_id,
                one.end,
                authority=one.authority,
            )
            for one in proceedings(self.id, self.of, self.measured)
        ]

    def _recording(self) -> list[Run]:
        """F7: a complaint found outside must be in the system soon after it was made; decided at once."""
        for fact in self.of.get(FactKind.RECEIVED, ()):
            if fact.other_at is not None:
                made_at = happened(fact.other_at, fact.recorded)
                run = self._run(
                    ClockSubject.COMPLAINT,
                    self.id,
                    Metric.RECORDING,
                    1,
                    made_at,
                    fact.fact_id,
                    End(max(fact.recorded, made_at), ClockStatus.FULFILLED, "recorded", fact.fact_id),
                )
                return [replace(run, changes=())]
        return []

    def _tasks(self, opened: FactKind, answered: FactKind, cancelled: FactKind) -> list[Run]:
        """C2, C5: transfer tasks and promises, each from its opening to its answer or cancellation."""
        if opened not in self.of:
            return []
        metric = _TASKS[opened]
        transfer = opened in ASKED
        subject = ClockSubject.TRANSFER if transfer else ClockSubject.PROMISE
        found = []
        told = [fact for kind in (ASKED if transfer else (opened,)) for fact in self.of.get(kind, ())]
        for fact in _by_subject(sorted(told, key=IN_TIME)).values():
            if fact.kind is not opened:  # told both as a department's task and as a partner's: the first holds
                continue
            assert fact.subject_id is not None
            ends = [fulfilled(one, fact.at) for one in self.of.get(answered, ()) if one.subject_id == fact.subject_id]
            ends += [
                End(max(one.at, fact.at), ClockStatus.CANCELLED, cancelled.value, one.fact_id)
                for one in self.of.get(cancelled, ())
                if one.subject_id == fact.subject_id
            ]
            end = earliest([*ends, *filter(None, [self._final_since(fact.at)])])
            run = self._run(subject, fact.subject_id, metric, 1, fact.at, fact.fact_id, end)
            if transfer:
                run = replace(run, team_id=fact.team_id, team_name=fact.team_name, holder=fact.person)
            else:
                run = replace(run, own_due=fact.other_at)
            found.append(run)
        return found

    def _surveys(self) -> list[Run]:
        """F5: from the resolution of each cycle until its survey is with the customer."""
        found = []
        for cycle, resolved in sorted(self.resolved.items()):
            sent = [one for one in self.of.get(FactKind.SURVEY_SENT, ()) if (one.cycle or 1) == cycle]
            ends = [fulfilled(one, resolved.at) for one in sent]
            end = earliest([*ends, *self._closed_after(cycle, resolved.at)])
            found.append(
                self._run(
                    ClockSubject.SURVEY,
                    derived_id("survey", self.id, cycle),
                    Metric.SURVEY,
                    cycle,
                    resolved.at,
                    resolved.fact_id,
                    end,
                )
            )
        return found

    def _follow_ups(self) -> list[Run]:
        """F6: from the plan of a visit until it is done."""
        found = []
        for fact in _by_subject(self.of.get(FactKind.FOLLOW_UP_PLANNED, ())).values():
            assert fact.subject_id is not None
            cycle = fact.cycle or 1
            done = [one for one in self.of.get(FactKind.FOLLOW_UP_DONE, ()) if one.subject_id == fact.subject_id]
            ends = [fulfilled(one, fact.at) for one in done]
            end = earliest([*ends, *self._closed_after(cycle, fact.at)])
            run = self._run(
                ClockSubject.FOLLOW_UP, fact.subject_id, Metric.FOLLOW_UP, cycle, fact.at, fact.fact_id, end
            )
            assigned = [o for o in self.of.get(FactKind.FOLLOW_UP_ASSIGNED, ()) if o.subject_id == fact.subject_id]
            if assigned:
                run = replace(run, holder=max(assigned, key=lambda one: (one.revision, one.fact_id)).person)
            found.append(replace(run, own_due=fact.other_at))
        return found

    def _closed_after(self, cycle: int, start: int) -> list[End]:
        ends = list(filter(None, [self._final_since(start)]))
        if (reopened := self.reopened.get(cycle + 1)) is not None:
            ends.append(End(max(reopened.at, start), ClockStatus.CANCELLED, "reopened", reopened.fact_id))
        return ends


def _by_subject(facts: Iterable[Fact]) -> dict[UUID | None, Fact]:
    found: dict[UUID | None, Fact] = {}
    for fact in facts:
        found.setdefault(fact.subject_id, fact)
    return found
