"""Asking a running Redress by its HTTP API, signed in: by a token, or by the key of the data folder."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from redress.told import Told

if TYPE_CHECKING:
    import httpx

TIMEOUT = 30.0

Url = Annotated[str, typer.Option("--url", envvar="REDRESS_URL", help="Where the standalone system listens.")]
Token = Annotated[str | None, typer.Option("--token", envvar="REDRESS_TOKEN", help="Who asks; see `redress token`.")]
Data = Annotated[Path, typer.Option("--data", envvar="REDRESS_DATA", help="The folder with the key, without a token.")]
URL = "http://127.0.0.1:8080"
DATA = Path(".redress")


@asynccontextmanager
async def calling(url: str, token: str | None, data: Path, *roles: str) -> AsyncGenerator["Caller"]:
    """Without a token one is signed with the data folder's key, in these roles."""
    import getpass

    import httpx

    from shared.web.principal import Role
    from shared.web.tokens import Signer

    if token is None:
        signer = Signer.in_folder(data / "keys")
        name = getpass.getuser()
        token = signer.token(name, *map(Role, roles), name=name, teams=(), seconds=300)
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT, trust_env=False
    ) as http:
        yield Caller(http)


class Caller:
    def __init__(self, http: "httpx.AsyncClient") -> None:
        self._http = http

    async def ask(self, method: str, path: str, **rest: Any) -> Any:
        """The JSON of the answer. Raises `Told` with what is wrong."""
        import httpx

        try:
            answer = await self._http.request(method, path, **rest)
        except httpx.HTTPError as trouble:
            raise Told(f"No answer from {self._http.base_url}: {trouble or type(trouble).__name__}.") from trouble
        try:
            told = answer.json()
        except ValueError as trouble:
            raise Told(f"What answers at {self._http.base_url} is not Redress ({answer.status_code}).") from trouble
        if answer.is_success:
            return told
        details = "; ".join(error["detail"] for error in told.get("errors", ()))
        raise Told(f"{answer.status_code} {told.get('title')}: {details or told.get('detail')}")
