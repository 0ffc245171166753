"""Cursor pagination: `{data, meta, links}`. A cursor is the sort key of the last row that was shown, so that rows which
come and go meanwhile neither repeat nor hide others.

    @router.get("/v1/cases")
    async def list_cases(request: Request, paging: PagingDep, deps: DepsDep) -> Page[CaseItem]:
        position = paging.after(datetime, UUID)                         # None on the first page
        rows = await usecases.list_cases(position, paging.limit + 1, deps)   # one more than shown
        return page(rows, paging, request, key=lambda row: (row.received_at, row.case_id))
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from shared.web.errors import BadRequest

T = TypeVar("T")
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_CURSOR = 1000
#: For the OpenAPI document alone: what breaks it is told as `BadCursor`.
CURSOR_SHAPE: dict[str, Any] = {"pattern": "^[A-Za-z0-9_-]+$", "maxLength": MAX_CURSOR}

Value = str | int | float | bool | datetime | UUID | None


class BadCursor(BadRequest):
    slug, title = "bad-cursor", "The cursor is not one of this list"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list: the values of the sort key. Opaque to callers, and theirs to keep as long as they like."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        written = json.dumps([_write(value) for value in self.values], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(written.encode()).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises `BadCursor`."""
        try:
            if len(text) > MAX_CURSOR:
                raise ValueError("too long")
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if not isinstance(values, list):
                raise TypeError("not a list")
            return cls(tuple(_read(value) for value in values))
        except (ValueError, TypeError, RecursionError, binascii.Error) as error:
            raise BadCursor(
                "Take the cursor from `links.next` as it is, or leave it out.", parameter="cursor"
            ) from error


def _write(value: Value) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": str(value)}
    return value


def _read(value: Any) -> Value:
    match value:
        case {"t": str(instant)}:
            read = datetime.fromisoformat(instant)
            if read.tzinfo is None:
                raise ValueError("no offset")
            return read
        case {"u": str(identity)}:
            return UUID(identity)
        case str() if "\x00" in value:
            raise ValueError("a NUL")
        case str() | bool() | int() | float() | None:
            return value
    raise TypeError("not a cursor's value")


@dataclass(frozen=True, slots=True)
class Paging:
    limit: int
    cursor: Cursor | None

    def after(self, *types: type) -> tuple[Any, ...] | None:
        """The position behind which to go on, None on the first page. Raises `BadCursor` for another list's cursor.

        Pass ``object`` where the value may be null.
        """
        if self.cursor is None:
            return None
        values = self.cursor.values
        fits = len(values) == len(types) and all(
            isinstance(value, kind) and not (isinstance(value, bool) and kind is int)
            for value, kind in zip(values, types, strict=True)
        )
        if not fits:
            raise BadCursor("This cursor belongs to another list or another order of it.", parameter="cursor")
        return values


async def paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(description="From `links.next` of the page before", json_schema_extra=CURSOR_SHAPE)
    ] = None,
) -> Paging:
    return Paging(limit, Cursor.read(cursor) if cursor else None)


PagingDep = Annotated[Paging, Depends(paging)]


class PageMeta(BaseModel):
    limit: int
    count: int
    has_more: bool


class PageLinks(BaseModel):
    self: str
    next: str | None = None


class Page(BaseModel, Generic[T]):
    data: list[T]
    meta: PageMeta
    links: PageLinks


def page(rows: Sequence[T], paging: Paging, request: Request, *, key: Callable[[T], Sequence[Value]]) -> Page[T]:
    """Shape an answer from up to `paging.limit` + 1 rows; `key` gives a row's position."""
    shown = list(rows[: paging.limit])
    more = len(rows) > paging.limit
    url = request.url
    here = f"{url.path}?{url.query}" if url.query else url.path
    following = None
    if more:
        onward = url.include_query_params(cursor=str(Cursor(tuple(key(shown[-1])))), limit=paging.limit)
        following = f"{onward.path}?{onward.query}"
    return Page(
        data=shown,
        meta=PageMeta(limit=paging.limit, count=len(shown), has_more=more),
        links=PageLinks(self=here, next=following),
    )
