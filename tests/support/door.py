"""A service behind its HTTP door, without a network: ``async with door(service) as http: await http.get(…)``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from shared.service import Service
from shared.web.auth import Role
from shared.web.tokens import Signer

#: Signs the tokens of the tests; `SIGNER.jwks` is the setting `auth_jwks`.
SIGNER = Signer.generate()


def signed_in(*roles: Role, subject: str = "agent-li", name: str = "李工") -> dict[str, str]:
    return {"Authorization": f"Bearer {SIGNER.token(subject, *roles, name=name)}"}


@asynccontextmanager
async def door(service: Service) -> AsyncGenerator[httpx.AsyncClient]:
    """The service started (its bus too, where it has one), and a client of it."""
    await service.start()
    try:
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
            yield http
    finally:
        await service.stop()
