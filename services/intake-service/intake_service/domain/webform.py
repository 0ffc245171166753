"""The public web form (A1, A2): the fields of each kind's template, from what was typed to the record, and the links
that its visitors get. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field as Limited
from pydantic import TypeAdapter, ValidationError

from intake_service.domain.contacts import NotAContact, normal_email, normal_phone
from intake_service.domain.record import (
    Attachment,
    Email,
    NewComplaint,
    Phone,
    StatedChannel,
    StatedComplainant,
    StatedDemand,
)
from intake_service.domain.template import TEMPLATES
from intake_service.domain.text import Instant, Line, LongText, OptionalLine, Text
from shared.contracts.vocabulary import CaseState, Channel, Kind, Language, Priority
from shared.ids import derived_id

#: The accounts of the channel `web_form` that complaints of the public form come in by. The second one is its junk
#: folder: whatever filled the field that people don't see.
ACCOUNT = "form"
SUSPECTED_SPAM = "form-suspected-spam"
#: The field that people don't see.
TRAP = "website"
#: Only what has a service to be interrupted has an urgency of its own (A7).
WITH_PRIORITY = (Kind.COMPLAINT, Kind.AFTER_SALES)

_MAC_BYTES = 16


class Fault(StrEnum):
    """What can be wrong with a field."""

    REQUIRED = "required"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    CONTACT = "contact"
    CONTACT_REQUIRED = "contact_required"
    MOMENT = "moment"
    FUTURE = "future"
    TOO_MANY_FILES = "too_many_files"
    FILE_TOO_LARGE = "file_too_large"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form. The template asks for it by `pointer`; `limit` counts characters."""

    name: str
    pointer: str
    control: Literal["line", "text", "moment"]
    limit: int
    autocomplete: str = "off"


SYMPTOM = Field("symptom", "/symptom", "text", 10_000)
_FIELDS = {
    field.pointer: field
    for field in (
        Field("name", "/complainant/name", "line", 200, "name"),
        Field("contact", "/complainant/phones", "line", 254, "tel"),
        Field("organisation", "/complainant/account_id", "line", 200, "organization"),
        Field("happened_at", "/happened_at", "moment", 40),
        Field("scene", "/scene", "text", 4_000),
        Field("impact", "/impact", "text", 4_000),
        Field("demands", "/demands", "text", 2_000),
        Field("product", "/product", "line", 200),
    )
}


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """What was seen, then what the template of the kind wants, in its order, without the files."""
    return (SYMPTOM, *(_FIELDS[wanted.pointer] for wanted in TEMPLATES[kind] if wanted.pointer in _FIELDS))


@dataclass(frozen=True, slots=True)
class House:
    """How the house reads what was typed: times without an offset in `zone`, phones without a country in `region`."""

    zone: ZoneInfo
    region: str
    now: datetime
    skew: timedelta


class Incomplete(ValueError):
    """The form can't be taken as it is; `faults` names each field that is wrong."""

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        super().__init__(", ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)


def record_of(
    kind: Kind,
    typed: Mapping[str, str],
    form_id: UUID,
    language: Language,
    house: House,
    files: Sequence[Attachment] = (),
) -> NewComplaint:
    """The record that the form tells. Raises `Incomplete` with all that is wrong.

    The message id follows from the form, what was typed in it and the content of its files: the same form sent twice is
    one complaint (A8), and what somebody changes after sending is not lost.
    """
    values: dict[str, Any] = {}
    faults: dict[str, Fault] = {}
    for field in fields_of(kind):
        try:
            values[field.name] = _read(field, plain(typed.get(field.name, "")), house)
        except _Wrong as wrong:
            faults[field.name] = wrong.fault
    if values.get("contact", "") is None and not typed.get("anonymous"):
        faults["contact"] = Fault.CONTACT_REQUIRED
    if faults:
        raise Incomplete(faults)
    said = {**typed, "files": " ".join(sorted(str(file.sha256) for file in files))} if files else typed
    suspected = bool(typed.get(TRAP, "").strip())
    return NewComplaint(
        channel=StatedChannel(
            channel=Channel.WEB_FORM,
            account=SUSPECTED_SPAM if suspected else ACCOUNT,
            message_id=str(derived_id("web-form", form_id, *(f"{name}={said[name]}" for name in sorted(said)))),
        ),
        complainant=_complainant(values, language),
        kind=kind,
        priority=Priority.GENERAL if suspected else _priority(kind, typed.get("priority", "")),
        symptom=values["symptom"],
        happened_at=values.get("happened_at"),
        scene=values.get("scene") or "",
        impact=values.get("impact") or "",
        demands=(StatedDemand(text=values["demands"]),) if values.get("demands") else (),
        product=values.get("product"),
        attachments=tuple(files),
    )


def plain(text: str) -> str:
    """Browsers send every line end as two characters and count it as one."""
    return text.replace("\r\n", "\n").strip()


def _complainant(values: Mapping[str, Any], language: Language) -> StatedComplainant:
    """Nobody has checked who fills in the form, so one contact at most tells who it is, and no account does: a stranger
    can't add a contact of their own to somebody else."""
    contact = values.get("contact")
    return StatedComplainant(
        name=values.get("name") or "",
        phones=(contact,) if contact and "@" not in contact else (),
        emails=(contact,) if contact and "@" in contact else (),
        organisation=values.get("organisation"),
        language=language,
    )


def _priority(kind: Kind, stated: str) -> Priority:
    return Priority(stated) if kind in WITH_PRIORITY and stated in set(Priority) else Priority.GENERAL


class _Wrong(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


_TYPES: Mapping[str, TypeAdapter[Any]] = {
    "symptom": TypeAdapter(LongText),
    "name": TypeAdapter(OptionalLine),
    "phone": TypeAdapter(Phone),
    "email": TypeAdapter(Email),
    "organisation": TypeAdapter(Line),
    "happened_at": TypeAdapter(Instant),
    "scene": TypeAdapter(Text),
    "impact": TypeAdapter(Text),
    "demands": TypeAdapter(Annotated[LongText, Limited(max_length=2_000)]),
    "product": TypeAdapter(Line),
}
_FAULTS = {"string_too_long": Fault.TOO_LONG, "string_pattern_mismatch": Fault.CHARACTERS}


def _read(field: Field, text: str, house: House) -> Any:
    """The value of a field, None for an empty one. Raises `_Wrong`."""
    if not text:
        if field is SYMPTOM:
            raise _Wrong(Fault.REQUIRED)
        return None
    if field.name == "contact":
        return _contact(text, house.region)
    if field.control == "moment":
        return _moment(text, house)
    try:
        return _TYPES[field.name].validate_python(text)
    except ValidationError as error:
        raise _Wrong(_FAULTS.get(error.errors()[0]["type"], Fault.CHARACTERS)) from error


def _contact(text: str, region: str) -> str:
    try:
        if "@" in text:
            normal_email(_TYPES["email"].validate_python(text))
        else:
            normal_phone(_TYPES["phone"].validate_python(text), region)
    except (ValidationError, NotAContact) as error:
        raise _Wrong(Fault.CONTACT) from error
    return text


def _moment(text: str, house: House) -> datetime:
    if ":" not in text:
        raise _Wrong(Fault.MOMENT)
    try:
        read = datetime.fromisoformat(text)
        local = read if read.tzinfo else read.replace(tzinfo=house.zone)
        moment: datetime = _TYPES["happened_at"].validate_python(local)
    except ValueError as error:
        raise _Wrong(Fault.MOMENT) from error
    if moment > house.now + house.skew:
        raise _Wrong(Fault.FUTURE)
    return moment


@dataclass(frozen=True, slots=True)
class Progress:
    """What a status link shows: nothing personal. `missing` are pointers of what the template wanted and the record
    lacked."""

    number: str
    received_at: datetime
    state: CaseState
    moved_at: datetime | None
    missing: tuple[str, ...]


def token_of(complaint_id: UUID, secret: str) -> str:
    """The secret part of a status link: the complaint's id and its HMAC-SHA-256 (128 bits). Nothing of it is stored."""
    return base64.urlsafe_b64encode(complaint_id.bytes + _mac(complaint_id, secret)).rstrip(b"=").decode()


def complaint_of_token(token: str, secret: str) -> UUID | None:
    """None for anything that `token_of` did not make."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        complaint_id = UUID(bytes=raw[:16])
    except (ValueError, binascii.Error):
        return None
    return complaint_id if hmac.compare_digest(raw[16:], _mac(complaint_id, secret)) else None


def _mac(complaint_id: UUID, secret: str) -> bytes:
    return hmac.new(secret.encode(), complaint_id.bytes, hashlib.sha256).digest()[:_MAC_BYTES]
