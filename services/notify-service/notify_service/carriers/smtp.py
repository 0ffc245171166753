"""E-mail by SMTP.

A mail's Message-ID follows from the message. If the process dies between the server's 250 and our record of it, the
mail goes out again with the same Message-ID: mail systems drop or fold such doubles, and no mail is lost.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

import aiosmtplib
import structlog

from notify_service.carriers.port import Later, Letter, Refused, Result, Sent, Tell
from shared.contracts.vocabulary import Language

log = structlog.get_logger()
#: Another connection for every so many letters of a batch.
_PER_CONNECTION = 20
_MOST_REASON = 300
CRLF = "\r\n"
#: Longer subjects are folded, as encoded words: these keep their blanks.
_UNFOLDED = 66


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """The server and who we are there. `houses` is the sender's name in each language; times in seconds."""

    host: str
    port: int
    sender: str
    houses: dict[Language, str]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = False
    timeout: float = 10
    connections: int = 4


def compose(letter: Letter, account: SmtpAccount) -> bytes:
    """The mail (RFC 5322, MIME): text and HTML, marked as written by a machine (RFC 3834).

    Written by hand: the library parses and folds every header anew, which costs fifty times as much and loses blanks
    where Chinese and English alternate. Raises `ValueError` or `MessageError` where a header would not hold.
    """
    boundary = f"=_{letter.message_id.hex}"
    head = "\r\n".join(
        (
            _from(account.sender, account.houses[letter.language]),
            _to(letter.address),
            _subject(letter.subject),
            f"Date: {format_datetime(letter.written_at)}",
            f"Message-ID: <{letter.message_id}@{account.sender.rpartition('@')[2]}>",
            "Auto-Submitted: auto-generated",
            f"Content-Language: {letter.language.value}",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
        )
    )
    parts = f"--{boundary}\r\n{_part('plain', letter.text)}--{boundary}\r\n{_part('html', letter.html)}"
    return f"{head}\r\n\r\n{parts}--{boundary}--\r\n".encode("ascii")


@lru_cache(maxsize=8)
def _from(address: str, display: str) -> str:
    header = EmailMessage(policy=SMTP)
    header["From"] = Address(display, addr_spec=address)
    return header.as_string().partition("\r\n\r\n")[0]


def _to(address: str) -> str:
    told = Address(addr_spec=address).addr_spec
    if not told.isascii() or not told.isprintable():
        raise ValueError("the address needs SMTPUTF8, which few servers take")
    return f"To: {told}"


def _subject(subject: str) -> str:
    if "\r" in subject or "\n" in subject:
        raise ValueError("a subject holds no linefeed and no carriage return")
    # Readers decode what looks encoded, and a line break could hide in that.
    text = subject.replace("=?", "= ?")
    if text.isascii() and text.isprintable() and len(text) <= _UNFOLDED and text == text.strip():
        return f"Subject: {text}"
    return f"Subject: {Header(text, 'utf-8', header_name='Subject').encode(linesep=CRLF)}"


def _part(subtype: str, text: str) -> str:
    lines = text.replace(CRLF, "\n").replace("\r", "\n").removesuffix("\n").replace("\n", CRLF) + CRLF
    encoded = base64.encodebytes(lines.encode()).decode("ascii").replace("\n", CRLF)
    return f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n'


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
        try:
            _, answer = await client.sendmail(self.account.sender, [letter.address], mail)
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
