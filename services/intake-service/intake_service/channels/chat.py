"""Live chat on the wire: the frames of its sockets, and who a site says its visitor is. Pure."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from intake_service.channels.kind import Kind
from intake_service.domain.chat import NewChatMessage, Visitor
from intake_service.domain.record import Part
from shared.contracts.vocabulary import Channel

#: The site's secret, by which it signs who its visitors are.
SITE_SECRET = "site"  # noqa: S105 (the name of a secret)
KIND = Kind("chat", Channel.CHAT, optional_secrets=frozenset({SITE_SECRET}))

#: Seconds for which a signed identity is good: long enough to open a chat.
IDENTITY_SECONDS = 300
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class BadIdentity(ValueError):
    """The signed identity is not good; the text says why."""


class SignedVisitor(Visitor):
    """What a site signs. `at` is when, in seconds since 1970."""

    at: Annotated[int, Field(ge=0, le=2**40)]


def sign_identity(stated: str, secret: str) -> str:
    """What the site's server makes of the JSON of a `SignedVisitor`."""
    told = _encode(stated.encode())
    return f"{told}.{_encode(_mac(told, secret))}"


def read_identity(signed: str, secret: str, now: datetime) -> Visitor:
    """Raises `BadIdentity` for what the secret did not sign, or not in the last five minutes."""
    told, _, mac = signed.partition(".")
    try:
        given, stated = _decode(mac), _decode(told)
    except (ValueError, binascii.Error) as error:
        raise BadIdentity("It is not Base64url.") from error
    if not hmac.compare_digest(given, _mac(told, secret)):
        raise BadIdentity("The signature is not of this channel's secret.")
    try:
        visitor = SignedVisitor.model_validate_json(stated)
    except ValidationError as error:
        raise BadIdentity(f"What was signed is no visitor: {_why(error)}.") from error
    if abs(now.timestamp() - visitor.at) > IDENTITY_SECONDS:
        raise BadIdentity(f"It was not signed within the last {IDENTITY_SECONDS} seconds.")
    return Visitor(**visitor.model_dump(exclude={"at"}))


def _mac(told: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), told.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    bare = text.rstrip("=")
    return base64.b64decode(bare.encode("ascii") + b"=" * (-len(bare) % 4), b"-_", validate=True)


class Hello(Part):
    """The first frame. `token` is a visitor's, `bearer` an agent's."""

    type: Literal["hello"]
    token: Annotated[str, Field(max_length=200)] | None = None
    bearer: Annotated[str, Field(max_length=8_000)] | None = None


class Say(NewChatMessage):
    type: Literal["message"]


class Typing(Part):
    type: Literal["typing"]


class Ping(Part):
    type: Literal["ping"]


Frame = Hello | Say | Typing | Ping
_FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


class BadFrame(ValueError):
    """A frame that is none of ours. `message_id` is of the message that it would have been, where that can be told."""

    def __init__(self, why: str, message_id: str | None = None) -> None:
        super().__init__(why)
        self.message_id = message_id


def read_frame(data: str | bytes) -> Frame:
    """Raises `BadFrame` for everything else, whatever it is."""
    try:
        return _FRAME.validate_json(data)
    except ValidationError as error:
        raise BadFrame(_why(error), _message_id(data)) from error


def _message_id(data: str | bytes) -> str | None:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return None
    told = read.get("message_id") if isinstance(read, dict) else None
    return told if isinstance(told, str) and _CLIENT_ID.fullmatch(told) else None


def _why(error: ValidationError) -> str:
    """The first fault, without what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
