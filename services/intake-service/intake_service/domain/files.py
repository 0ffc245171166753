"""Names of files, what their answers say, and the links to them. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

MAX_NAME = 200
NAMELESS = "attachment"
#: What is told of a file is what its bytes say; but never that it is something that a browser would run.
PASSIVE = re.compile(
    r"image/(png|jpeg|gif|webp|bmp|tiff|heif|heic|x-ms-bmp)|audio/[a-z0-9.+-]+|video/[a-z0-9.+-]+"
    r"|application/(pdf|zip|msword|vnd\.[a-z0-9.+-]+)|text/plain"
)
_MAC_BYTES = 16
_EXTENDED = re.compile(r"filename\*\s*=\s*([A-Za-z0-9_-]+)'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r"""filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))""", re.IGNORECASE)


def safe_name(name: str) -> str:
    """The last part of a path, without control characters and marks that turn the direction of writing or show
    nothing, at most 200 characters with its extension; `attachment` where nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign)[0] != "C")
    plain = re.sub(r"\s+", " ", seen).strip(" .")
    if len(plain) > MAX_NAME:
        stem, dot, extension = plain.rpartition(".")
        kept = dot + extension if dot and len(extension) <= 20 else ""
        plain = (stem if kept else plain)[: MAX_NAME - len(kept)] + kept
    return plain or NAMELESS


def stated_name(disposition: str | None, query: str | None) -> str:
    """The safe name that a request states: `filename*` (RFC 8187) before `filename` before the query's."""
    header = disposition or ""
    if (found := _EXTENDED.search(header)) is not None:
        try:
            return safe_name(unquote_to_bytes(found[2]).decode(found[1], "replace"))
        except (LookupError, ValueError):
            pass
    if (found := _PLAIN.search(header)) is not None:
        said = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
        return safe_name(_as_utf8(said))
    return safe_name(query or "")


def _as_utf8(header: str) -> str:
    """Headers are read as ISO 8859-1; most who send more than ASCII mean UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def disposition(name: str) -> str:
    """`Content-Disposition` (RFC 6266): always to be saved, never to be shown in our own pages' place."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def served_type(media_type: str) -> str:
    return media_type if PASSIVE.fullmatch(media_type) else "application/octet-stream"


class NoSuchRange(ValueError):
    """The file has no such bytes."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(first, beyond) of a `Range` header (RFC 9110, 14.2); None for the whole: no header, one that cannot be read, or
    several ranges at once. Raises `NoSuchRange`."""
    found = re.fullmatch(r"bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)", (header or "").strip(), re.IGNORECASE | re.ASCII)
    if found is None or not (found[1] or found[2]) or max(len(found[1]), len(found[2])) > 18:
        return None
    if not found[1]:
        start, beyond = max(size - int(found[2]), 0), size
    else:
        start, beyond = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= beyond:
        raise NoSuchRange(f"it has {size} bytes")
    return start, beyond


class Purpose(StrEnum):
    """What a token is good for: to download a file, to have uploaded one with a form that came back, or to take part in
    a chat as its visitor."""

    LINK = "link"
    FORM = "form"
    CHAT = "chat"


def link_token(opens: UUID, expires_at: datetime, secret: str, purpose: Purpose = Purpose.LINK) -> str:
    """The secret part of a link: what it opens, until when (whole seconds), and the HMAC-SHA-256 of both (128 bits)."""
    told = opens.bytes + int(expires_at.timestamp()).to_bytes(5)
    return base64.urlsafe_b64encode(told + _mac(told, secret, purpose)).rstrip(b"=").decode()


def read_link(token: str, secret: str, purpose: Purpose = Purpose.LINK) -> tuple[UUID, datetime] | None:
    """None for anything that `link_token` did not make."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    told, mac = raw[:21], raw[21:]
    if not hmac.compare_digest(mac, _mac(told, secret, purpose)):
        return None
    return UUID(bytes=told[:16]), datetime.fromtimestamp(int.from_bytes(told[16:]), UTC)


def _mac(told: bytes, secret: str, purpose: Purpose) -> bytes:
    signed = f"attachment {purpose}\n".encode() + told
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()[:_MAC_BYTES]
