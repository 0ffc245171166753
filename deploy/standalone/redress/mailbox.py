"""A real SMTP server for the standalone system. It delivers to files in one folder and to nobody else, so that a trial
with real addresses harms no one; the mails can be looked at (`redress.mailpages`)."""

import asyncio
import email
import email.policy
import os
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 10 * 1024 * 1024
SUFFIX = ".eml"


@dataclass(frozen=True)
class Mail:
    """One delivered mail; `id` is its file's name without the suffix."""

    id: str
    delivered_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str | None


class Mailbox:
    """The folder of delivered mails, newest last by name. Only its owner may read it: mails hold contacts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def deliver(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Write the mail to disk before it is accepted. The envelope is kept in two headers."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"
        envelope = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n".encode()
        unfinished = self.folder / f".{name}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(envelope + content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / f"{name}{SUFFIX}")
        return name

    def newest(self, limit: int = 200) -> list[Mail]:
        names = sorted((path.name for path in self.folder.glob(f"*{SUFFIX}")), reverse=True)
        return [mail for name in names[:limit] if (mail := self.read(name.removesuffix(SUFFIX))) is not None]

    def read(self, mail_id: str) -> Mail | None:
        """One mail; `None` where there is none of this id."""
        if not re.fullmatch(r"[0-9T.]{22}-[0-9a-f]{8}", mail_id):
            return None
        try:
            content = (self.folder / f"{mail_id}{SUFFIX}").read_bytes()
        except FileNotFoundError:
            return None
        message = email.message_from_bytes(content, policy=email.policy.default)
        return Mail(
            id=mail_id,
            delivered_at=datetime.strptime(mail_id[:22], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC),
            sender=str(message.get("From") or message.get("X-Envelope-From", "")),
            recipients=tuple(part.strip() for part in str(message.get("X-Envelope-To", "")).split(",")),
            subject=str(message.get("Subject", "")),
            text=_part(message, "plain") or "",
            html=_part(message, "html"),
        )


class MailServer:
    """SMTP on 127.0.0.1. ``async with MailServer(mailbox) as server: server.port``."""

    def __init__(self, mailbox: Mailbox, port: int = 0) -> None:
        self.mailbox = mailbox
        self.port = port
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "MailServer":
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(self, hostname="redress.localhost", data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, loop=loop)

        self._server = await loop.create_server(session, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook: 250 only when the mail is on disk."""
        content = envelope.original_content or b""
        try:
            name = await asyncio.to_thread(
                self.mailbox.deliver, envelope.mail_from or "", list(envelope.rcpt_tos), content
            )
        except OSError as problem:
            return f"452 The mailbox can't be written: {problem.strerror}"
        return f"250 Kept as {name}"


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return None
    content = body.get_content()
    return content if isinstance(content, str) else None
