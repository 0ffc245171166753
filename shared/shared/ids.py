"""Identifiers. A new thing gets a UUIDv7 (time-ordered, so B-trees stay compact); a thing that follows from an event
gets an id derived from what it follows from, so that the event handled twice makes one thing."""

from uuid import UUID

import uuid_utils
import uuid_utils.compat

#: Root of all derived ids; never change it.
NAMESPACE = UUID("018f6f2e-3d4a-7c11-9a57-2f0c6d1b8e40")
_ROOT = uuid_utils.UUID(NAMESPACE.hex)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562)."""
    return uuid_utils.compat.uuid7()


def derived_id(*parts: object) -> UUID:
    """The same id for the same parts, for ever: ``derived_id("clock", complaint_id, "resolution", 1)``."""
    return UUID(int=uuid_utils.uuid5(_ROOT, "\x1f".join(map(str, parts))).int)
