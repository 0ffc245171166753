"""Calendars changed by people: a new version, and the running clocks that follow it (F9)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor
from shared.web.errors import Conflict, Invalid
from sla_service.clocks.calendar import CalendarSpec
from sla_service.store import books
from sla_service.store.turns import Turn
from sla_service.usecases.deps import Deps
from sla_service.usecases.turns import plan


class CalendarInThePast(Invalid):
    slug, title = "calendar-in-the-past", "A calendar cannot begin to hold in the past"


class CalendarNotNewest(Conflict):
    slug, title = "calendar-not-newest", "A later version of the calendar is already waiting"


async def publish(
    tx: AsyncSession,
    spec: CalendarSpec,
    valid_from: datetime | None,
    reprice: bool,
    reason: str,
    by: Actor,
    deps: Deps,
) -> tuple[int, datetime]:
    """A new version of a calendar, which holds for clocks that start from `valid_from` (or now) on; with `reprice` the
    running ones are priced anew as well, right after the commit. Its number, and from when it holds.

    Raises `CalendarInThePast`, `CalendarNotNewest`.
    """
    await books.lock_book(tx)
    now = deps.clock.now()
    start = valid_from or now
    if start < now:
        raise CalendarInThePast(
            f"valid_from is before {now.isoformat()}: what was promised stays. Leave it out for now.",
            pointer="/valid_from",
        )
    rows = [row for row in await books.calendar_rows(tx) if row.calendar_id == spec.calendar_id]
    newest = rows[0] if rows else None
    if newest is not None and newest.valid_from is not None and start < newest.valid_from:
        raise CalendarNotNewest(
            f"Version {newest.version} holds from {newest.valid_from.isoformat()}; choose a later instant.",
            pointer="/valid_from",
        )
    version = newest.version + 1 if newest else 1
    await books.publish_calendar(tx, spec, version, now, valid_from=start, reprice=reprice, reason=reason, by=by)
    await books.next_revision(tx)
    if reprice:
        await plan(tx, Turn("calendar", spec.calendar_id, version, None, None), now, deps)
    return version, start
