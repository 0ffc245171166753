"""HTML of mails: made harmless, and as plain text."""

import re
from html import escape
from html.parser import HTMLParser

import nh3

from intake_service.channels.email.charsets import clean

MOST = 1024 * 1024
MAX_DEPTH = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_NEVER_CLOSED = frozenset(
    re.findall(r"\w+", "area base br col embed hr img input li link meta p param source td th tr wbr")
)
_TAGS = nh3.ALLOWED_TAGS - {"map", "area"}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote center dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 "
        "header hr li main nav ol p pre section summary table tbody tfoot thead tr ul",
    )
)
_GAPS = re.compile(r"[ \t\u00a0]+")
_LINES = re.compile(r"\n{3,}")


def sanitised(html: str) -> str:
    """What may be shown to people: no script, style, form or frame, no remote picture that tells who reads it."""
    if _nests_too_deep(html[:MOST]):
        return escape(clean(_ANY_TAG.sub(" ", html[:MOST])))
    return clean(
        nh3.clean(
            html[:MOST],
            tags=_TAGS,
            clean_content_tags={"script", "style", "title", "template", "svg", "math"},
            attribute_filter=_local,
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer nofollow",
        )
    )


def _nests_too_deep(html: str) -> bool:
    """Whether elements stand in one another to a depth that no writer means and that costs its square to read."""
    if html.count("<") <= MAX_DEPTH:
        return False
    depth = deepest = 0
    for found in _TAG.finditer(html):
        if found[2].lower() not in _NEVER_CLOSED:
            depth = max(depth - 1, 0) if found[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def _local(tag: str, attribute: str, value: str) -> str | None:
    return None if tag == "img" and attribute == "src" and not value.startswith("cid:") else value


def to_text(harmless: str) -> str:
    """Plain text of sanitised HTML: paragraphs, list marks, addresses of links, quotes behind `>`."""
    reader = _Reader()
    reader.feed(harmless)
    reader.close()
    return reader.told()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._verbatim = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._end_line()
        values = dict(attrs)
        match tag:
            case "br":
                self._end_line(keep_empty=True)
            case "p" | "h1" | "h2" | "h3" | "table":
                self._lines.append(self._quote(""))
            case "li":
                self._line.append("- ")
            case "td" | "th" if self._line:
                self._line.append(" ")
            case "blockquote":
                self._depth += 1
            case "pre":
                self._verbatim += 1
            case "img" if values.get("alt"):
                self._line.append(f"[{values['alt']}]")
            case "a":
                self._links.append((values.get("href") or "", len(self._line)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            href, start = self._links.pop()
            shown = "".join(self._line[start:]).strip()
            if href.startswith(("http", "mailto", "tel")) and shown and shown not in href and len(href) <= 500:
                self._line.append(f" <{href}>")
        if tag in _BLOCKS:
            self._end_line()
        if tag == "blockquote":
            self._depth = max(self._depth - 1, 0)
        if tag == "pre":
            self._verbatim = max(self._verbatim - 1, 0)

    def handle_data(self, data: str) -> None:
        if self._verbatim:
            first, *others = data.split("\n")
            self._line.append(first)
            for other in others:
                self._end_line(keep_empty=True)
                self._line.append(other)
        else:
            self._line.append(_GAPS.sub(" ", data.replace("\n", " ")))

    def _quote(self, line: str) -> str:
        return f"{'>' * min(self._depth, 5)} {line}".rstrip() if self._depth else line

    def _end_line(self, *, keep_empty: bool = False) -> None:
        joined = "".join(self._line)
        line = joined.rstrip() if self._verbatim else _GAPS.sub(" ", joined).strip()
        self._line, self._links = [], [(href, 0) for href, _ in self._links]
        if line or keep_empty:
            self._lines.append(self._quote(line))

    def told(self) -> str:
        self._end_line()
        return _LINES.sub("\n\n", "\n".join(self._lines)).strip("\n")
