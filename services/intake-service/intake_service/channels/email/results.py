"""What mail servers on the way said of a mail: Authentication-Results, ARC, Received-SPF. Recorded, not judged: anybody
can write these fields, so only those that one's own server adds mean something."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from intake_service.channels.email import headers
from intake_service.channels.email.parts import raw_fields

MOST = 20
_COMMENT = re.compile(r"\([^()]{0,500}\)")
_RESULT = re.compile(r"\s*([a-z][a-z0-9-]{0,30})(?:/\d+)?\s*=\s*([a-z]{1,20})", re.IGNORECASE)
_INSTANCE = re.compile(r"\s*i=\d{1,3}\s*;")


@dataclass(frozen=True, slots=True)
class Checked:
    """`field` says where it stood; `server` made the check; `method` is `dkim`, `spf`, `dmarc`, `arc` and so on."""

    field: str
    server: str
    method: str
    result: str


def results(message: Message) -> tuple[Checked, ...]:
    """The first twenty, the nearest server's first."""
    return tuple(found for found, _ in zip(_all(message), range(MOST), strict=False))


def _all(message: Message) -> Iterator[Checked]:
    for field in ("Authentication-Results", "ARC-Authentication-Results"):
        for value in raw_fields(message, field):
            told = _INSTANCE.sub("", _COMMENT.sub("", headers.unfolded(value)))
            server, *checks = told.split(";")
            for check in checks:
                if matched := _RESULT.match(check):
                    name = headers.line(server, 200).partition(" ")[0]
                    yield Checked(field, name, matched[1].lower(), matched[2].lower())
    for value in raw_fields(message, "Received-SPF"):
        yield Checked("Received-SPF", "", "spf", headers.line(value, 40).partition(" ")[0].lower())
    for value in raw_fields(message, "ARC-Seal"):
        if cv := headers.parameters(f"; {value}").get("cv"):
            yield Checked("ARC-Seal", "", "arc", headers.line(cv, 20).lower())
