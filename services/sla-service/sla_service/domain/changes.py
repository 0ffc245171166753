"""What has to be told: the difference between a clock as it was last told and as the facts now have it.

Nothing that was told is silently rewritten. Every event carries the whole clock and the next revision, and has an id
that follows from both, so a clock handled twice tells nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.envelope import Actor, ActorKind, ComplaintFacts, StaffContact
from shared.contracts.sla import (
    BreachWithdrawnV1,
    ClockActivatedV1,
    ClockBreachedV1,
    ClockCancelledV1,
    ClockEvent,
    ClockFulfilledV1,
    ClockPausedV1,
    ClockRepricedV1,
    ClockResumedV1,
    ClockView,
    ClockWarnedV1,
    EscalationRaisedV1,
)
from shared.contracts.vocabulary import ClockStatus
from shared.ids import derived_id
from sla_service.clocks.conditions import Choice
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import instant_of, micros
from sla_service.clocks.pauses import Wrong, findings
from sla_service.clocks.policy import Role, Step
from sla_service.domain.titles import escalation_reason, title_of

ACTOR = Actor(kind=ActorKind.SYSTEM, id="sla-service")


class PauseFinding(BaseModel):
    """A pause that was not legitimate, and whether its time was given back to the clock; `end` is empty while it
    lasts."""

    model_config = ConfigDict(frozen=True)

    wrong: tuple[Wrong, ...]
    begin: AwareDatetime
    end: AwareDatetime | None
    fact_id: UUID
    given_back: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A clock as this service keeps it: what was last told (`view`; revision 0: nothing yet), how far the timers have
    looked (`horizon`), how many steps are raised or left out, and when to look again (`wake_at`)."""

    history_id: UUID
    view: ClockView
    horizon: datetime | None
    escalated: int
    wake_at: datetime | None
    holder: StaffContact | None
    void: bool
    #: When the steps of the escalation chain are due.
    steps: tuple[datetime, ...]
    #: Why its policy was chosen, by the facts of that time; None where it was kept before this was.
    why: Choice | None = None
    #: When a pause that lasts has used up the longest time that the policy allows.
    resumes_at: datetime | None = None
    findings: tuple[PauseFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    kept: Kept
    events: tuple[ClockEvent, ...]
    breach_withdrawn: bool = False


def reconcile(
    before: Kept | None,
    state: ClockState,
    history_id: UUID,
    facts: ComplaintFacts | None,
    now: datetime,
    late_at: datetime,
) -> Outcome | None:
    """Bring the kept clock to the folded state; None where nothing at all is different.

    What is already overdue when it is learned is left to the timers, at `late_at`: the answer may be only a moment
    behind, and a catch-up after an outage shall not raise alarms that its next event withdraws.
    """
    horizon = before.horizon if before else None
    seen = micros(horizon) if horizon else 0
    view = view_at(state, before.view.revision if before else 0, seen)
    withdrawn = before is not None and before.view.breached_at is not None and view.breached_at is None
    escalated = 0 if before is None or withdrawn else before.escalated
    next_instant = state.next_instant(seen, escalated)
    wake_at = None if next_instant is None else instant_of(next_instant)
    if wake_at is not None and wake_at <= now:
        armed = before.wake_at if before else None
        wake_at = min(armed, late_at) if armed is not None and armed > now else late_at
    told = _told(before.view if before else None, view, state)
    if state.run.void and (before is None or before.view.revision == 0):
        told = []
    run, steps, why = state.run, steps_of(state), state.priced.why
    resumes_at, found = resumes_of(state), findings_of(state)
    kept = Kept(history_id, view, horizon, escalated, wake_at, run.holder, run.void, steps, why, resumes_at, found)
    if not told and kept == before:
        return None
    events, view = _numbered(told, view, facts, now)
    return Outcome(replace(kept, view=view), events, withdrawn)


def retire(before: Kept, facts: ComplaintFacts | None, now: datetime) -> Outcome | None:
    """Take back a clock that the facts no longer have; None where that was done already.

    A resolution that is learned late ends the cadence (F4) before a period that was begun meanwhile. Its row stays, for
    its revisions go on should the facts have it again.
    """
    if before.void:
        return None
    told: list[_Make] = []
    withdrawn = before.view.breached_at is not None
    if before.view.revision > 0 and withdrawn:
        told.append((BreachWithdrawnV1, None, {"reason": "not_due"}))
    if before.view.revision > 0 and before.view.status is not ClockStatus.CANCELLED:
        told.append((ClockCancelledV1, None, {"reason": "not_due"}))
    nothing = dict.fromkeys(("warned_at", "breached_at", "fulfilled_at", "on_time"))
    view = before.view.model_copy(update={**nothing, "status": ClockStatus.CANCELLED})
    events, view = _numbered(told, view, facts, now)
    kept = replace(before, view=view, escalated=0, wake_at=None, void=True, steps=(), resumes_at=None, findings=())
    return Outcome(kept, events, withdrawn)


def steps_of(state: ClockState) -> tuple[datetime, ...]:
    """When the steps of the chain are due; a clock that does not run has none."""
    return tuple(instant_of(step) for step in state.steps) if state.status is ClockStatus.RUNNING else ()


def resumes_of(state: ClockState) -> datetime | None:
    return None if state.resumes is None else instant_of(state.resumes)


def findings_of(state: ClockState) -> tuple[PauseFinding, ...]:
    """What is wrong with its pauses."""
    return tuple(
        PauseFinding(
            wrong=one.wrong,
            begin=instant_of(one.begin),
            end=None if one.end is None else instant_of(one.end),
            fact_id=one.fact_id,
            given_back=one.given_back,
        )
        for one in findings(state.pauses, state.run.end.at if state.run.end else None)
    )


def view_at(state: ClockState, revision: int, seen: int) -> ClockView:
    """The clock as it looks when the timers have looked up to `seen` (microseconds since 1970)."""
    run = state.run
    breached = state.breached_at(seen)
    warned = state.warned_at(seen)
    fulfilled = run.end.at if run.end and state.status is ClockStatus.FULFILLED else None
    return ClockView(
        clock_id=state.clock_id,
        revision=revision,
        subject=run.subject,
        subject_id=run.subject_id,
        metric=run.metric,
        cycle=run.cycle,
        policy=state.priced.policy.policy_id,
        policy_version=state.priced.policy.version,
        calendar=state.priced.calendar.spec.calendar_id,
        status=state.status_at(seen),
        started_at=instant_of(run.start),
        due_at=instant_of(state.due),
        warn_at=None if state.warn is None else instant_of(state.warn),
        warned_at=None if warned is None else instant_of(warned),
        breached_at=None if breached is None else instant_of(breached),
        fulfilled_at=None if fulfilled is None else instant_of(fulfilled),
        on_time=False if breached is not None else (True if fulfilled is not None else None),
        owner_team=run.team_id,
        title=title_of(run, state.priced.policy.spec),
    )


_Make = tuple[type[ClockEvent], datetime | None, dict[str, Any]]


def _told(before: ClockView | None, view: ClockView, state: ClockState) -> list[_Make]:
    """Which events lead from what was told to what is so, in the order in which a reader wants them."""
    run = state.run
    last_pause = run.pauses[-1] if run.pauses else None
    told: list[_Make] = []
    status_before = before.status if before else ClockStatus.RUNNING
    if before is None or before.revision == 0:
        told.append((ClockActivatedV1, view.started_at, {}))
        before = None
    if view.status is ClockStatus.PAUSED and status_before is not ClockStatus.PAUSED and last_pause:
        told.append((ClockPausedV1, instant_of(last_pause.begin), {"reason": last_pause.reason}))
    resumed = view.status is ClockStatus.RUNNING and status_before is not ClockStatus.RUNNING
    if resumed:
        at = last_pause.end if last_pause and last_pause.end is not None else state.resumes
        if at is None and state.pauses and state.pauses[-1].cut:
            at = state.pauses[-1].limit
        told.append((ClockResumedV1, None if at is None else instant_of(at), {}))
    moved = before and (before.due_at != view.due_at or before.started_at != view.started_at)
    if before and ((moved and not resumed) or _policy_of(before) != _policy_of(view)):
        told.append(
            (ClockRepricedV1, None, {"due_before": before.due_at, "reason": _why_repriced(before, view, state)})
        )
    if before and before.breached_at and not view.breached_at:
        reason = "answered_in_time" if view.status is ClockStatus.FULFILLED else "due_later"
        told.append((BreachWithdrawnV1, None, {"reason": reason}))
    running = view.status is ClockStatus.RUNNING
    if running and view.warned_at and not (before and before.warned_at):
        told.append((ClockWarnedV1, view.warned_at, {"recipient": run.holder}))
    if view.breached_at and not (before and before.breached_at):
        told.append((ClockBreachedV1, view.breached_at, {}))
    ended = before is None or before.status is not view.status or before.fulfilled_at != view.fulfilled_at
    if ended and view.status is ClockStatus.FULFILLED:
        told.append((ClockFulfilledV1, view.fulfilled_at, {}))
    if ended and view.status is ClockStatus.CANCELLED and run.end:
        told.append((ClockCancelledV1, instant_of(run.end.at), {"reason": run.end.reason}))
    return told


def _policy_of(view: ClockView) -> tuple[str, int]:
    return view.policy, view.policy_version


def _why_repriced(before: ClockView, view: ClockView, state: ClockState) -> str:
    if _policy_of(before) != _policy_of(view):
        return "policy"
    if before.started_at != view.started_at:
        return "started_at_corrected"
    if state.resumes is not None and before.status is not ClockStatus.PAUSED:
        return "paused_at_longest"
    if state.run.changes:
        if state.run.changes[-1].calendar is not None:
            return "calendar_changed"
        return "urgency_changed" if state.run.changes[-1].urgency else "planned_anew"
    return "facts_learned_late"


def _numbered(
    told: list[_Make], view: ClockView, facts: ComplaintFacts | None, now: datetime
) -> tuple[tuple[ClockEvent, ...], ClockView]:
    events = []
    for kind, at, more in told:
        view = view.changed(revision=view.revision + 1)
        if kind in (ClockWarnedV1, ClockBreachedV1):
            more = {**more, "detected_at": now}
        events.append(
            kind(
                event_id=derived_id("clock-event", view.clock_id, view.revision),
                occurred_at=at or now,
                recorded_at=now,
                actor=ACTOR,
                clock=view,
                facts=facts,
                **more,
            )
        )
    return tuple(events), view


@dataclass(frozen=True, slots=True)
class Raised:
    """One step of an escalation as it is kept."""

    escalation_id: UUID
    history_id: UUID
    clock_id: UUID
    step: int
    role: Role
    team_id: str | None
    recipient: StaffContact | None
    raised_at: datetime
    detected_at: datetime


#: The next moment after an instant, as far as PostgreSQL tells instants apart.
INSTANT = timedelta(microseconds=1)

#: Who stands in a role of a team: (team, role, holder of the work) -> person, or None while not known.
WhoIs = Callable[[str | None, Role, StaffContact | None], StaffContact | None]


def fire(
    kept: Kept,
    chain: tuple[Step, ...],
    facts: ComplaintFacts | None,
    now: datetime,
    who: WhoIs,
    acknowledged_at: datetime | None = None,
) -> tuple[Kept, list[ClockEvent], list[Raised]]:
    """What a timer finds at `now` on a clock (F10): that a pause has used up its longest time, warning, breach, steps
    of the chain, each dated at its own instant and in that order, however late it is detected. `acknowledged_at` is
    when a step of the chain was first acknowledged: steps that are due from then on may be left out for it."""
    view = kept.view
    told: list[ClockEvent] = []
    if view.status is ClockStatus.PAUSED and kept.resumes_at and kept.resumes_at <= now:
        view = view.changed(status=ClockStatus.RUNNING)
        events, view = _numbered([(ClockResumedV1, kept.resumes_at, {})], view, facts, now)
        told += events
    if view.warn_at and view.warn_at <= now and not view.warned_at:
        view = view.changed(warned_at=view.warn_at)
        events, view = _numbered([(ClockWarnedV1, view.warn_at, {"recipient": kept.holder})], view, facts, now)
        told += events
    if view.status is ClockStatus.RUNNING and view.due_at < now and not view.breached_at:
        view = view.changed(breached_at=view.due_at, on_time=False)
        events, view = _numbered([(ClockBreachedV1, view.due_at, {})], view, facts, now)
        told += events
    raised: list[Raised] = []
    escalated = kept.escalated
    for number, (at, step) in enumerate(zip(kept.steps, chain, strict=False), start=1):
        if number <= kept.escalated or not view.breached_at or at > now:
            continue
        escalated = number
        if step.unless_acknowledged and acknowledged_at is not None and acknowledged_at <= at:
            continue
        one = Raised(
            derived_id("escalation", view.clock_id, number, view.due_at.isoformat()),
            kept.history_id,
            view.clock_id,
            number,
            step.role,
            view.owner_team,
            who(view.owner_team, step.role, kept.holder),
            at,
            now,
        )
        raised.append(one)
        more = {
            "escalation_id": one.escalation_id,
            "step": number,
            "role": step.role,
            "recipient": one.recipient,
            "team_id": one.team_id,
            "reason": escalation_reason(view.title, number, step.role, len(chain)),
        }
        events, view = _numbered([(EscalationRaisedV1, at, more)], view, facts, now)
        told += events
    shows = view.due_at + INSTANT
    coming = [at for at in (view.warn_at, kept.resumes_at, shows, *kept.steps[escalated:][:1]) if at and at > now]
    return replace(kept, view=view, horizon=now, escalated=escalated, wake_at=min(coming, default=None)), told, raised
