"""What people and programs ask about clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.sla import ClockView
from shared.contracts.vocabulary import ClockStatus, Metric
from shared.web.errors import NotFound
from shared.web.principal import Principal
from shared.web.visibility import may_see_team, visible_teams
from sla_service.clocks.calendar import Calendar
from sla_service.clocks.conditions import Choice
from sla_service.clocks.facts import Fact, corrected
from sla_service.clocks.fold import ClockState, fold
from sla_service.clocks.holders import Held, holders
from sla_service.clocks.instants import micros
from sla_service.clocks.ledger import Segment, ledger
from sla_service.clocks.policy import Book
from sla_service.domain.changes import PauseFinding
from sla_service.domain.reasons import why_chosen
from sla_service.store import clocks, histories
from sla_service.usecases.deps import Deps


class NoSuchClock(NotFound):
    slug, title = "no-such-clock", "There is no such clock"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which clocks; what is None does not matter."""

    complaint: UUID | None = None
    status: ClockStatus | None = None
    metric: Metric | None = None
    breached: bool | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A clock as it stands, with whose it is and the calendar of its policy version. `complaint_id` is empty for an
    improvement action."""

    view: ClockView
    history_id: UUID
    complaint_id: UUID | None
    complaint_number: str | None
    holder: StaffContact | None
    calendar: Calendar | None


@dataclass(frozen=True, slots=True)
class Explained:
    """A clock with why its policy was chosen, as data and in words; None where that was not kept."""

    shown: Shown
    why: Choice | None
    text: Bilingual | None
    findings: tuple[PauseFinding, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A ledger with the clock that it explains, as the facts have it now. `corrected` are the facts of its history
    that were told for an instant after their record."""

    state: ClockState
    segments: tuple[Segment, ...]
    now: datetime
    corrected: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The elapsed time of a clock by who held it."""

    state: ClockState
    held: tuple[Held, ...]
    now: datetime


async def list_clocks(
    asked: Asked, principal: Principal, after: tuple[datetime, UUID] | None, limit: int, deps: Deps
) -> list[Shown]:
    """Clocks by their due instant."""
    async with deps.reading() as tx:
        rows = await clocks.list_clocks(
            tx,
            history_id=asked.complaint,
            status=asked.status,
            metric=asked.metric,
            breached=asked.breached,
            due_before=asked.due_before,
            teams=visible_teams(principal),
            after=after,
            limit=limit,
        )
        book = await deps.shelf.book(tx)
    return [_shown(row, book) for row in rows]


async def get_clock(clock_id: UUID, principal: Principal, deps: Deps) -> Explained:
    """Raises `NoSuchClock`."""
    async with deps.reading() as tx:
        row = await clocks.clock(tx, clock_id)
        shown = _shown(_seen(row, clock_id, principal), await deps.shelf.book(tx))
        return await explain(tx, shown, clocks.why_of(row), clocks.findings_of(row), deps)


async def explain(
    tx: AsyncSession, shown: Shown, why: Choice | None, findings: tuple[PauseFinding, ...], deps: Deps
) -> Explained:
    """The clock with the reason in words; titles are those of the versions that were looked at."""
    book, view = await deps.shelf.book(tx), shown.view
    text = why_chosen(view.policy, view.policy_version, why, book.title) if why else None
    return Explained(shown, why, text, findings)


async def get_ledger(clock_id: UUID, principal: Principal, deps: Deps) -> Told:
    """Folded anew from the facts, up to now. Raises `NoSuchClock`."""
    state, facts = await _folded(clock_id, principal, deps)
    now = deps.clock.now()
    return Told(state, ledger(state, micros(now)), now, corrected(facts))


async def get_holders(clock_id: UUID, principal: Principal, deps: Deps) -> Split:
    """The elapsed time by holder, up to now. Raises `NoSuchClock`."""
    state, facts = await _folded(clock_id, principal, deps)
    now = deps.clock.now()
    return Split(state, holders(state, facts, micros(now)), now)


async def _folded(clock_id: UUID, principal: Principal, deps: Deps) -> tuple[ClockState, Sequence[Fact]]:
    async with deps.reading() as tx:
        history_id = await history_of(tx, clock_id, principal)
        history = await histories.history(tx, history_id)
        assert history is not None
        facts = (await histories.facts_of(tx, [history_id]))[history_id]
        book = await deps.shelf.book(tx)
    for state in fold(history_id, history.complaint, facts, book).clocks:
        if state.clock_id == clock_id:
            return state, facts
    raise NoSuchClock(f"Clock {clock_id} cannot be priced by the policies and calendars of now; look at the log.")


async def history_of(tx: AsyncSession, clock_id: UUID, principal: Principal) -> UUID:
    """Whose clock it is. Raises `NoSuchClock`, also for one that the principal may not see."""
    history_id: UUID = _seen(await clocks.clock(tx, clock_id), clock_id, principal).history_id
    return history_id


def _seen(row: Any | None, clock_id: UUID, principal: Principal) -> Any:
    if row is None or (row.owner_team is not None and not may_see_team(principal, row.owner_team)):
        raise NoSuchClock(f"No clock has the id {clock_id}; list them with GET /v1/clocks?complaint=….")
    return row


def _shown(row: Any, book: Book) -> Shown:
    view = clocks.view_of(row)
    priced = book.rule(view.policy, view.policy_version, view.metric)
    complaint = row.complaint
    return Shown(
        view,
        row.history_id,
        UUID(complaint["complaint_id"]) if complaint else None,
        complaint["number"] if complaint else None,
        StaffContact.model_validate(row.holder) if row.holder else None,
        priced.calendar if priced else None,
    )
