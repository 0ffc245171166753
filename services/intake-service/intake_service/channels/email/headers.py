"""Header fields of mails as they are, not as RFC 5322 wants them. Never raises; work grows with the field's length."""

import binascii
import re
from base64 import b64decode
from binascii import a2b_qp
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from operator import itemgetter
from urllib.parse import unquote_to_bytes

from intake_service.channels.email.charsets import clean, clean_line, decode

MOST = 20_000
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_ADDRESS = re.compile(r"[^\s<>(),;:\"\[\]]{1,128}@[^\s<>(),;:\"\[\]]{1,128}")
_ID = re.compile(r"<([^<>\s]{1,900})>")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_CONTINUED = re.compile(r"([^*]+)\*(\d{1,3})?(\*)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    address: str


def unfolded(value: str) -> str:
    """A field's value as text of one line: bytes beyond ASCII (surrogates, as the parser gives them) are decoded."""
    line = value[:MOST].replace("\r", "").replace("\n", "")
    if line.isascii():
        return line
    data = line.encode("utf-8", "surrogateescape")
    return decode(data)


def words(value: str) -> str:
    """RFC 2047 undone, also where words are broken in the middle of a character, unseparated or quoted. Adjacent words
    of one charset and encoding are one run of bytes."""
    text = unfolded(value)
    if "=?" not in text:
        return text
    told: list[str] = []
    charset, run, end = "", b"", 0
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        data = _word_bytes(found[2], found[3])
        label = found[1].partition("*")[0].lower()
        if run and label == charset and not between.strip():
            run += data
        else:
            told.append(decode(run, charset))
            if between.strip() or end == 0:
                told.append(between)
            charset, run = label, data
        end = found.end()
    told.extend((decode(run, charset), text[end:]))
    return "".join(told)


def _word_bytes(encoding: str, text: str) -> bytes:
    plain = text.encode("ascii", "ignore")
    if encoding in "qQ":
        return a2b_qp(plain.replace(b" ", b"_"), header=True)
    return base64_bytes(plain)


def base64_bytes(plain: bytes) -> bytes:
    """What can be read of Base64 with lost padding or foreign characters."""
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"", plain)
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        return b64decode(plain + b"=" * (-len(plain) % 4))
    except binascii.Error:
        return b""


def line(value: str, limit: int) -> str:
    return clean_line(words(value), limit)


def addresses(value: str, limit: int = 50) -> tuple[Address, ...]:
    """The mailboxes of an address list, the first `limit`; what is no address is left out. Decoded after it is taken
    apart, so an encoded comma or angle bracket makes no address."""
    text = unfolded(value)
    try:
        pairs = getaddresses([text])
    except Exception:  # the library's address parser fails in many ways on what is no address
        pairs = []
    found = [(name, spec) for name, spec in pairs if _ADDRESS.fullmatch(spec)]
    if not found:
        found = [("", match[0]) for match in _ADDRESS.finditer(text)]
    return tuple(Address(line(name, 200), clean_line(spec, 255)) for name, spec in found[:limit])


def ids(value: str, limit: int = 100) -> tuple[str, ...]:
    """Message ids without their angle brackets, each once, in order: the first and the last ones of many."""
    text = clean(unfolded(value))
    found = list(dict.fromkeys(_ID.findall(text))) or [word for word in text.split() if "@" in word and len(word) < 900]
    return tuple(found if len(found) <= limit else [*found[: limit // 2], *found[-limit // 2 :]])


def date(value: str) -> datetime | None:
    """In UTC; None where it can't be read or is not of our time (1970 to 2199)."""
    try:
        found = parsedate_to_datetime(" ".join(unfolded(value)[:200].split()))
        instant = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
    return instant if 1970 <= instant.year < 2200 else None


def parameters(value: str) -> dict[str, str]:
    """Of a Content-Type or Content-Disposition, names in lower case: RFC 2231 (continued, with charset) and what is
    written instead of it: RFC 2047 in quotes, bare bytes."""
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, content in _split(unfolded(value)):
        if parsed := _CONTINUED.fullmatch(name):
            piece = (int(parsed[2] or 0), bool(parsed[3] or not parsed[2]), content)
            pieces.setdefault(parsed[1], []).append(piece)
        else:
            plain.setdefault(name, words(content))
    return plain | {name: _joined(found) for name, found in pieces.items()}


def _split(text: str) -> Iterator[tuple[str, str]]:
    for found in _PARAMETER.finditer(text):
        content = found[2].strip()
        if len(content) > 1 and content[0] == content[-1] == '"':
            content = _ESCAPE.sub(r"\1", content[1:-1])
        yield found[1].lower(), content


def _joined(found: Sequence[tuple[int, bool, str]]) -> str:
    if not any(encoded for _, encoded, _ in found):
        return words("".join(content for _, _, content in sorted(found, key=itemgetter(0))))
    charset, data = None, b""
    for number, encoded, content in sorted(found, key=itemgetter(0)):
        if encoded and number == 0 and content.count("'") >= 2:
            charset, _, content = content.split("'", 2)
        data += unquote_to_bytes(content) if encoded else content.encode("utf-8", "surrogateescape")
    return decode(data, charset)
