"""Whether a pause may stop a clock, for how long, and what is wrong with it (F9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sla_service.clocks.instants import length
from sla_service.clocks.policy import PauseTerms
from sla_service.clocks.runs import Pause


class Wrong(StrEnum):
    """`no_question`: nothing was asked of the customer within the day before. `near_deadline`: begun so shortly before
    the due instant that it serves the deadline and not the customer."""

    NO_QUESTION = "no_question"
    NEAR_DEADLINE = "near_deadline"


class Judged(NamedTuple):
    """A pause under the terms of a policy. `limit` is where it ends, by the facts or because the longest time is used
    up; None: not known yet. `cut`: it ends with a policy that came and does not allow it."""

    pause: Pause
    wrong: tuple[Wrong, ...]
    limit: int | None
    given_back: bool
    cut: bool = False

    @property
    def until(self) -> int | None:
        """The clock stands still until then, not at all where that is the beginning; None: its end is not known."""
        return self.pause.begin if self.given_back else self.limit

    @property
    def stands(self) -> bool:
        return self.until is None or self.until > self.pause.begin

    @property
    def ran_on(self) -> str | None:
        """Why the clock runs although the pause lasts; None where it does not."""
        if self.given_back:
            return f"given_back_{self.wrong[0].value}"
        if self.cut:
            return "pause_not_allowed"
        return "pause_used_up" if self.limit != self.pause.end else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A pause that was not legitimate: microseconds since 1970; `end` None while it lasts."""

    wrong: tuple[Wrong, ...]
    begin: int
    end: int | None
    fact_id: UUID
    given_back: bool


def judge(pause: Pause, terms: PauseTerms, due: int | None, used: int) -> Judged:
    """The pause of a clock that is due at `due` when it begins (needed where the terms ask for it alone) and has stood
    still for `used` microseconds before."""
    wrong = _wrong(pause, terms, due)
    limit = pause.end
    if terms.longest is not None:
        last = pause.begin + max(length(terms.longest) - used, 0)
        limit = last if limit is None else min(limit, last)
    return Judged(pause, wrong, limit, bool(wrong) and terms.give_back)


def _wrong(pause: Pause, terms: PauseTerms, due: int | None) -> tuple[Wrong, ...]:
    unasked = (Wrong.NO_QUESTION,) if terms.evidence and pause.question_id is None else ()
    near = terms.not_before_due
    if near is not None and due is not None and 0 <= due - pause.begin < length(near):
        return (*unasked, Wrong.NEAR_DEADLINE)
    return unasked


def findings(pauses: Iterable[Judged], run_end: int | None) -> tuple[Finding, ...]:
    """What is wrong with the pauses of a run, each as long as it stopped the clock or would have."""
    found = []
    for one in pauses:
        ends = [end for end in (one.limit, run_end) if end is not None]
        if one.wrong and one.limit != one.pause.begin:
            end = min(ends, default=None)
            found.append(Finding(one.wrong, one.pause.begin, end, one.pause.fact_id, one.given_back))
    return tuple(found)
