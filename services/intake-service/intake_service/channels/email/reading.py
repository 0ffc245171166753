"""Mails of a channel as arrivals, with the loops among them."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

import structlog
from pydantic import Field

from intake_service.channels.email.incoming import fingerprint, incoming
from intake_service.channels.email.mail import Mail, read
from intake_service.channels.kind import PullSettings
from intake_service.domain.channels import ChannelSpec, File, Incoming, Unreadable
from intake_service.domain.message import Automatic
from intake_service.domain.record import Part
from intake_service.domain.text import Identifier
from shared.contracts.envelope import Bilingual
from shared.telemetry.logs import describe

log = structlog.get_logger()

_HOUR = timedelta(hours=1)
_MOST_KEPT = 10_000
_UNREAD = Bilingual(zh="读取邮件时出错，日志中有原因", en="Reading the mail failed; the log says why")

Security = Literal["tls", "starttls", "none"]
Mailboxes = Annotated[tuple[Identifier, ...], Field(max_length=50)]


class MailSettings(Part):
    """What the settings of every kind of mail have."""

    ours: Annotated[
        Mailboxes, Field(description="Addresses from which nobody but we write; what comes from them is noted.")
    ] = ()
    loop_limit: Annotated[
        int,
        Field(ge=1, le=10_000, description="Mails of one sender and subject in an hour; more are noted."),
    ] = 20


class SmtpSettings(MailSettings):
    addresses: Annotated[
        Mailboxes, Field(min_length=1, description="What it accepts mail for, also with a reply token (`help+c.…@`).")
    ]


class ImapSettings(MailSettings, PullSettings):
    host: Identifier
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    security: Annotated[Security, Field(description="How the connection is protected.")] = "tls"
    username: Identifier
    folder: Identifier = "INBOX"
    idle: Annotated[bool, Field(description="Wait for news where the server can tell them, else ask.")] = True
    max_bytes: Annotated[int, Field(ge=1024, le=200 * 2**20, description="Of a mail; a larger one is set aside.")] = (
        40 * 2**20
    )


class Loops:
    """Mails of one sender and subject within an hour; as much as one process saw."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], dict[str, datetime]] = OrderedDict()

    def is_loop(self, mail: Mail, limit: int, now: datetime) -> bool:
        """Whether more than `limit` came. A mail that comes again counts once."""
        if mail.sender is None:
            return False
        key = (mail.sender.address.lower(), mail.subject)
        seen = {id: at for id, at in self._seen.pop(key, {}).items() if now - at < _HOUR}
        seen[mail.message_id] = now
        self._seen[key] = dict(list(seen.items())[-limit - 1 :])
        while len(self._seen) > _MOST_KEPT:
            self._seen.popitem(last=False)
        return len(seen) > limit


def arrival(
    spec: ChannelSpec,
    settings: MailSettings,
    raw: bytes,
    received_at: datetime,
    *,
    envelope_sender: str | None = None,
    delivered_to: Iterable[str] = (),
    loops: Loops | None = None,
) -> Incoming:
    """`envelope_sender` and `delivered_to` as SMTP gave them. Never raises for what the mail says."""
    try:
        return _read(spec, settings, raw, received_at, envelope_sender, delivered_to, loops)
    except Exception as error:  # whatever a mail does to its reader, it is kept and the next one is taken
        log.error("mail not read", channel=spec.channel_id, exception=describe(error))
        return Incoming(Unreadable(_UNREAD), raw)


def _read(
    spec: ChannelSpec,
    settings: MailSettings,
    raw: bytes,
    received_at: datetime,
    envelope_sender: str | None,
    delivered_to: Iterable[str],
    loops: Loops | None,
) -> Incoming:
    mail = read(raw, envelope_sender)
    own = {address.lower() for address in (*settings.ours, *getattr(settings, "addresses", ()), spec.account)}
    message = incoming(mail, account=spec.account, received_at=received_at, delivered_to=delivered_to, ours=own)
    if loops is not None and loops.is_loop(mail, settings.loop_limit, received_at) and message.automatic is None:
        message = message.model_copy(update={"automatic": Automatic.LOOP})
    files = tuple(File(each.filename, each.media_type, each.content) for each in mail.attached)
    return Incoming(message, raw, fingerprint(mail), files)
