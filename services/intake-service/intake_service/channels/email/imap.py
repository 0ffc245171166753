"""Fetching mails by IMAP (RFC 3501, IDLE: RFC 2177). The mailbox is opened for reading alone and stays as it is.

The cursor is UIDVALIDITY and the last UID that was taken. Where the server has numbered the mailbox anew, all is read
again, and what was received before is known by its message id.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from intake_service.channels.email.reading import ImapSettings, Loops, arrival
from intake_service.channels.kind import ChannelFault, OpenChannel
from intake_service.domain.channels import Incoming, Json, Pulled, Unreadable
from intake_service.domain.text import EARLIEST, LATEST
from shared.contracts.envelope import Bilingual

TIMEOUT_SECONDS = 30.0
#: A step: so many mails, of so many bytes in all; a part of a mail that is fetched at a time.
MOST_MAILS = 50
MOST_BYTES = 8 * 2**20
PART_BYTES = 2**20
_TOO_LARGE = Bilingual(zh="邮件过大，未取回", en="The mail is too large to be fetched")


async def pull(channel: OpenChannel, cursor: Json | None) -> AsyncIterator[Pulled]:
    """What there is behind the cursor, then what comes while the server tells news; ends where it can't tell."""
    settings: ImapSettings = channel.settings
    loops = Loops()
    mailbox = await asyncio.to_thread(_Mailbox, settings, channel.secrets["password"])
    try:
        validity = mailbox.validity
        last = cursor["uid"] if cursor and cursor["uidvalidity"] == validity else 0
        while True:
            sizes = await asyncio.to_thread(mailbox.sizes, last)
            waiting = sorted(sizes)
            while waiting:
                step = _step(waiting, sizes)
                del waiting[: len(step)]
                arrivals = [await _fetched(channel, mailbox, uid, sizes[uid], loops) for uid in step]
                last = step[-1]
                yield Pulled(arrivals, {"uidvalidity": validity, "uid": last}, len(step), len(waiting))
            if not sizes:
                yield Pulled([], {"uidvalidity": validity, "uid": last}, 0, 0)
            if not mailbox.tells_news:
                return
            await _news(mailbox, settings.poll_seconds)
    finally:
        mailbox.close()


def _step(waiting: Sequence[int], sizes: dict[int, int]) -> list[int]:
    taken: list[int] = []
    total = 0
    for uid in waiting[:MOST_MAILS]:
        if taken and total + sizes[uid] > MOST_BYTES:
            break
        taken.append(uid)
        total += sizes[uid]
    return taken


async def _fetched(channel: OpenChannel, mailbox: "_Mailbox", uid: int, size: int, loops: Loops) -> Incoming:
    settings: ImapSettings = channel.settings
    named = f"imap-{mailbox.validity}-{uid}"
    if size > settings.max_bytes:
        return Incoming(Unreadable(_TOO_LARGE, named), await asyncio.to_thread(mailbox.head, uid))
    raw, received_at = await asyncio.to_thread(mailbox.mail, uid, size)
    if not raw:
        gone = Bilingual(zh="邮件在取回前被删除", en="The mail was deleted before it was fetched")
        return Incoming(Unreadable(gone, named), b"")
    came = min(received_at or channel.clock.now(), channel.clock.now())
    return await asyncio.to_thread(arrival, channel.spec, settings, raw, came, loops=loops)


async def _news(mailbox: "_Mailbox", seconds: float) -> None:
    """Waits for news, or so long. In short turns, so that whoever ends this waits for no thread."""
    await asyncio.to_thread(mailbox.idle)
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        if await asyncio.to_thread(mailbox.has_news):
            break
    await asyncio.to_thread(mailbox.end_idle)


def when(told: object) -> datetime | None:
    """When the server says that it got a mail; None where it says nothing that can be."""
    try:
        at = told.astimezone(UTC) if isinstance(told, datetime) else None
    except (OverflowError, ValueError):
        return None
    return at if at is not None and EARLIEST <= at < LATEST else None


class _Mailbox:
    """A folder on the server, by a library that blocks: one thread at a time calls it. Raises `ChannelFault`."""

    def __init__(self, settings: ImapSettings, password: str) -> None:
        import imapclient
        from imapclient.exceptions import IMAPClientError, LoginError

        self._client: Any = imapclient.IMAPClient(
            settings.host, settings.port, ssl=settings.security == "tls", timeout=TIMEOUT_SECONDS
        )
        self._client.normalise_times = False
        try:
            if settings.security == "starttls":
                self._client.starttls()
            self._client.login(settings.username, password)
            selected = self._client.select_folder(settings.folder, readonly=True)
        except LoginError as error:
            self.close()
            raise ChannelFault(f"{settings.host} refuses the login of {settings.username}.") from error
        except IMAPClientError as error:
            self.close()
            raise ChannelFault(f"The folder {settings.folder} can't be opened on {settings.host}.") from error
        self.validity = int(selected[b"UIDVALIDITY"])
        self.tells_news = settings.idle and bool(self._client.has_capability("IDLE"))

    def sizes(self, last: int) -> dict[int, int]:
        """Bytes of each mail behind `last`, by UID."""
        self._client.noop()
        uids = [uid for uid in self._client.search(["UID", f"{last + 1}:*"]) if uid > last]
        found: dict[int, int] = {}
        for start in range(0, len(uids), 500):
            told = self._client.fetch(uids[start : start + 500], ["RFC822.SIZE"])
            found |= {uid: told[uid][b"RFC822.SIZE"] for uid in told}
        return found

    def mail(self, uid: int, size: int) -> tuple[bytes, datetime | None]:
        """The mail and when the server got it; in parts, so that no answer is as large as a mail may be."""
        parts: list[bytes] = []
        received_at: datetime | None = None
        for start in range(0, max(size, 1), PART_BYTES):
            told = self._client.fetch([uid], [f"BODY.PEEK[]<{start}.{PART_BYTES}>", "INTERNALDATE"]).get(uid)
            if told is None:
                return b"", None
            received_at = when(told.get(b"INTERNALDATE"))
            parts.append(told.get(b"BODY[]<%d>" % start) or b"")
        return b"".join(parts), received_at

    def head(self, uid: int) -> bytes:
        told = self._client.fetch([uid], [f"BODY.PEEK[]<0.{PART_BYTES}>"]).get(uid, {})
        return told.get(b"BODY[]<0>") or b""

    def idle(self) -> None:
        self._client.idle()

    def has_news(self) -> bool:
        return bool(self._client.idle_check(timeout=0.5))

    def end_idle(self) -> None:
        self._client.idle_done()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # it is over, whatever the server says
            self._client.shutdown()
