"""Whether a message in quarantine is a person's, for their erasure (A6). Best effort: what nobody could read, nobody
can search for certain."""

from collections.abc import Collection

import phonenumbers
from pydantic import ValidationError

from intake_service.domain.message import IncomingMessage, identities_of
from intake_service.domain.person import Identity, IdentityKind

#: A shorter value would be found in what others wrote.
_SHORTEST = 6


def needles(identities: Collection[Identity]) -> tuple[str, ...]:
    """Values by which a person may be found in the bytes of a message: addresses and ids, and phone numbers without
    their country code."""
    found: list[str] = []
    for kind, value in sorted(identities):
        told = value.rpartition("\x1f")[2]
        if kind == IdentityKind.PHONE:
            told = str(phonenumbers.parse(value).national_number)
        if len(told) >= _SHORTEST:
            found.append(told)
    return tuple(dict.fromkeys(found))


def is_of(identities: Collection[Identity], body: bytes, envelope: bytes | None, region: str) -> bool:
    """By the sender where an envelope can be read; else by any of the `needles` in the bytes, whatever their case."""
    try:
        message = IncomingMessage.model_validate_json(envelope or body)
    except ValidationError:
        lower = body.lower()
        return any(needle.lower().encode() in lower for needle in needles(identities))
    return not identities_of(message, region).isdisjoint(identities)
