"""What people ask about clocks at another instant: how they stood, and by what was known then."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.web.errors import Invalid
from shared.web.principal import Principal
from shared.web.visibility import may_see_team
from sla_service.clocks.facts import corrected
from sla_service.clocks.fold import ClockState
from sla_service.clocks.instants import instant_of, micros
from sla_service.clocks.ledger import ledger
from sla_service.clocks.travel import Vantage, facts_at, fold_at, looked_until
from sla_service.domain.changes import findings_of, view_at
from sla_service.store import books, histories
from sla_service.store.histories import History
from sla_service.usecases import ask
from sla_service.usecases.deps import Deps


class NotYet(Invalid):
    slug, title = "instant-to-come", "That instant has not come yet"


class OfOneComplaint(Invalid):
    slug, title = "complaint-needed", "Another instant is looked at for one complaint"


def vantage_of(as_of: datetime | None, known_at: datetime | None, deps: Deps) -> Vantage | None:
    """From where to look; None: from here and now. With `known_at` alone also the clocks stand as of then.

    Raises `NotYet`.
    """
    now = deps.clock.now()
    for name, instant in (("as_of", as_of), ("known_at", known_at)):
        if instant is not None and instant > now:
            raise NotYet(f"It is {now.isoformat()} now; give an instant that has passed.", parameter=name)
    if (seen := as_of or known_at) is None:
        return None
    return Vantage(micros(seen), None if known_at is None else micros(known_at))


async def list_clocks_at(
    vantage: Vantage,
    asked: ask.Asked,
    principal: Principal,
    after: tuple[datetime, UUID] | None,
    limit: int,
    deps: Deps,
) -> list[ask.Shown]:
    """The clocks of one complaint that existed then, by their due instant. Raises `OfOneComplaint`."""
    if asked.complaint is None:
        raise OfOneComplaint("Name the complaint whose clocks to look at.", parameter="complaint")
    async with deps.reading() as tx:
        history = await histories.history(tx, asked.complaint)
        states = await _states(tx, history, vantage, deps) if history else ()
    shown = [_shown(history, state, vantage) for state in states if history and _may_see(principal, state)]
    fitting = [one for one in shown if _fits(one, asked) and (after is None or _place(one) > after)]
    return sorted(fitting, key=_place)[:limit]


async def get_clock_at(clock_id: UUID, vantage: Vantage, principal: Principal, deps: Deps) -> ask.Explained:
    """Raises `ask.NoSuchClock`, also for a clock that did not exist then."""
    history, state = await _state(clock_id, vantage, principal, deps)
    async with deps.reading() as tx:
        shown = _shown(history, state, vantage)
        return await ask.explain(tx, shown, state.priced.why, findings_of(state), deps)


async def get_ledger_at(clock_id: UUID, vantage: Vantage, principal: Principal, deps: Deps) -> ask.Told:
    """The ledger up to then. Raises `ask.NoSuchClock`, also for a clock that did not exist then."""
    history, state = await _state(clock_id, vantage, principal, deps)
    async with deps.reading() as tx:
        facts = (await histories.facts_of(tx, [history.history_id]))[history.history_id]
    then = corrected(facts_at(facts, vantage))
    return ask.Told(state, ledger(state, vantage.as_of), instant_of(vantage.as_of), then)


async def _state(clock_id: UUID, vantage: Vantage, principal: Principal, deps: Deps) -> tuple[History, ClockState]:
    async with deps.reading() as tx:
        history = await histories.history(tx, await ask.history_of(tx, clock_id, principal))
        assert history is not None
        for state in await _states(tx, history, vantage, deps):
            if state.clock_id == clock_id and _may_see(principal, state):
                return history, state
    raise ask.NoSuchClock(
        f"Clock {clock_id} did not exist at {instant_of(vantage.as_of).isoformat()}, or was not known of; "
        "leave out as_of and known_at to see it now."
    )


async def _states(tx: AsyncSession, history: History, vantage: Vantage, deps: Deps) -> Sequence[ClockState]:
    facts = await histories.facts_of(tx, [history.history_id])
    if vantage.known_at is None:
        book = await deps.shelf.book(tx)
    else:
        book = await books.load_book(tx, instant_of(vantage.known_at))
    return fold_at(history.history_id, history.complaint, facts[history.history_id], book, vantage)


def _may_see(principal: Principal, state: ClockState) -> bool:
    return state.run.team_id is None or may_see_team(principal, state.run.team_id)


def _shown(history: History, state: ClockState, vantage: Vantage) -> ask.Shown:
    """Revision 0: what was told then is not kept, only what was so."""
    return ask.Shown(
        view_at(state, 0, looked_until(state, vantage.as_of)),
        history.history_id,
        history.complaint.complaint_id if history.complaint else None,
        history.complaint.number if history.complaint else None,
        state.run.holder,
        state.priced.calendar,
    )


def _place(one: ask.Shown) -> tuple[datetime, UUID]:
    return one.view.due_at, one.view.clock_id


def _fits(one: ask.Shown, asked: ask.Asked) -> bool:
    view = one.view
    return (
        (asked.status is None or view.status is asked.status)
        and (asked.metric is None or view.metric is asked.metric)
        and (asked.breached is None or (view.breached_at is not None) is asked.breached)
        and (asked.due_before is None or view.due_at < asked.due_before)
    )
