"""The whole system as a deployment has it: a real broker, PostgreSQL, seven processes, all on this machine."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

from benchmarks.stage import LIMITS_AWAY, Stage, stage
from redress.demo.kafka import prepare
from redress.fleet import Fleet
from redress.kafka import Broker, running_broker
from redress.mailbox import Mailbox, MailServer
from shared.bus.kafka import ensure_topics, plan_topics
from shared.contracts import SERVICES

PARTITIONS = 4


@contextmanager
def stage_with_broker() -> Generator[tuple[Stage, Broker]]:
    with running_broker() as broker, stage() as place:
        yield place, broker


class Counted(Mailbox):
    """Mails are taken and thrown away: a customer's mail server and its disk are not this system's."""

    def deliver(self, sender: str, recipients: list[str], content: bytes) -> str:
        return "taken"


@asynccontextmanager
async def fleet_of(place: Stage, broker: Broker, names: Sequence[str] = SERVICES) -> AsyncGenerator[Fleet]:
    """Migrated, topics made, nothing started yet; all that was started is stopped at the end."""
    await prepare(place.databases)
    await ensure_topics(broker.bootstrap, plan_topics(PARTITIONS))
    async with MailServer(Counted(place.folder / "mail")) as mail:
        fleet = Fleet(
            place.folder / "logs",
            place.databases,
            broker.bootstrap,
            place.signer.jwks,
            environment={
                **LIMITS_AWAY,
                "NOTIFY_SMTP_HOST": "127.0.0.1",
                "NOTIFY_SMTP_PORT": str(mail.port),
                "INTAKE_TOKEN_SECRET": "the secret of a benchmark's status links",
                "FEEDBACK_TOKEN_SECRET": "the secret of a benchmark's surveys",
            },
            names=names,
        )
        try:
            yield fleet
        finally:
            await asyncio.to_thread(fleet.stop_all)
