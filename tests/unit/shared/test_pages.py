"""Cursors are opaque, exact and safe to get wrong."""

import contextlib
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from shared.web.errors import PreconditionFailed, PreconditionRequired
from shared.web.etag import etag, if_match
from shared.web.pages import BadCursor, Cursor, Paging, page

VALUES = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.none(),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(VALUES, max_size=4).map(tuple))
def test_a_cursor_comes_back_as_it_was(values: tuple[str | int | bool | datetime | UUID | None, ...]) -> None:
    assert Cursor.read(str(Cursor(values))).values == values


@given(st.text(max_size=60))
def test_any_other_text_is_a_bad_cursor_and_never_another_error(text: str) -> None:
    with contextlib.suppress(BadCursor):
        Cursor.read(text)


def test_a_cursor_of_another_list_is_refused() -> None:
    paging = Paging(10, Cursor((7, "x")))
    assert paging.after(int, str) == (7, "x")
    assert paging.after(int, object) == (7, "x")
    for types in ((str, str), (int,), (int, str, str)):
        with pytest.raises(BadCursor):
            paging.after(*types)
    with pytest.raises(BadCursor):
        Paging(10, Cursor((True,))).after(int)


def request(path: str, query: str = "", root: str = "") -> Request:
    scope = {
        "type": "http",
        "path": root + path,
        "root_path": root,
        "query_string": query.encode(),
        "server": ("redress.test", 80),
        "scheme": "http",
        "headers": [],
    }
    return Request(scope)


def test_a_page_links_to_the_next_one_and_keeps_the_filter() -> None:
    made = page([1, 2, 3], Paging(2, None), request("/v1/cases", "state=open", "/resolution"), key=lambda n: (n,))
    assert made.data == [1, 2]
    assert (made.meta.count, made.meta.has_more) == (2, True)
    assert made.links.self == "/resolution/v1/cases?state=open"
    assert made.links.next == f"/resolution/v1/cases?state=open&cursor={Cursor((2,))}&limit=2"


def test_the_last_page_links_to_none() -> None:
    made = page([1, 2], Paging(2, None), request("/v1/cases"), key=lambda n: (n,))
    assert made.links.next is None
    assert not made.meta.has_more


def test_a_version_matches_itself_or_anything_by_star_and_a_weak_one_never() -> None:
    assert etag(3) == '"3"'
    for good in (None, "*", '"3"', '"1", "3"'):
        if_match(good, 3)
    for bad in ('"2"', "3", 'W/"3"', ""):
        with pytest.raises(PreconditionFailed):
            if_match(bad, 3)
    with pytest.raises(PreconditionRequired):
        if_match(None, 3, required=True)
