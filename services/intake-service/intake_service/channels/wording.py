"""What channels have in common: text of strangers made fit for the record, placeholders for what is no text, and which
messages of a conversation belong together."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MAX_TEXT = 100_000
MAX_IDENTIFIER = 255
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NOT_IN_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_SECONDS = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def clean_text(value: object, most: int = MAX_TEXT) -> str:
    """A text as the record takes it: line ends as one sign, no control characters, half characters marked as unreadable
    (U+FFFD), cut off after `most`; empty for what is neither text nor a number."""
    text = _string(value).replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_IN_TEXT.sub("", _SURROGATE.sub("\ufffd", text))[:most].strip()


def clean_line(value: object, most: int = 200) -> str:
    """The same on one line, without marks that turn the direction of what follows."""
    return _NOT_IN_LINE.sub(" ", _SURROGATE.sub("\ufffd", _string(value))).strip()[:most].strip()


def identifier(value: object) -> str | None:
    """An id as it stands; None where it is none that can be kept and found again."""
    if not isinstance(value, str) or _NOT_IN_LINE.search(value) or _SURROGATE.search(value):
        return None
    stripped = value.strip()
    return stripped if 0 < len(stripped) <= MAX_IDENTIFIER else None


def part(of: object, name: str) -> Mapping[str, Any]:
    """The object under `name`; an empty one where there is none."""
    found = of.get(name) if isinstance(of, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def instant(value: object, per_second: int = 1) -> datetime | None:
    """The instant of a Unix time in seconds or in parts of one; None for what is none of the years 1970 to 2199."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LATEST_SECONDS * per_second:
        return None
    return EARLIEST + timedelta(microseconds=value * 1_000_000 // per_second)


def placeholder(zh: str, en: str, *lines: str) -> str:
    """What stands for a message that is no text, in both languages, with the lines that it has beside."""
    return "\n".join((f"[{zh} {en}]", *filter(None, lines)))


def thread_of(conversation: str, at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """(its thread, the thread before it) of a message in a conversation that never ends.

    A thread is a day of the conversation. The message also answers the day before, so that talk over midnight and over
    several days stays together, and ends where a whole day was silent.
    """
    day = at.astimezone(zone).date()
    return _day(conversation, day), _day(conversation, day - timedelta(days=1))


def _day(conversation: str, day: date) -> str:
    if len(conversation) > MAX_IDENTIFIER - 11:
        conversation = hashlib.sha256(conversation.encode()).hexdigest()
    return f"{conversation}/{day.isoformat()}"


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if abs(value) < 1e18 else ""
