"""Mails for tests, written byte by byte: nothing here is a mail of anybody."""

import quopri
from base64 import b64encode

FROM = "From: Zhang San <zhang@example.com>"
DATE = "Date: Fri, 10 May 2024 10:20:00 +0800"


def lines(*parts: str | bytes) -> bytes:
    """Header lines, an empty line, the body: each `str` as UTF-8."""
    return b"\r\n".join(part if isinstance(part, bytes) else part.encode() for part in parts)


def mail(
    body: str | bytes = "The order cannot be found.",
    *fields: str | bytes,
    message_id: str | None = "m-1@mail.example",
    sender: str | bytes | None = FROM,
    date: str | bytes | None = DATE,
    subject: str | bytes | None = "Subject: An order",
    to: str | bytes = "To: help@shop.example",
) -> bytes:
    """An ordinary mail with `fields` added; a field that is None is left out."""
    head = [each for each in (sender, to, date, subject) if each is not None]
    if message_id is not None:
        head.append(f"Message-ID: <{message_id}>")
    return lines(*head, *fields, "", body)


def part(body: str | bytes, *fields: str | bytes) -> bytes:
    return lines(*fields, "", body)


def multipart(kind: str, *parts: bytes, boundary: str = "=_b1", more: str = "") -> tuple[str, bytes]:
    """The Content-Type field and the body."""
    told = b"".join(b"--" + boundary.encode() + b"\r\n" + each + b"\r\n" for each in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"{more}', told + b"--" + boundary.encode() + b"--\r\n"


def of_parts(kind: str, *parts: bytes, more: str = "") -> bytes:
    field, body = multipart(kind, *parts, more=more)
    return mail(body, field)


def text(words: str, charset: str = "utf-8", label: str | None = None) -> bytes:
    return part(words.encode(charset), f"Content-Type: text/plain; charset={label or charset}")


def html(words: str) -> bytes:
    return part(words, "Content-Type: text/html; charset=utf-8")


def file(content: bytes, *fields: str | bytes) -> bytes:
    return part(b64encode(content), "Content-Transfer-Encoding: base64", *fields)


def printable(words: str, charset: str = "utf-8") -> bytes:
    return quopri.encodestring(words.encode(charset))


def nested(levels: int, innermost: bytes) -> bytes:
    """Multiparts in multiparts, the innermost part at their bottom."""
    inside = innermost
    for level in range(levels):
        field, body = multipart("mixed", inside, boundary=f"level-{level}")
        inside = part(body, field)
    return lines(FROM, DATE, "Message-ID: <m-1@mail.example>", "Subject: Deep", "")[:-2] + b"\r\n" + inside


def bounce(about: str, *, status: str = "5.1.1", sender: str = "From: MAILER-DAEMON@mx.example") -> bytes:
    """A delivery status notification (RFC 3464) of a mail with the id `about`."""
    report = part(
        f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; zhang@example.com\r\nAction: failed\r\n"
        f"Status: {status}\r\n",
        "Content-Type: message/delivery-status",
    )
    returned = part(f"Message-ID: <{about}>\r\nSubject: Your complaint\r\n\r\n", "Content-Type: text/rfc822-headers")
    field, body = multipart(
        "report", text("Nobody lives here."), report, returned, more="; report-type=delivery-status"
    )
    return mail(body, field, "Return-Path: <>", sender=sender, message_id="bounce-1@mx.example")


def auto_reply(answers: str, message_id: str = "away-1@mail.example") -> bytes:
    return mail(
        "I am away until Monday.",
        "Auto-Submitted: auto-replied",
        f"In-Reply-To: <{answers}>",
        subject="Subject: Out of office",
        message_id=message_id,
    )
