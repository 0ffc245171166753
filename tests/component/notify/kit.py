"""A notify-service without its doors: use cases, a real database, a clock that is driven, carriers to look at."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any
from uuid import UUID

from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy import text

from notify_service import usecases
from notify_service.carriers import Carrier, Notices, Recording, Smtp, SmtpAccount
from notify_service.domain import Message
from notify_service.events import CONSUMES
from notify_service.settings import Settings
from notify_service.store import metadata
from shared.clock import SimulatedClock
from shared.contracts import BY_TYPE, Event
from shared.contracts.envelope import ComplaintFacts
from shared.contracts.intake import ContactsChangedV1, ContactsErasedV1
from shared.contracts.vocabulary import Language, Means
from shared.db import Database
from shared.ids import new_id
from tests.support.builders import RECEIVED, SYSTEM
from tests.support.postgres import empty

HOUSES = {Language.ZH: "客户服务中心", Language.EN: "Customer Care"}


class MailServer:
    """A real SMTP server on a free port of 127.0.0.1. `answers` are given to the next mails instead of taking them."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answers: list[str] = []
        self.rcpt_answers: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=SMTP_POLICY)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append(envelope)
        return f"250 queued as {len(self.mails)}"

    async def start(self) -> None:
        """On the port it had before, if it was started before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", loop=loop, enable_SMTPUTF8=True), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None


class Notify:
    def __init__(self, database: Database, mail: MailServer | None = None, **settings: Any) -> None:
        self.database = database
        self.clock = SimulatedClock(RECEIVED)
        self.settings = Settings(database_url=database.url, **settings)
        self.sms, self.wecom, self.notices = Recording(), Recording(), Notices()
        self.email: Recording | Smtp = Recording()
        if mail is not None:
            self.email = Smtp(
                SmtpAccount("127.0.0.1", mail.port, "service@shop.example", HOUSES, timeout=2, connections=2)
            )
        self.carriers: dict[Means, Carrier] = {
            Means.SMS: self.sms,
            Means.WECOM: self.wecom,
            Means.DINGTALK: self.wecom,
            Means.EMAIL: self.email,
            Means.IN_SYSTEM: self.notices,
        }
        self.deps = usecases.Deps(
            session=database.session,
            reading=database.reading,
            clock=self.clock,
            ids=new_id,
            settings=self.settings,
            carriers=self.carriers,
        )

    async def hear(self, *events: Event) -> None:
        """Each in a transaction of its own, as the bus hands them over one by one."""
        for event in events:
            async with self.database.session() as tx:
                await CONSUMES[type(event)]([event], tx, self.deps)

    async def deliver(self) -> int:
        return await usecases.deliver(self.deps)

    async def messages(self) -> list[Message]:
        """Oldest first."""
        return (await usecases.list_messages(None, None, None, None, 200, self.deps))[::-1]

    async def message(self) -> Message:
        (message,) = await self.messages()
        return message

    async def published(self) -> list[Any]:
        """What waits in the outbox, as events."""
        async with self.database.reading() as tx:
            rows = (await tx.execute(text("select type, payload from outbox order by id"))).all()
        return [BY_TYPE[row.type].model_validate_json(row.payload) for row in rows]

    async def expire_leases(self) -> None:
        """As if the workers that hold them had died a while ago."""
        async with self.database.session() as tx:
            await tx.execute(
                text("update messages set lease_until = now() - interval '1 second' where lease is not null")
            )

    async def forget_everything(self) -> None:
        await empty(self.database, metadata)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with self.database.reading() as tx:
            return [dict(row) for row in (await tx.execute(text(query))).mappings()]


@asynccontextmanager
async def mail_server() -> AsyncGenerator[MailServer]:
    server = MailServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def running_worker(notify: Notify) -> AsyncGenerator[None]:
    task = asyncio.create_task(usecases.Worker(notify.deps).deliver_messages())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(check: Any, seconds: float = 5) -> Any:
    """The first true answer of `check`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                if answer := await check():
                    return answer
                await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def contacts(of: ComplaintFacts | UUID, revision: int = 1, **changes: Any) -> ContactsChangedV1:
    given: dict[str, Any] = {
        "event_id": new_id(),
        "occurred_at": RECEIVED,
        "recorded_at": RECEIVED,
        "actor": SYSTEM,
        "person_id": of if isinstance(of, UUID) else of.customer.person_id,
        "revision": revision,
        "name": "王女士",
        "phones": ("+8613812341234",),
        "emails": ("wang@shop.example",),
    }
    return ContactsChangedV1(**(given | changes))


def contacts_erased(of: ComplaintFacts) -> ContactsErasedV1:
    return ContactsErasedV1(
        event_id=new_id(),
        occurred_at=RECEIVED,
        recorded_at=RECEIVED,
        actor=SYSTEM,
        person_id=of.customer.person_id,
    )


def plain(value: Any) -> Any:
    """JSON-able, for comparing rows."""
    return json.loads(json.dumps(value, default=str))
