"""Contacts: one normal form to compare and to send to, and a mask for everywhere else (A6)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

_CN_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})", re.ASCII)
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+(?:com|cn|net|org|edu|gov)", re.ASCII
)
_SEPARATORS = str.maketrans("", "", " -()\u00a0\u3000")
HIDDEN = "****"


class NotAContact(ValueError):
    """The text is no phone number or no mail address; the message says why."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Ways to reach a person, normalised: E.164 phones, lower-case mail addresses."""

    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    wecom: str | None = None

    def __bool__(self) -> bool:
        return bool(self.phones or self.emails or self.wecom)


def normal_phone(text: str, region: str = "CN") -> str:
    """E.164, such as `+8613812341234`; a number without a country code is one of `region`. Raises `NotAContact`."""
    plain = text.translate(_SEPARATORS)
    if (plain[:1] == "+" or region == "CN") and (mobile := _CN_MOBILE.fullmatch(plain)):
        return f"+86{mobile[1]}"
    return _parsed_phone(text, region)


@lru_cache(maxsize=4096)
def _parsed_phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise NotAContact("this is not a phone number") from error
    if not phonenumbers.is_valid_number(number):
        raise NotAContact(f"this is not a valid phone number (numbers without a country code are read as {region})")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def normal_email(text: str) -> str:
    """The address in lower case, its domain in Unicode. Syntax is checked, DNS is not asked. Raises `NotAContact`."""
    lowered = text.strip().lower()
    if len(lowered) <= 64 and _PLAIN_EMAIL.fullmatch(lowered):
        return lowered
    return _parsed_email(lowered)


@lru_cache(maxsize=4096)
def _parsed_email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise NotAContact(f"this is not a mail address: {error}") from error


def mask_phone(phone: str) -> str:
    """`+8613812341234` → `138****1234`; other countries keep their code in front: `+1 415****234`."""
    code, national = _split(phone)
    shown = max(len(national) - len(HIDDEN), 0)
    tail = min(4, (shown + 1) // 2)
    head = min(3, shown - tail)
    masked = national[:head] + HIDDEN + (national[-tail:] if tail else "")
    return masked if code == "86" else f"+{code} {masked}"


def _split(phone: str) -> tuple[str, str]:
    if phone.startswith("+86"):
        return "86", phone[3:]
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return "86", phone
    return str(number.country_code), phonenumbers.national_significant_number(number)


def mask_email(email: str) -> str:
    """`zhang@example.com` → `z***@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def mask_name(name: str) -> str:
    """`张三丰` → `张*`, `Zhang San` → `Z*`."""
    return f"{name[0]}*" if name else ""


def mask_identifier(text: str) -> str:
    """The first character of an outside id, such as a WeCom user id."""
    return f"{text[:1]}***"


def display(name: str, contacts: Contacts) -> str:
    """How other services may call the complainant: the first contact there is, masked; else the name; else `*`."""
    if contacts.phones:
        return mask_phone(contacts.phones[0])
    if contacts.emails:
        return mask_email(contacts.emails[0])
    return mask_name(name) or "*"


def masked(contacts: Contacts) -> Contacts:
    return Contacts(
        phones=tuple(map(mask_phone, contacts.phones)),
        emails=tuple(map(mask_email, contacts.emails)),
        wecom=mask_identifier(contacts.wecom) if contacts.wecom else None,
    )


def joined(first: Sequence[str], then: Sequence[str], limit: int) -> tuple[str, ...]:
    """Both lists without doubles, in order, at most `limit`."""
    return tuple(dict.fromkeys((*first, *then)))[:limit]
