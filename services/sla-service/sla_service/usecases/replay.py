"""Clocks folded anew from their facts and compared with what is kept."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from shared.web.errors import NotFound
from sla_service.clocks.facts import Fact
from sla_service.clocks.fold import fold
from sla_service.clocks.policy import Book
from sla_service.domain.replay import Difference, differences
from sla_service.store import clocks, histories, turns
from sla_service.store.histories import History
from sla_service.store.turns import Turn
from sla_service.usecases.deps import Deps

log = structlog.get_logger()

#: Histories that one snapshot looks at, and differing clocks that are told in full.
_PAGE = 100
_TOLD = 100


class NothingKept(NotFound):
    slug, title = "no-such-history", "Nothing is kept of this complaint"


@dataclass(frozen=True, slots=True)
class Differing:
    history_id: UUID
    clock_id: UUID
    differences: list[Difference]


@dataclass(slots=True)
class Verdict:
    """How many were looked at, how many clocks differ, and the first hundred of these. `after` is the last history that
    was looked at, where there are more."""

    histories: int = 0
    clocks: int = 0
    differing: int = 0
    found: list[Differing] = field(default_factory=list)
    after: UUID | None = None


async def verify(
    complaint: UUID | None, deps: Deps, *, after: UUID | None = None, at_most: int | None = None
) -> Verdict:
    """Fold every clock (or those of one complaint) anew and compare it with what is kept. Changes nothing. Histories
    are looked at in the order of their ids, from the one behind `after` on, `at_most` so many.

    A fact that is kept but not yet folded cannot be met: a fact and what the fold makes of it are committed in one
    transaction under the lock of its history (`hear.learn`), and a page here reads histories, facts, clocks and
    policies in one snapshot. So whatever differs was written past the fold, or the fold itself has changed.

    Raises `NothingKept` for a complaint of which nothing was heard.
    """
    verdict = Verdict()
    if complaint is not None:
        async with deps.reading() as tx:
            history = await histories.history(tx, complaint)
            if history is None:
                raise NothingKept(f"No fact of the complaint {complaint} was heard.", parameter="complaint")
            await _look(tx, [history], verdict, deps)
    else:
        await _look_from(after, at_most, verdict, deps)
    if verdict.differing:
        deps.mismatches.inc(verdict.differing)
        log.error(
            "clocks differ from their facts",
            differing=verdict.differing,
            clocks=verdict.clocks,
            first=[str(one.clock_id) for one in verdict.found[:5]],
        )
    return verdict


async def verify_nightly(deps: Deps) -> None:
    """For ever: at the hour of the settings (UTC), by one process of all replicas."""
    while True:
        night = next_night(deps.clock.now(), deps.settings.verify_hour)
        await deps.clock.wait(night, asyncio.Event())
        async with deps.session() as tx:
            ours = await clocks.claim_night(tx, night.date())
        if ours:
            verdict = await verify(None, deps)
            log.info("every clock was folded anew", clocks=verdict.clocks, differing=verdict.differing)


def next_night(now: datetime, hour: int) -> datetime:
    """The next instant after `now` at which the clock of UTC shows the full hour."""
    tonight = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)


async def _look_from(after: UUID | None, at_most: int | None, verdict: Verdict, deps: Deps) -> None:
    while at_most is None or verdict.histories < at_most:
        wanted = _PAGE if at_most is None else min(_PAGE, at_most - verdict.histories)
        async with deps.reading() as tx:
            page = await histories.histories_after(tx, after, wanted)
            await _look(tx, page, verdict, deps)
        if len(page) < wanted:
            return
        after = page[-1].history_id
    verdict.after = after


async def _look(tx: AsyncSession, page: list[History], verdict: Verdict, deps: Deps) -> None:
    ids = [one.history_id for one in page]
    facts = await histories.facts_of(tx, ids)
    rows = await clocks.rows_of(tx, ids)
    possible = _books(await deps.shelf.book(tx), await turns.under_way(tx))
    for history in page:
        kept = rows[history.history_id]
        found = _compared(history, facts[history.history_id], kept, possible[0])
        if any(found.values()):
            earlier = (_compared(history, facts[history.history_id], kept, book) for book in possible[1:])
            found = next((one for one in earlier if not any(one.values())), found)
        verdict.histories += 1
        verdict.clocks += len(found)
        for clock_id, what in found.items():
            if what:
                verdict.differing += 1
                if len(verdict.found) < _TOLD:
                    verdict.found.append(Differing(history.history_id, clock_id, what))


def _books(book: Book, pending: Sequence[Turn]) -> list[Book]:
    """The book, and before it those by which a history may stand that a version under way has not reached."""
    books = [book]
    for place in reversed(range(len(pending))):
        left = pending[place:]
        policies, calendars = (
            {(one.name, one.version) for one in left if one.kind == kind} for kind in ("policy", "calendar")
        )
        books.append(book.without(policies, calendars))
    return books


def _compared(
    history: History, facts: Sequence[Fact], kept: Mapping[UUID, Mapping[str, Any]], book: Book
) -> dict[UUID, list[Difference]]:
    """What differs of each clock that is kept or follows from the facts."""
    folded = fold(history.history_id, history.complaint, facts, book)
    states = {state.clock_id: state for state in folded.clocks}
    return {
        clock_id: differences(clock_id, kept.get(clock_id), states.get(clock_id))
        for clock_id in sorted(kept.keys() | states.keys())
    }
