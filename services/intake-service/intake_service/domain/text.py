"""Bounded values of the record. Every bound is stated in the JSON schema that clients see."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

# Control characters never; in a line also no line ends and no marks that turn the direction of what follows.
_NOT_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NOT_IN_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_TEXT = rf"^[^{_NOT_IN_TEXT}]*$"
_FILLED_TEXT = rf"^[^{_NOT_IN_TEXT}]*[^\s{_NOT_IN_TEXT}][^{_NOT_IN_TEXT}]*$"
_LINE = rf"^[^{_NOT_IN_LINE}]*$"
_FILLED_LINE = rf"^[^{_NOT_IN_LINE}]*[^\s{_NOT_IN_LINE}][^{_NOT_IN_LINE}]*$"

#: Free text of the record: up to 10,000 characters, at least one that is not white space.
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000, pattern=_FILLED_TEXT)
]
#: The same, but it may be empty.
FreeText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000, pattern=_TEXT)]
#: Free text that may be empty: up to 4,000 characters.
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000, pattern=_TEXT)]
#: One filled line: up to 200 characters.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_FILLED_LINE)]
#: A line that may be empty: up to 200 characters.
OptionalLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_LINE)]
#: An identifier of an outside system.
Identifier = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_FILLED_LINE)
]

#: An identifier that may be empty.
OptionalIdentifier = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=_LINE)]
#: A message's text as it came, up to 100,000 characters; it may be empty.
Wording = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100_000, pattern=_TEXT)]
#: A message's subject: up to 500 characters, which may be none.
Subject = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_LINE)]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def _of_our_time(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise ValueError("the instant must be in the years 1970 to 2199")
    return value.astimezone(UTC)


#: An instant with its offset (RFC 3339) in the years 1970 to 2199. A time without an offset is refused;
#: it is kept in UTC.
Instant = Annotated[
    AwareDatetime,
    Field(
        strict=True,
        description="RFC 3339 with an offset, in the years 1970 to 2199.",
        examples=["2024-05-10T10:20:00+08:00"],
    ),
    AfterValidator(_of_our_time),
]
