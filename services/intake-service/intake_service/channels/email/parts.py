"""The parts of a MIME tree: what to read, what is attached, what is only noted. Never raises."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageDefect
from email.generator import BytesGenerator
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from io import BytesIO
from typing import Any

from intake_service.channels.email import headers, html, text
from intake_service.channels.email.charsets import clean, clean_line, decode

MAX_DEPTH = 100
#: Characters of a field by which the library decides about the tree.
MAX_FIELD = 4_000
MAX_PARTS = 200
#: What reading the tree may cost: multiparts, lines times multiparts, lines that look like the start of a part.
MAX_LEVELS = 200
MAX_STEPS = 5_000_000
MAX_DELIMITERS = 10_000
MAX_TEXT = 400_000
_BOUNDARY = re.compile(rb"boundary\s*\*?=", re.IGNORECASE)
_NAMED = {
    "application/ms-tnef": "tnef",
    "application/vnd.ms-tnef": "tnef",
    "text/calendar": "calendar",
    "application/ics": "calendar",
    "application/pkcs7-mime": "smime",
    "application/x-pkcs7-mime": "smime",
    "application/pkcs7-signature": "smime_signature",
    "application/x-pkcs7-signature": "smime_signature",
    "application/pgp-encrypted": "pgp",
    "application/pgp-signature": "pgp_signature",
    "message/rfc822": "nested",
    "message/partial": "partial",
    "message/external-body": "external_body",
}
_BY_NAME = {"winmail.dat": "tnef"}


class _Tolerant(policy.EmailPolicy):
    """The library's modern policy without its header parsers: they take a millisecond for an ordinary mail, minutes for
    a hostile one, and break in many ways. Fields are text here, and `headers` reads the few that matter."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return headers.unfolded(str(value)[:MAX_FIELD])


_POLICY = _Tolerant(utf8=True, raise_on_defect=False)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file, a picture, a message: everything of a mail that is not its text. `content` is decoded, never unpacked."""

    filename: str
    media_type: str
    content: bytes = field(repr=False)
    content_id: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Found:
    """What a walk through the tree found, in its order. `notes` say what is there and what was cut."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    nested: list[Message] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    count: int = 0
    characters: int = 0


def tree(raw: bytes) -> Message:
    """The mail as the library reads it; its head alone where the rest was made to cost a reader hours."""
    if _is_cheap(raw):
        try:
            return BytesParser(EmailMessage, policy=_POLICY).parsebytes(raw)
        except Exception:  # the library says neither what it raises nor that it does not
            pass
    end = re.search(rb"\r?\n\r?\n", raw)
    head = BytesHeaderParser(EmailMessage, policy=_POLICY).parsebytes(raw[: end.end() if end else 64_000][:256_000])
    kept = EmailMessage(policy=_POLICY)
    for name, value in head.raw_items():
        if not name.lower().startswith("content-"):
            kept.set_raw(name, value)
    kept.defects.append(MessageDefect("too many parts"))
    return kept


def _is_cheap(raw: bytes) -> bool:
    """Every line is looked at once for each multipart that it stands in, and every part costs by itself."""
    levels = sum(1 for _ in zip(_BOUNDARY.finditer(raw), range(MAX_LEVELS + 1), strict=False))
    lines = raw.count(b"\n")
    return levels <= MAX_LEVELS and levels * lines <= MAX_STEPS and raw.count(b"\n--") <= MAX_DELIMITERS


def raw_field(message: Message, name: str) -> str | None:
    """The first field of the name as it stands in the mail."""
    return next(raw_fields(message, name), None)


def raw_fields(message: Message, name: str) -> Iterator[str]:
    lowered = name.lower()
    return (str(value) for key, value in message.raw_items() if key.lower() == lowered)


def media_type(part: Message) -> str:
    try:
        return part.get_content_type()
    except Exception:  # as above
        return "application/octet-stream"


def walk(message: Message) -> Found:
    found = Found()
    _visit(message, found, 0)
    if len(message.defects) > 0:
        found.notes.add("malformed")
    return found


def _visit(part: Message, found: Found, depth: int) -> None:
    found.count += 1
    if found.count > MAX_PARTS or depth > MAX_DEPTH:
        found.notes.add("cut")
        return
    kind = media_type(part)
    payload = part.get_payload()
    children = [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    if kind == "message/delivery-status" and children:
        found.reports.extend(children)
    elif kind in ("message/rfc822", "message/global") and children:
        found.notes.add("nested")
        found.nested.extend(children[:1])
        found.attached.append(Attached(_name(part) or "message.eml", "message/rfc822", _bytes_of(children[0])))
    elif kind == "multipart/alternative" and children:
        _choose(children, found, depth)
    elif children:
        for child in children:
            _visit(child, found, depth + 1)
    else:
        _leaf(part, kind, found)


def _choose(children: Sequence[Message], found: Found, depth: int) -> None:
    """Of alternatives the text of the first that has one, and the last HTML."""
    texts: list[str] = []
    htmls: list[str] = []
    for child in children:
        before = (len(found.texts), len(found.htmls))
        _visit(child, found, depth + 1)
        texts.append("\n".join(found.texts[before[0] :]))
        htmls.append("\n".join(found.htmls[before[1] :]))
        del found.texts[before[0] :], found.htmls[before[1] :]
    if chosen := next((each for each in texts if each.strip()), ""):
        found.texts.append(chosen)
    if shown := next((each for each in reversed(htmls) if each.strip()), ""):
        found.htmls.append(shown)


def _leaf(part: Message, kind: str, found: Found) -> None:
    data, name = _content(part), _name(part)
    if note := _NAMED.get(kind) or _BY_NAME.get(name.lower()):
        found.notes.add(note)
    inline = not name and not _is_attachment(part)
    if kind == "text/rfc822-headers":
        found.nested.append(BytesHeaderParser(EmailMessage, policy=_POLICY).parsebytes(data))
    elif inline and (kind in ("text/plain", "text/html") or kind.startswith("multipart/")):
        _read(part, kind, data, found)
    elif data or name:
        identifier = raw_field(part, "Content-ID")
        content_id = next(iter(headers.ids(identifier)), None) if identifier else None
        found.attached.append(Attached(name or _name_for(kind, len(found.attached)), kind, data, content_id))


def _read(part: Message, kind: str, data: bytes, found: Found) -> None:
    parameters = headers.parameters(raw_field(part, "Content-Type") or "")
    written = clean(decode(data, parameters.get("charset")))
    if found.characters + len(written) > MAX_TEXT:
        found.notes.add("cut")
        written = written[: max(MAX_TEXT - found.characters, 0)]
    found.characters += len(written)
    if kind == "text/html":
        harmless = html.sanitised(written)
        found.htmls.append(harmless)
        found.texts.append(html.to_text(harmless))
    elif parameters.get("format", "").lower() == "flowed":
        found.texts.append(text.unflowed(written, delsp=parameters.get("delsp", "").lower() == "yes"))
    else:
        found.texts.append(written)


def _content(part: Message) -> bytes:
    encoding = raw_field(part, "Content-Transfer-Encoding") or ""
    try:
        if "(" in encoding:  # a comment (RFC 2045), which the library takes for a part of the name
            part.replace_header("Content-Transfer-Encoding", encoding.partition("(")[0].strip())
        data = part.get_payload(decode=True)
    except Exception:  # as above
        data = None
    if isinstance(data, bytes):
        return data
    payload = part.get_payload()
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _bytes_of(message: Message) -> bytes:
    target = BytesIO()
    try:
        BytesGenerator(target, mangle_from_=False, policy=policy.compat32).flatten(message)
    except Exception:  # what cannot be written again is in the mail itself, which is kept
        return b""
    return target.getvalue()


def _is_attachment(part: Message) -> bool:
    value = raw_field(part, "Content-Disposition") or ""
    return headers.unfolded(value).strip().lower().startswith("attachment")


def _name(part: Message) -> str:
    """The file's name without folders and tricks; empty where it has none."""
    disposition, kind = raw_field(part, "Content-Disposition"), raw_field(part, "Content-Type")
    named = headers.parameters(disposition or "").get("filename") or headers.parameters(kind or "").get("name") or ""
    return clean_line(named.replace("\\", "/").rpartition("/")[2], 200).strip(". ")


def _name_for(kind: str, place: int) -> str:
    return f"part-{place + 1}.{'ics' if kind == 'text/calendar' else 'bin'}"


__all__ = ["Attached", "Found", "media_type", "raw_field", "raw_fields", "tree", "walk"]
