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
#: What tells whose signature, sender or greeting a check was of (RFC 8601), the surest first.
_DOMAINS = ("header.d", "header.i", "header.from", "smtp.mailfrom", "smtp.helo")
_PROPERTY = re.compile(r"\s([a-z]{1,20}\.[a-z-]{1,20})\s*=\s*\"?([^\s\";]{1,255})", re.IGNORECASE)
_ENVELOPE = re.compile(r"\benvelope-from\s*=\s*\"?<?([^\s\";>]{1,255})", re.IGNORECASE)
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Checked:
    """`field` says where it stood; `server` made the check; `method` is `dkim`, `spf`, `dmarc`, `arc` and so on;
    `domain` is whose signature or sending was checked, empty where that is not told."""

    field: str
    server: str
    method: str
    result: str
    domain: str = ""


def results(message: Message) -> tuple[Checked, ...]:
    """The first twenty, the nearest server's first."""
    return tuple(found for found, _ in zip(_all(message), range(MOST), strict=False))


def _all(message: Message) -> Iterator[Checked]:
    for field in ("Authentication-Results", "ARC-Authentication-Results"):
        for value in raw_fields(message, field):
            told = _INSTANCE.sub("", _COMMENT.sub("", headers.unfolded(value[:_LONGEST])))
            server, *checks = told.split(";")
            for check in checks:
                if matched := _RESULT.match(check):
                    name = headers.line(server, 200).partition(" ")[0]
                    yield Checked(field, name, matched[1].lower(), matched[2].lower(), _domain(check))
    for value in raw_fields(message, "Received-SPF"):
        sender = _ENVELOPE.search(value[:_LONGEST])
        told = headers.line(value, 40).partition(" ")[0].lower()
        yield Checked("Received-SPF", "", "spf", told, _domain_of(sender[1]) if sender else "")
    for value in raw_fields(message, "ARC-Seal"):
        tags = headers.parameters(f"; {value[:_LONGEST]}")
        if cv := tags.get("cv"):
            yield Checked("ARC-Seal", "", "arc", headers.line(cv, 20).lower(), _domain_of(tags.get("d", "")))


def _domain(check: str) -> str:
    told = {name.lower(): value for name, value in _PROPERTY.findall(check)}
    return next((_domain_of(told[name]) for name in _DOMAINS if name in told), "")


def _domain_of(value: str) -> str:
    return headers.line(value, 255).rpartition("@")[2].strip("<>").lower()[:200]
