"""Standard Webhooks (github.com/standard-webhooks/standard-webhooks, specification 1.0): who shares a secret with us
signs the id, the time and the body of what they send.

    webhook-id: msg_2KWPBgLlAfxdpx2AI54pPJ85f4W
    webhook-timestamp: 1674087231
    webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from intake_service.channels.kind import ChannelFault
from intake_service.channels.signed import Forged, check_age
from intake_service.channels.wording import instant

SIGNING = "signing_secret"
#: What was signed with until the secret was changed; named while the other side still changes over.
PREVIOUS = "previous_secret"
SECRET_NAMES = frozenset({SIGNING})
OPTIONAL_SECRETS = frozenset({PREVIOUS})
PREFIX = "whsec_"
MIN_KEY = 16
_VERSION = "v1,"


@dataclass(frozen=True, slots=True)
class Signature:
    """The three headers, as they came."""

    id: str
    timestamp: str
    signatures: str

    def check(self, body: bytes, keys: Sequence[bytes], now: datetime, most: timedelta) -> None:
        """Raises `Forged` where none of the signatures is by one of the keys, `Stale` where it was signed more than
        `most` from now."""
        given = [each.removeprefix(_VERSION) for each in self.signatures.split() if each.startswith(_VERSION)]
        made = [signature(self.id, self.timestamp, body, key) for key in keys]
        if not any(hmac.compare_digest(one.encode(), other.encode()) for one in made for other in given):
            raise Forged
        check_age(instant(self.timestamp), now, most)


def signature(webhook_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    """Base64 of HMAC-SHA-256; headers are bytes, which HTTP servers hand on as Latin-1."""
    told = f"{webhook_id}.{timestamp}.".encode("latin-1", "replace") + body
    return b64encode(hmac.digest(key, told, hashlib.sha256)).decode()


def keys_of(secrets: Mapping[str, str]) -> list[bytes]:
    """The keys that a channel takes signatures by. Raises `ChannelFault`."""
    return [_key(name, secrets[name]) for name in (SIGNING, PREVIOUS) if name in secrets]


def _key(name: str, secret: str) -> bytes:
    """`whsec_` and Base64, as the specification has it, or any other text as it stands."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else secret.encode()
    except ValueError:
        raise ChannelFault(f"Secret {name!r}: after {PREFIX} there must be Base64.") from None
    if len(key) < MIN_KEY:
        raise ChannelFault(f"Secret {name!r} is shorter than {MIN_KEY} bytes; take 24 random ones or more.")
    return key
