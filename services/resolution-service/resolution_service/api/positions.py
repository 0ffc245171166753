"""Where a page of the work list ends: the sort key of its last case, and back from a cursor."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resolution_service.domain.views import CaseSummary
from resolution_service.domain.worklist import URGENCY_RANK, Sort
from shared.web.pages import BadCursor, Paging, Value


def position(shown: CaseSummary, sort: Sort) -> tuple[Value, ...]:
    match sort:
        case "next_due":
            return shown.next_due_at, shown.id
        case "urgency":
            return URGENCY_RANK[shown.urgency], shown.next_due_at, shown.id
        case _:
            return shown.received_at, shown.id


def after(paging: Paging, sort: Sort) -> tuple[Any, ...] | None:
    """Raises `BadCursor` for one of another list or order."""
    match sort:
        case "next_due":
            found = paging.after(object, UUID)
            return found and (_instant(found[0]), found[1])
        case "urgency":
            found = paging.after(int, object, UUID)
            if found and found[0] not in URGENCY_RANK.values():
                raise _bad()
            return found and (found[0], _instant(found[1]), found[2])
        case _:
            return after_instant(paging)


def after_instant(paging: Paging) -> tuple[Any, ...] | None:
    found = paging.after(datetime, UUID)
    return found and (_instant(found[0]), found[1])


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise _bad()
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise _bad() from error


def _bad() -> BadCursor:
    return BadCursor("This cursor belongs to another list or another order of it.", parameter="cursor")
