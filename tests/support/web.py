"""Signing in and calling a service in the tests: `client_of(service, Role.AGENT)`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from shared.web.auth import Role
from shared.web.tokens import Signer

#: The tests' issuer. `AUTH` are the settings that trust it: ``Settings(database_url=…, **AUTH)``.
SIGNER = Signer.generate()
AUTH: dict[str, Any] = {"auth_jwks": SIGNER.jwks}


def token_of(*roles: Role, subject: str = "agent-li", name: str = "李工", teams: tuple[str, ...] = ()) -> str:
    return SIGNER.token(subject, *roles, name=name, teams=teams)


def signed_in(*roles: Role, subject: str = "agent-li", name: str = "李工") -> dict[str, str]:
    """The headers of a request by `subject`."""
    return {"Authorization": f"Bearer {token_of(*roles, subject=subject, name=name)}"}


@asynccontextmanager
async def client_of(app: FastAPI, *roles: Role, subject: str = "agent-li") -> AsyncGenerator[httpx.AsyncClient]:
    """A client of `app`, signed in where roles are given. The service is not started by it."""
    headers = signed_in(*roles, subject=subject) if roles else {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://redress.test", headers=headers) as client:
        yield client
