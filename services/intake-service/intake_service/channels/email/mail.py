"""A mail, read (RFC 5322, MIME): pure, the same bytes give the same mail, nothing that comes by wire makes it raise."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message

from intake_service.channels.email import automatic as machines
from intake_service.channels.email import headers, parts, results, text
from intake_service.channels.email.automatic import Report
from intake_service.channels.email.headers import Address
from intake_service.channels.email.parts import Attached
from intake_service.channels.email.results import Checked
from intake_service.domain.message import Automatic

MAX_ID = 255


@dataclass(frozen=True, slots=True)
class Mail:
    """`text` is what was written, without the mail that it answers (`quoted`); `html` is sanitised. `notes` tell what
    is in it or was cut: `tnef`, `calendar`, `smime`, `nested`, `list`, `malformed`, `cut`, `no_message_id` and more."""

    message_id: str
    subject: str
    sender: Address | None
    recipients: tuple[Address, ...]
    sent_at: datetime | None
    in_reply_to: str | None
    references: tuple[str, ...]
    text: str = field(repr=False)
    quoted: str = field(repr=False)
    html: str = field(repr=False)
    attached: tuple[Attached, ...]
    automatic: Automatic | None
    report: Report
    checked: tuple[Checked, ...]
    notes: frozenset[str]


def read(raw: bytes, envelope_sender: str | None = None) -> Mail:
    """`envelope_sender` as SMTP gave it (empty: nobody); None where the mail came another way."""
    message = parts.tree(raw)
    found = parts.walk(message)
    notes = set(found.notes)
    subject = headers.line(parts.raw_field(message, "Subject") or "", 500)
    sender = _sender(message)
    own_id = next(iter(headers.ids(parts.raw_field(message, "Message-ID") or "")), None)
    if own_id is None:
        notes.add("no_message_id")
    if sender is None:
        notes.add("no_sender")
    if machines.is_list(message):
        notes.add("list")
    sent_at = headers.date(parts.raw_field(message, "Date") or "")
    if sent_at is None:
        notes.add("no_date")
    machine = machines.automatic(
        message, found, subject, sender.address if sender else "", _names_nobody(message, envelope_sender)
    )
    body = "\n\n".join(each.strip("\n") for each in found.texts if each.strip())
    told = machines.report(found) if machine is not None else Report()
    if machine is Automatic.BOUNCE and not told.about:
        told = Report(told.action, told.status, machines.returned_ids(found.texts))
    written, quoted = (body.strip(), "") if text.is_forward(subject) else text.without_quotes(body)
    answered = headers.ids(parts.raw_field(message, "In-Reply-To") or "")
    return Mail(
        message_id=short_id(own_id) if own_id else f"sha256-{hashlib.sha256(raw).hexdigest()}",
        subject=subject,
        sender=sender,
        recipients=_recipients(message),
        sent_at=sent_at,
        in_reply_to=answered[0] if answered else None,
        references=headers.ids(parts.raw_field(message, "References") or ""),
        text=written,
        quoted=quoted,
        html="\n".join(found.htmls),
        attached=tuple(found.attached),
        automatic=machine,
        report=told,
        checked=results.results(message),
        notes=frozenset(notes),
    )


def short_id(message_id: str) -> str:
    """As it is kept: ids that are too long are known by their SHA-256."""
    line = headers.line(message_id, MAX_ID + 1) if len(message_id) <= MAX_ID else ""
    if line == message_id:
        return line
    return f"sha256-{hashlib.sha256(message_id.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _sender(message: Message) -> Address | None:
    for name in ("From", "Sender"):
        if (value := parts.raw_field(message, name)) and (found := headers.addresses(value, 1)):
            return found[0]
    return None


def _recipients(message: Message) -> tuple[Address, ...]:
    return tuple(
        address
        for name in ("To", "Cc")
        for value in parts.raw_fields(message, name)
        for address in headers.addresses(value)
    )[:50]


def _names_nobody(message: Message, envelope_sender: str | None) -> bool:
    if envelope_sender is not None:
        return envelope_sender.strip("<> ") == ""
    path = parts.raw_field(message, "Return-Path")
    return path is not None and path.strip("<> \t") == ""
