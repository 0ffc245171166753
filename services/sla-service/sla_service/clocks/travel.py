"""Clocks seen from another instant: as they stood then, and by what was known then.

Both are the same fold over fewer facts. `as_of` leaves out what happened later, `known_at` what was recorded later;
what a clock looks like at the instant is read off its state with `as_of` as the horizon of the timers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts
from shared.contracts.vocabulary import ClockStatus
from sla_service.clocks.facts import Fact
from sla_service.clocks.fold import ClockState, fold, pauses_of, price
from sla_service.clocks.policy import Book


@dataclass(frozen=True, slots=True)
class Vantage:
    """From where one looks, in microseconds since 1970; `known_at` None: by all that is known today."""

    as_of: int
    known_at: int | None = None


def fold_at(
    history_id: UUID, complaint: ComplaintFacts | None, facts: Sequence[Fact], book: Book, vantage: Vantage
) -> tuple[ClockState, ...]:
    """The clocks of a history that existed then; `book` holds the policies and calendars that were published then.

    Of a history of which nothing was recorded by `known_at` there are none.
    """
    known = _known(facts, vantage)
    if not known:
        return ()
    happened = facts_at(facts, vantage)
    return tuple(
        _still_open(state, vantage.as_of)
        for state in fold(history_id, complaint, happened, book.as_of(vantage.as_of)).clocks
        if state.run.start <= vantage.as_of and not state.run.void
    )


def _known(facts: Sequence[Fact], vantage: Vantage) -> list[Fact]:
    return [one for one in facts if vantage.known_at is None or one.recorded <= vantage.known_at]


def facts_at(facts: Sequence[Fact], vantage: Vantage) -> list[Fact]:
    """What had happened by then, as far as it was known."""
    return [one for one in _known(facts, vantage) if one.at <= vantage.as_of]


def looked_until(state: ClockState, as_of: int) -> int:
    """The horizon at `as_of`: no timer looks at a clock from the beginning of a pause that still lasts."""
    if state.status is not ClockStatus.PAUSED:
        return as_of
    return min([as_of, *(one.begin for one in pauses_of(state.run, state.priced) if one.end is None)])


def _still_open(state: ClockState, as_of: int) -> ClockState:
    """A recording (F7) ends when its fact was recorded, which may be later than the fact itself."""
    end = state.run.end
    return state if end is None or end.at <= as_of else price(replace(state.run, end=None), state.priced)
