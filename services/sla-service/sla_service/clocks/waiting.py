"""Who waits for whom: the customer for an answer, or the team for the customer or a third party."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from uuid import UUID

from shared.contracts.vocabulary import CaseState
from sla_service.clocks.facts import ASKED, IN_TIME, Fact, FactKind
from sla_service.clocks.instants import DAY
from sla_service.clocks.metrics import WAITING_CUSTOMER, WAITING_THIRD_PARTY
from sla_service.clocks.runs import End, Pause, cancelled, earliest, fulfilled

_NEVER: tuple[int | None, UUID | None] = (None, None)
FINAL = frozenset({CaseState.MERGED, CaseState.WITHDRAWN, CaseState.REJECTED, CaseState.CLOSED})


def unanswered(
    wrote: Iterable[Fact],
    answers: Sequence[Fact],
    finals: Sequence[Fact],
    resolved: Iterable[Fact],
    reopened: Iterable[Fact],
) -> Iterator[tuple[int, Fact, End | None]]:
    """``(from, message, end)``: from the first of the customer's messages that await an answer until the answer, again
    and again. `wrote` and `answers` are in order of time.

    What the customer writes when the case is resolved or over waits from its reopening on, and for nothing where there
    is none: a word of thanks asks for no answer.
    """
    shut = sorted(one.at for one in (*finals, *resolved))
    opened = sorted(one.at for one in reopened)
    answered = [one.at for one in answers]
    free = None
    for message in wrote:
        begin = message.at
        if before := bisect_right(shut, message.at):
            place = bisect_left(opened, shut[before - 1])
            if place == len(opened):
                continue
            begin = max(begin, opened[place])
        place = bisect_right(answered, message.at)
        if (free is not None and begin < free) or (place < len(answers) and answered[place] < begin):
            continue
        ends = [fulfilled(one, begin) for one in answers[place : place + 1]]
        end = earliest([*ends, *(cancelled(one, begin) for one in finals if one.at >= begin)])
        yield begin, message, end
        if end is None:
            return
        free = end.at


def asked_tasks(facts: Iterable[Fact]) -> Iterator[tuple[Fact, Fact | None]]:
    """Each transfer task from the fact that opened it to the one that ended it (None: it is open still)."""
    facts = list(facts)
    ending = (FactKind.TRANSFER_ANSWERED, FactKind.TRANSFER_CANCELLED)
    for task in facts:
        if task.kind in ASKED:
            ends = [one for one in facts if one.kind in ending and one.subject_id == task.subject_id]
            ends += [one for one in facts if one.to_state in FINAL and one.at >= task.at]
            yield task, min(ends, key=IN_TIME, default=None)


def with_customer(moves: Sequence[Fact], of: Mapping[FactKind, Sequence[Fact]]) -> list[Pause]:
    """F9: waiting for the customer, until the customer's own word at its own time, or until the case moves on."""
    wrote, asked = of.get(FactKind.CUSTOMER_WROTE, ()), of.get(FactKind.ANSWERED, ())
    wrote_at, asked_at = [one.at for one in wrote], [one.at for one in asked]
    revisions = [one.revision for one in moves]
    soonest = list(accumulate(map(IN_TIME, reversed(moves)), min))[::-1]  # of each move and those after it
    found = []
    for move in moves:
        if move.to_state is not CaseState.WAITING_CUSTOMER:
            continue
        written = bisect_right(wrote_at, move.at)
        left = bisect_right(revisions, move.revision)
        end, end_fact_id = soonest[left] if left < len(moves) else _NEVER
        if end is not None and end < move.at:  # by the revisions later, by their instants earlier
            end, end_fact_id = min((max(one.at, move.at), one.fact_id) for one in moves[left:])
        if written < len(wrote) and (end is None or IN_TIME(wrote[written]) < (end, end_fact_id)):
            end, end_fact_id = IN_TIME(wrote[written])
        before = bisect_right(asked_at, move.at) - 1
        question_id = asked[before].fact_id if before >= 0 and asked_at[before] >= move.at - DAY else None
        found.append(Pause(move.at, WAITING_CUSTOMER, move.fact_id, end, end_fact_id, question_id))
    return found


def with_third_party(facts: Iterable[Fact], moves: Sequence[Fact]) -> Iterator[Pause]:
    """While a transfer task is open, and while the case waits for a third party."""
    stretches = list(asked_tasks(facts))
    for place, move in enumerate(moves):
        if move.to_state is CaseState.WAITING_THIRD_PARTY:
            stretches.append((move, next((one for one in moves[place + 1 :] if one.revision > move.revision), None)))
    for begun, left in stretches:
        if left is None:
            yield Pause(begun.at, WAITING_THIRD_PARTY, begun.fact_id)
        else:
            yield Pause(begun.at, WAITING_THIRD_PARTY, begun.fact_id, max(begun.at, left.at), left.fact_id)


def apart(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """The same stretches of standing still, none over another: of two that overlap the later begins where the earlier
    ends."""
    found: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: (one.begin, str(one.fact_id))):
        if found and (last := found[-1].end) is None:
            break
        if found and last is not None and pause.begin < last:
            if pause.end is not None and pause.end <= last:
                continue
            pause = pause._replace(begin=last)
        if pause.end != pause.begin:
            found.append(pause)
    return tuple(found)


def since(pauses: Iterable[Pause], start: int) -> tuple[Pause, ...]:
    """The pauses as a clock meets them that starts at `start`."""
    lasting = [pause for pause in pauses if pause.end is None or pause.end > start]
    return tuple([pause if pause.begin >= start else pause._replace(begin=start) for pause in lasting])
