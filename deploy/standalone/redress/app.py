"""All services in one process, on one bus, under one origin.

    async with standalone(folder, SystemClock(), admin_url=url, base_url="http://127.0.0.1:8080") as system:
        await system.services["intake"].app(scope, receive, send)    # or serve system.app

The services are the same as in seven processes; what they would get from the environment they get from here: a role
and a schema each, the public half of our own key, secrets made on the first start and kept in the folder.
"""

import os
import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.routing import Router

from redress.database import Databases
from redress.front import front
from redress.kept import kept_secret
from redress.mailbox import Mailbox, MailServer
from shared.bus import Bus
from shared.bus.local import LocalBus
from shared.clock import Clock, SystemClock
from shared.contracts import SERVICES
from shared.service import Service
from shared.service.build import authenticator
from shared.web.settings import SHARED_NAMES, ServiceSettings
from shared.web.tokens import Signer

#: Connections that a service may have open: seven services share one laptop.
POOL = 5


@dataclass(frozen=True)
class Standalone:
    services: Mapping[str, Service]
    bus: LocalBus
    app: Router
    signer: Signer
    mailbox: Mailbox
    smtp_port: int
    base_url: str


def installed() -> tuple[str, ...]:
    """The services that there are, in the order of the loop."""
    return tuple(name for name in SERVICES if find_spec(f"{name}_service.main") is not None)


@asynccontextmanager
async def standalone(
    folder: Path,
    clock: Clock,
    *,
    databases: Databases,
    base_url: str,
    smtp_port: int = 0,
    names: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncGenerator[Standalone]:
    """Every service started, its schema up to date; stopped in order at the end of the block.

    `settings` are values for single services that win over the environment: ``{"sla": {"scan_seconds": 1}}``.
    Raises `shared.service.CannotStart`.
    """
    chosen = tuple(names) if names is not None else installed()
    keys = folder / "keys"
    signer = Signer.in_folder(keys)
    mailbox = Mailbox(folder / "mail")
    async with AsyncExitStack() as running:
        mail = await running.enter_async_context(MailServer(mailbox, smtp_port))
        bus = LocalBus(chosen)
        running.push_async_callback(bus.close)
        own: dict[str, dict[str, Any]] = {
            "intake": {"blobs": os.environ.get("INTAKE_BLOBS") or (folder / "attachments").absolute().as_uri()},
            "notify": {"smtp_host": "127.0.0.1", "smtp_port": mail.port},
        }
        services: dict[str, Service] = {}
        for name in chosen:
            given = {
                "database_url": databases.url(name),
                "database_pool_size": POOL,
                "kafka_bootstrap_servers": None,
                "migrate_on_start": True,
                "public_base_url": f"{base_url}/{name}",
                "auth_jwks": os.environ.get(SHARED_NAMES["auth_jwks"]) or signer.jwks,
                **own.get(name, {}),
                **(settings or {}).get(name, {}),
            }
            services[name] = build(name, settings_of(name, given, keys), clock, bus)
        for service in services.values():
            await service.start()
            running.push_async_callback(service.stop)
        some = next(iter(services.values()))
        app = front(services, mailbox, authenticator(some.settings))
        yield Standalone(services, bus, app, signer, mailbox, mail.port, base_url)


def build(name: str, settings: ServiceSettings, clock: Clock, bus: Bus | None) -> Service:
    built: Service = import_module(f"{name}_service.main").service(settings, clock, bus)
    return built


def settings_of(name: str, given: Mapping[str, Any], keys: Path | None) -> ServiceSettings:
    """The service's settings: what is given, then the environment, then secrets of our own.

    A secret without a default is made once and kept in `keys`; with `keys` None it lasts as long as the process.
    """
    kind: type[ServiceSettings] = import_module(f"{name}_service.settings").Settings
    values = {field: value for field, value in given.items() if field in kind.model_fields}
    prefix = kind.model_config.get("env_prefix", "")
    for field, described in kind.model_fields.items():
        wanted = described.is_required() and described.annotation is SecretStr
        if wanted and field not in values and not os.environ.get(f"{prefix}{field}".upper()):
            made = kept_secret(keys, f"{name}.{field}") if keys is not None else secrets.token_urlsafe(32)
            values[field] = SecretStr(made)
    return kind(**values)


def document_of(name: str) -> dict[str, Any]:
    """The OpenAPI document of one service, without a database or a bus."""
    given = {
        "database_url": "postgresql://redress@127.0.0.1/redress",
        "kafka_bootstrap_servers": None,
        "smtp_host": "127.0.0.1",
    }
    document: dict[str, Any] = build(name, settings_of(name, given, None), SystemClock(), None).app.openapi()
    return document
