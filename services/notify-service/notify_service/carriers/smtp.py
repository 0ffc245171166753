"""E-mail by SMTP.

A mail's Message-ID follows from the message. If the process dies between the server's 250 and our record of it, the
mail goes out again with the same Message-ID: mail systems drop or fold such doubles, and no mail is lost.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr

import aiosmtplib
import structlog

from notify_service.carriers.port import Later, Letter, Refused, Result, Sent, Tell
from shared.contracts.vocabulary import Language
from shared.replies import Replies, Use

log = structlog.get_logger()
#: Another connection for every so many letters of a batch.
_PER_CONNECTION = 20
_MOST_REASON = 300
CRLF = "\r\n"
#: A message id with a token is longer than a line should be; one that stands on the next line is lost on many servers.
_UNFOLDED = compat32.clone(max_line_length=990)


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """The server and who we are there. `houses` is the sender's name in each language; times in seconds. With `replies`
    and `reply_mailbox`, whoever complained answers to an address that tells, signed, which complaint it is about, and
    so do the mail servers on the way (RFC 5321 section 4.4: bounces go to the envelope's sender)."""

    host: str
    port: int
    sender: str
    houses: dict[Language, str]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = False
    timeout: float = 10
    connections: int = 4
    replies: Replies | None = None
    reply_mailbox: str | None = None

    def address(self, use: Use, letter: Letter) -> str | None:
        if self.replies is None or self.reply_mailbox is None or letter.complaint_id is None:
            return None
        return self.replies.address(use, self.reply_mailbox, letter.complaint_id)

    def message_id(self, letter: Letter) -> str:
        domain = self.sender.rpartition("@")[2]
        if self.replies is None or letter.complaint_id is None:
            return f"{letter.message_id}@{domain}"
        return self.replies.message_id(letter.message_id, letter.complaint_id, domain)


def compose(letter: Letter, account: SmtpAccount) -> bytes:
    """The mail (RFC 5322, MIME): text and HTML, marked as written by a machine (RFC 3834).

    By the library's MIME classes: its newer policies parse and fold every header anew, which costs several times as
    much and loses blanks where Chinese and English alternate. Raises `ValueError` or `MessageError` where a header
    would not hold.
    """
    mail = MIMEMultipart("alternative", boundary=f"=_{letter.message_id.hex}", policy=_UNFOLDED)
    mail["From"] = _from(account.sender, account.houses[letter.language])
    mail["To"] = _to(letter.address)
    mail["Subject"] = _subject(letter.subject)
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{account.message_id(letter)}>"
    if (reply_to := account.address(Use.REPLY, letter)) is not None:
        mail["Reply-To"] = reply_to
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = letter.language.value
    mail.attach(MIMEText(_lines(letter.text), "plain", "utf-8"))
    mail.attach(MIMEText(_lines(letter.html), "html", "utf-8"))
    return mail.as_bytes().replace(b"\n", b"\r\n")


def _from(address: str, display: str) -> str:
    return formataddr((display, Address(addr_spec=address).addr_spec))


def _to(address: str) -> str:
    told = Address(addr_spec=address).addr_spec
    if not told.isascii() or not told.isprintable():
        raise ValueError("the address needs SMTPUTF8, which few servers take")
    return told


def _subject(subject: str) -> str:
    if "\r" in subject or "\n" in subject:
        raise ValueError("a subject holds no linefeed and no carriage return")
    # Readers decode what looks encoded, and a line break could hide in that.
    return Header(subject.replace("=?", "= ?"), "utf-8", header_name="Subject").encode()


def _lines(text: str) -> str:
    """Lines end as they do in mails, and there is one end of line at the end."""
    return text.replace(CRLF, "\n").replace("\r", "\n").removesuffix("\n").replace("\n", CRLF) + CRLF


class Smtp:
    def __init__(self, account: SmtpAccount) -> None:
        self.account = account

    async def send(self, letters: Sequence[Letter], tell: Tell) -> None:
        waiting = deque(letters)
        lanes = min(self.account.connections, 1 + len(letters) // _PER_CONNECTION)
        await asyncio.gather(*(self._lane(waiting, tell) for _ in range(lanes)))

    async def _lane(self, waiting: deque[Letter], tell: Tell) -> None:
        """One connection at a time until nothing waits; a server that cannot be reached ends the lane."""
        while waiting:
            client = self._client()
            try:
                await client.connect()
            except (aiosmtplib.SMTPException, OSError) as error:
                log.warning("mail server cannot be used", host=self.account.host, error=_why(error))
                while waiting:
                    tell(waiting.popleft().message_id, Later(f"mail server: {_why(error)}"))
                return
            try:
                while waiting and client.is_connected:
                    letter = waiting.popleft()
                    tell(letter.message_id, await self._one(client, letter))
            finally:
                await _leave(client)

    def _client(self) -> aiosmtplib.SMTP:
        account = self.account
        return aiosmtplib.SMTP(
            hostname=account.host,
            port=account.port,
            username=account.username,
            password=account.password,
            start_tls=account.starttls,
            timeout=account.timeout,
        )

    async def _one(self, client: aiosmtplib.SMTP, letter: Letter) -> Result:
        try:
            mail = compose(letter, self.account)
        except (ValueError, MessageError) as error:
            return Refused(f"no mail can be made of it: {type(error).__name__}")
        sender = self.account.address(Use.BOUNCE, letter) or self.account.sender
        try:
            _, answer = await client.sendmail(sender, [letter.address], mail)
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            return _judged(refusal.recipients[0].code, refusal.recipients[0].message)
        except aiosmtplib.SMTPSenderRefused as refusal:
            # Our own address is a matter of configuration: once that is mended, the mail can go.
            return Later(f"{refusal.code} sender refused: {refusal.message}"[:_MOST_REASON])
        except aiosmtplib.SMTPResponseException as refusal:
            return _judged(refusal.code, refusal.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return Later(_why(error))
        return Sent(f"250 {answer}"[:_MOST_REASON])


def _judged(code: int, answer: str) -> Result:
    """RFC 5321 section 4.2.1: 5yz is for good, everything else may pass."""
    reason = f"{code} {answer}"[:_MOST_REASON]
    return Refused(reason) if 500 <= code <= 599 else Later(reason)


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_MOST_REASON]


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        client.close()
