"""Encrypted callbacks of WeCom 企业微信: signature, AES, and the XML around them.

By the developer documentation 加解密方案说明 (developer.work.weixin.qq.com/document/path/90968): `msg_signature` is the
SHA-1 of token, timestamp, nonce and cipher text, sorted and joined; the cipher text is Base64 of AES-256-CBC with
PKCS#7 padding to 32 bytes and the key's first 16 bytes as IV; the plain text is 16 random bytes, the message's length
(four bytes, big endian), the message, and the receiver's id.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, ParseError

from intake_service.channels.signed import Forged, check_age
from intake_service.channels.wording import instant

_BLOCK = 16
_PADDED_TO = 32
_HEAD = 20


class Malformed(ValueError):
    """It is not what the documentation describes."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the query string of a callback says."""

    signature: str
    timestamp: str
    nonce: str

    def check_age(self, now: datetime, most: timedelta) -> None:
        """Raises `Stale`."""
        check_age(instant(self.timestamp), now, most)


def aes_key(encoded: str) -> bytes:
    """The 32 bytes of an EncodingAESKey (43 characters of Base64). Raises `Malformed`."""
    try:
        key = b64decode(encoded + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("an EncodingAESKey is Base64") from error
    if len(encoded) != 43 or len(key) != 32:
        raise Malformed("an EncodingAESKey has 43 characters")
    return key


@dataclass(frozen=True, slots=True)
class Crypto:
    """What a channel shares with WeCom. `receiver` is the id of the company (CorpID) that messages are written for."""

    token: str = field(repr=False)
    key: bytes = field(repr=False)
    receiver: str

    def open(self, encrypted: str, signed: Signed) -> bytes:
        """The message inside, once its signature is found good. Raises `Forged`."""
        if not hmac.compare_digest(self._signature(encrypted, signed), signed.signature.encode("utf-8", "replace")):
            raise Forged
        return self._decrypt(encrypted)

    def _signature(self, encrypted: str, signed: Signed) -> bytes:
        joined = "".join(sorted((self.token, signed.timestamp, signed.nonce, encrypted)))
        return hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().encode()

    def _decrypt(self, encrypted: str) -> bytes:
        # Imported here: only a process that has such a channel pays for the library.
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        try:
            data = b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Forged from error
        if not data or len(data) % _BLOCK:
            raise Forged
        decryptor = Cipher(algorithms.AES256(self.key), modes.CBC(self.key[:_BLOCK])).decryptor()
        plain = _without_padding(decryptor.update(data) + decryptor.finalize())
        length = int.from_bytes(plain[_BLOCK:_HEAD])
        if len(plain) < _HEAD or plain[_HEAD + length :] != self.receiver.encode():
            raise Forged
        return plain[_HEAD : _HEAD + length]


def _without_padding(padded: bytes) -> bytes:
    count = padded[-1]
    if not 1 <= count <= _PADDED_TO or padded[-count:] != bytes([count]) * count:
        raise Forged
    return padded[:-count]


def encrypted_of(body: bytes) -> str:
    """The cipher text of a callback's body. Raises `Malformed`."""
    return _text(parsed(body), "Encrypt")


@dataclass(frozen=True, slots=True)
class Hint:
    """That there is something to pull: `token` makes the pull cheap for ten minutes, `account` is the service account
    that it came in by. Either may be missing in what other kinds of callbacks say."""

    event: str
    token: str | None
    account: str | None


def hint_of(message: bytes) -> Hint:
    """What a decrypted callback says. Raises `Malformed`."""
    root = parsed(message)
    return Hint(_text(root, "Event", ""), _text(root, "Token", "") or None, _text(root, "OpenKfId", "") or None)


def parsed(document: bytes) -> Element:
    """XML without a document type, so without entities of its own (XXE, billion laughs). Raises `Malformed`."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Malformed("no XML as WeCom sends it") from error
    return root


def _text(root: Element, name: str, otherwise: str | None = None) -> str:
    found = root.findtext(name, otherwise)
    if found is None:
        raise Malformed(f"there is no {name}")
    return found.strip()
