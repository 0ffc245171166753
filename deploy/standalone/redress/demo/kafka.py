"""`make demo-kafka`: seven separate processes, a real Kafka, a real PostgreSQL, the real clock, and policies scaled to
seconds."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from redress.database import Databases
from redress.demo import case, ending, twin
from redress.demo.cast import SECONDS, TWIN_SECONDS
from redress.demo.telling import Telling
from redress.demo.world import RealTimes, World
from redress.embedded import postgres
from redress.fleet import Fleet
from redress.kafka import running_broker
from redress.mailbox import Mailbox, MailServer
from shared.bus.kafka import ensure_topics, plan_topics
from shared.contracts import SERVICES
from shared.db import Database, Migrations, provision
from shared.web.tokens import Signer

#: A day of the script is some seconds here.
SCALED: Mapping[str, Mapping[str, str]] = {
    "intake": {"INTAKE_TOKEN_SECRET": "the secret of a demo that lasts a minute"},
    "sla": {"SLA_POLICY_PACK": "seconds"},
    "feedback": {
        "FEEDBACK_TOKEN_SECRET": "the secret of a demo that lasts a minute",
        "FEEDBACK_FOLLOW_UP_EARLIEST": "PT2S",
        "FEEDBACK_FOLLOW_UP_DUE": "PT60S",
    },
}
PARTITIONS = 4


def run(*, with_twin: bool = False, telling: Telling | None = None) -> bool:
    """Whether everything was seen. Raises `KafkaUnavailable` where Java or Maven is missing."""
    with (
        tempfile.TemporaryDirectory(prefix="redress-demo-", ignore_cleanup_errors=True) as place,
        running_broker() as broker,
    ):
        folder = Path(place)
        with postgres(folder / "postgres") as url:
            databases = Databases(url, {})
            return asyncio.run(_play(folder, databases, broker.bootstrap, telling or Telling(), with_twin=with_twin))


async def _play(folder: Path, databases: Databases, bootstrap: str, telling: Telling, *, with_twin: bool) -> bool:
    signer = Signer.generate()
    async with distributed(folder, databases, bootstrap, signer) as fleet, httpx.AsyncClient(timeout=30) as http:
        telling.chapter("seven processes · 七个独立进程")
        for name in fleet.names:
            telling.page(f"{name}-service: pid {fleet.process(name).pid}, {fleet.urls[name]}")
        world = World(http, fleet.urls, signer, RealTimes(SECONDS))
        seen = await ending.show(await case.play(world, telling), telling)
        if with_twin:
            second = World(http, fleet.urls, signer, RealTimes(TWIN_SECONDS))
            seen = await ending.show(await twin.play(second, telling), telling) and seen
        return seen


@asynccontextmanager
async def distributed(
    folder: Path,
    databases: Databases,
    bootstrap: str,
    signer: Signer,
    *,
    environment: Mapping[str, str] | None = None,
    partitions: int = PARTITIONS,
) -> AsyncGenerator[Fleet]:
    """Schemas migrated, topics created, a mail server listening, seven processes ready; all stopped at the end."""
    await prepare(databases)
    await ensure_topics(bootstrap, plan_topics(partitions))
    async with MailServer(Mailbox(folder / "mail")) as mail:
        smtp = {"NOTIFY_SMTP_HOST": "127.0.0.1", "NOTIFY_SMTP_PORT": str(mail.port)}
        fleet = Fleet(
            folder / "logs",
            databases,
            bootstrap,
            signer.jwks,
            environment={**smtp, **(environment or {})},
            special=SCALED,
        )
        try:
            await fleet.start_all()
            yield fleet
        finally:
            await asyncio.to_thread(fleet.stop_all)


async def prepare(databases: Databases) -> None:
    """Roles and schemas, at their newest migration."""
    await provision(databases.admin_url, SERVICES)
    for name in SERVICES:
        database = Database(databases.url(name), name)
        try:
            await Migrations(f"{name}_service", database).upgrade()
        finally:
            await database.close()
