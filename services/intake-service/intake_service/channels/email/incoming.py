"""A mail as the message that every channel hands in."""

import hashlib
import re
from collections.abc import Collection, Iterable
from datetime import datetime

from intake_service.channels.email.headers import Address
from intake_service.channels.email.mail import Mail, short_id
from intake_service.domain.details import MAX_ABOUT, MAX_HTML, Check, DeliveryReport, Details
from intake_service.domain.message import (
    MAX_TEXT,
    Automatic,
    Content,
    IncomingMessage,
    MessageSource,
    Sender,
    SenderIdentity,
    SenderKind,
    Signs,
)
from intake_service.domain.text import EARLIEST
from shared.contracts.vocabulary import Channel, Language
from shared.replies import token_of_address, token_of_message_id, without_token

_HAN = re.compile("[\u4e00-\u9fff]")
_WORD = re.compile("[a-z][a-z0-9_-]{0,39}")
_CUT = "\n\n[… 全文见原始邮件 The rest is in the mail itself]"
_FILES_ONLY = "[没有正文，只有附件 No text, only attachments: {names}]"


def incoming(
    mail: Mail,
    *,
    account: str,
    received_at: datetime,
    delivered_to: Iterable[str] = (),
    ours: Collection[str] = (),
    message_id: str | None = None,
) -> IncomingMessage:
    """`delivered_to` are the addresses of the envelope, where they are known, beside those that the mail names; `ours`
    are addresses from which nobody but we write. `message_id` overrules the mail's."""
    recipients = (*delivered_to, *(each.address for each in mail.recipients))
    tokens = (token_of_address(recipient) for recipient in recipients)
    answered, thread = _thread(mail)
    return IncomingMessage(
        source=MessageSource(
            channel=Channel.EMAIL,
            account=account,
            message_id=message_id or mail.message_id,
            thread_id=thread,
            reply_to=answered,
            reply_token=next((token for token in tokens if token), None),
        ),
        sender=_sender(mail.sender),
        content=Content(text=_text(mail), subject=mail.subject, language=_language(mail)),
        occurred_at=_occurred(mail, received_at),
        automatic=mail.automatic or (Automatic.OURS if _is_ours(mail.sender, ours) else None),
        signs=Signs(bulk="list" in mail.notes, unauthenticated=_unauthenticated(mail)),
        details=_details(mail),
    )


def fingerprint(mail: Mail) -> bytes:
    """SHA-256 of what the mail says, whichever way it came: the same for every address that it was sent to, whatever
    servers on the way wrote into its head."""
    sender = mail.sender.address.lower() if mail.sender else ""
    said = (mail.message_id, sender, mail.subject, mail.text, mail.quoted, str(mail.sent_at), *_files(mail))
    return hashlib.sha256("\x1f".join(said).encode("utf-8", "surrogatepass")).digest()


def _unauthenticated(mail: Mail) -> bool:
    """Whether the server that took it in found a check that failed, and none of SPF, DKIM and DMARC that passed."""
    servers = [one.server for one in mail.checked]
    found = {one.result for one in mail.checked if one.server == servers[0] and one.method in ("spf", "dkim", "dmarc")}
    return "pass" not in found and not found.isdisjoint({"fail", "softfail", "permerror"})


def _files(mail: Mail) -> tuple[str, ...]:
    return tuple(f"{each.filename}\x1e{each.sha256}" for each in mail.attached)


def _thread(mail: Mail) -> tuple[str | None, str | None]:
    """What it answers, and the thread that it belongs to: a mail of ours where it names one."""
    named = [short_id(each) for each in (*mail.report.about, *mail.references) if each]
    answered = short_id(mail.in_reply_to) if mail.in_reply_to else (named[-1] if named else None)
    if mail.report.about:
        answered = named[0]
    ours = next((each for each in reversed(named) if token_of_message_id(each)), None)
    return answered, ours or (named[0] if named else None)


def _sender(sender: Address | None) -> Sender:
    if sender is None or len(sender.address) > 254:
        return Sender()
    return Sender(identities=(SenderIdentity(kind=SenderKind.EMAIL, value=sender.address),), name=sender.name)


def _is_ours(sender: Address | None, ours: Collection[str]) -> bool:
    return sender is not None and without_token(sender.address).lower() in ours


def _text(mail: Mail) -> str:
    text = mail.text or mail.quoted or mail.subject
    if not text and mail.attached:
        text = _FILES_ONLY.format(names=", ".join(each.filename for each in mail.attached[:10]))
    room = MAX_TEXT - len(mail.subject) - 2
    return text if len(text) <= room else text[: room - len(_CUT)] + _CUT


def _details(mail: Mail) -> Details:
    """HTML that is longer than is kept beside the text stays in the mail as it came."""
    report, too_long = mail.report, len(mail.html) > MAX_HTML
    said = report.action or report.status or report.about
    return Details(
        checks=tuple(
            Check(method=each.method, result=each.result, domain=each.domain, server=each.server, field=each.field)
            for each in mail.checked
            if _WORD.fullmatch(each.method) and _WORD.fullmatch(each.result)
        ),
        notes=tuple(sorted({*mail.notes, *(["html_too_long"] if too_long else [])})),
        report=DeliveryReport(
            action=report.action,
            status=report.status,
            about=tuple(short_id(each) for each in report.about[:MAX_ABOUT]),
        )
        if said
        else None,
        html="" if too_long else mail.html,
    )


def _language(mail: Mail) -> Language | None:
    written = mail.text or mail.subject
    if _HAN.search(written):
        return Language.ZH
    return Language.EN if written.isascii() and written else None


def _occurred(mail: Mail, received_at: datetime) -> datetime:
    """When it says that it was sent, or when it came: a mail that is older than we got it is believed."""
    return min(mail.sent_at, received_at) if mail.sent_at and mail.sent_at >= EARLIEST else received_at
