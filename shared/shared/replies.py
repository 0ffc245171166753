"""Addresses and message ids of mails to complainants that tell, signed, which complaint they are about (A8).

A token is the complaint's id and 80 bits of its HMAC-SHA-256, by a context of its own for each use, in letters and
digits that survive mail systems which change case. Nothing of it is stored; a new secret ends all of them.
"""

import hmac
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

_TOKEN = re.compile(r"([cbm])\.([a-z2-7]{42})")
_TAG = re.compile(r"\+([cb]\.[a-z2-7]{42})@", re.IGNORECASE)
_SIGNED_ID = re.compile(r"[0-9a-f-]{36}\.(m\.[a-z2-7]{42})@", re.IGNORECASE)
_MAC_BYTES = 10
#: What is left of the 64 characters of an address's local part (RFC 5321) beside the token.
MAX_LOCAL = 64 - len("+c.") - 42


class Use(StrEnum):
    """Where a token stands: `reply` was given to the complainant alone, `bounce` to the mail servers on the way, `mail`
    is in the message id, which everybody sees to whom the mail is forwarded."""

    REPLY = "c"
    BOUNCE = "b"
    MAIL = "m"


@dataclass(frozen=True, slots=True)
class Replies:
    secret: bytes = field(repr=False)

    def address(self, use: Use, mailbox: str, complaint_id: UUID) -> str:
        """`help@shop.example` → `help+c.<token>@shop.example`."""
        local, _, domain = mailbox.rpartition("@")
        return f"{local}+{self._token(use, complaint_id)}@{domain}"

    def message_id(self, message_id: UUID, complaint_id: UUID, domain: str) -> str:
        """Without angle brackets."""
        return f"{message_id}.{self._token(Use.MAIL, complaint_id)}@{domain}"

    def read(self, token: str) -> tuple[Use, UUID] | None:
        """What the token says; None where we did not sign it."""
        found = _TOKEN.fullmatch(token.lower())
        if found is None:
            return None
        signed = b32decode(found[2].upper() + "=" * 6)
        use, complaint_id = Use(found[1]), UUID(bytes=signed[:16])
        return (use, complaint_id) if hmac.compare_digest(signed[16:], self._mac(use, complaint_id)) else None

    def _token(self, use: Use, complaint_id: UUID) -> str:
        signed = complaint_id.bytes + self._mac(use, complaint_id)
        return f"{use}.{b32encode(signed).decode().rstrip('=').lower()}"

    def _mac(self, use: Use, complaint_id: UUID) -> bytes:
        return hmac.digest(self.secret, b"mail\x1f%s\x1f%s" % (use.encode(), complaint_id.bytes), "sha256")[:_MAC_BYTES]


def token_of_address(address: str) -> str | None:
    """The token that stands in an address, whoever signed it."""
    found = _TAG.search(address)
    return found[1].lower() if found else None


def token_of_message_id(message_id: str) -> str | None:
    found = _SIGNED_ID.match(message_id)
    return found[1].lower() if found else None


def without_token(address: str) -> str:
    """The mailbox of an address that carries a token; any other address as it is."""
    return _TAG.sub("@", address)
