"""Which policy a clock is under from when on (F9): the first match at its start, and looked for anew whenever something
is learned of the complaint or a version comes that was published for running clocks.

A running clock keeps the versions that held at its start, but for those that came since with `rebase` or `restart`, and
without the policies that ended so. A function of the facts and the book.
"""

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from shared.contracts.vocabulary import ClockStatus
from sla_service.clocks.policy import Book, PolicyVersion, Priced, in_order
from sla_service.clocks.runs import Change, End, Run
from sla_service.clocks.subjects import Subjects, Turn
from sla_service.clocks.waiting import since


class Stage(NamedTuple):
    """From `at` on the clock of a track is under `priced`; None: no policy fits any more. `ended` says that the policy
    before was ended, `restart` that the clock starts anew."""

    at: int
    fact_id: UUID | None
    priced: Priced | None
    restart: bool = False
    ended: bool = False


def course(run: Run, subjects: Subjects, book: Book) -> dict[str, list[Stage]]:
    """The stages of the clock of each track that the run has, in order of time; nothing where no policy ever fits."""
    first = book.choose(run.metric, run.start, subjects.at(run.start))
    stages = {track: [Stage(run.start, None, priced)] for track, priced in first.items()}
    if not book.turns and not book.demanding:
        return stages
    end = run.end.at if run.end else None
    looks: list[tuple[int, int, PolicyVersion | Turn]] = []
    looks += [(at, 0, one) for at, one in book.turns if run.start < at and (end is None or at < end)]
    looks += [(one.at, 1, one) for one in subjects.between(run.start, end)] if book.demanding else []
    if not looks:
        return stages
    effective = {one.policy_id: one for one in book.valid_at(run.start)}
    for at, _, cause in sorted(looks, key=lambda one: one[:2]):
        if isinstance(cause, PolicyVersion):
            if not _alive(stages):
                continue
            fact_id, restart = None, cause.change == "restart"
            ended = cause.policy_id if cause.ended else None
            if cause.ended:
                effective.pop(cause.policy_id, None)
            else:
                effective[cause.policy_id] = cause
        else:
            fact_id, restart, ended = cause.fact_id, False, None
        chosen = book.pick(run.metric, in_order(effective.values()), at, subjects.at(at))
        for track in [*stages, *(one for one in chosen if one not in stages)]:
            _look(stages.setdefault(track, []), chosen.get(track), Stage(at, fact_id, None, restart), ended)
    return {track: path for track, path in stages.items() if path}


def _alive(stages: dict[str, list[Stage]]) -> bool:
    """What no policy asks for any more is not begun again by a version, only by what is learned."""
    return any(path[-1].priced is not None for path in stages.values() if path)


def _look(path: list[Stage], found: Priced | None, stage: Stage, ended: str | None) -> None:
    before = path[-1].priced if path else None
    if before is None and found is None:
        return
    if before is not None and found is not None and _same(before, found):
        path[-1] = path[-1]._replace(priced=replace(before, why=found.why))
        return
    over = ended is not None and before is not None and before.policy.policy_id == ended
    path.append(stage._replace(priced=found, ended=over))


def _same(one: Priced, other: Priced) -> bool:
    return (one.policy.policy_id, one.policy.version) == (other.policy.policy_id, other.policy.version)


def under_policies(run: Run, path: list[Stage], book: Book) -> tuple[Run, Priced, list[Stage]]:
    """The run with every change of policy and calendar as changes of it, the policy it begins under, and the stages
    with which it is to start anew."""
    stages = [one for one in path if one.priced is not None]
    gone = path[-1]
    if gone.priced is None:
        reason = "policy_ended" if gone.ended else "no_policy_applies"
        run = replace(run, end=End(gone.at, ClockStatus.CANCELLED, reason, gone.fact_id))
    changes = list(run.changes)
    for place, stage in enumerate(stages):
        assert stage.priced is not None
        if place > 0:
            changes.append(Change(stage.at, stage.fact_id, priced=stage.priced, ended=stage.ended))
        until = stages[place + 1].at if place + 1 < len(stages) else None
        turns = book.repriced_after(stage.priced, stage.at)
        changes += [one for one in turns if until is None or one.at < until]
    if len(changes) > len(run.changes):
        run = replace(run, changes=tuple(sorted(changes, key=lambda one: one.at)))
    assert stages[0].priced is not None
    return run, stages[0].priced, [one for one in stages if one.restart]


def restarted(run: Run, at: int) -> Run:
    """The run as one that starts at `at`, with what holds then."""
    gone = [one for one in run.changes if one.at <= at]
    urgency = next((one.urgency for one in reversed(gone) if one.urgency), run.urgency)
    own_due = next((one.own_due for one in reversed(gone) if one.own_due is not None), run.own_due)
    return replace(
        run,
        start=at,
        start_fact_id=None,
        urgency=urgency,
        own_due=own_due,
        pauses=since(run.pauses, at),
        changes=run.changes[len(gone) :],
    )
