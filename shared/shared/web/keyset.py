"""The public keys that sign tokens (JWKS, RFC 7517): from a URL, a file, or given inline.

A key that is not known makes the set be fetched anew, so that an issuer may rotate its keys; not more often than every
`min_interval` seconds, so that made-up key ids cost the issuer nothing. When the issuer is away, keys that were
fetched before go on being good.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import structlog

from shared.web.errors import Unavailable

ALGORITHMS = ("RS256", "ES256")
log = structlog.get_logger()


class KeysAway(Unavailable):
    slug, title = "signing-keys-away", "Tokens cannot be checked just now"


class BadKeySet(ValueError):
    """The JWKS has no key for RS256 or ES256, or is none."""


def read_keys(document: str | bytes) -> dict[str | None, jwt.PyJWK]:
    """The usable keys of a JWKS by key id. Raises `BadKeySet`."""
    try:
        listed: list[dict[str, Any]] = json.loads(document)["keys"]
        usable = [each for each in listed if each.get("kty") in ("RSA", "EC") and each.get("use", "sig") == "sig"]
        keys = {each.get("kid"): jwt.PyJWK(each) for each in usable}
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise BadKeySet(f"not a JWKS: {error}") from error
    keys = {kid: key for kid, key in keys.items() if key.algorithm_name in ALGORITHMS}
    if not keys:
        raise BadKeySet("the JWKS has no key for RS256 or ES256")
    return keys


class KeySet:
    def __init__(
        self,
        source: str,
        *,
        max_age: float = 300,
        min_interval: float = 10,
        timeout: float = 5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`source` is a URL, a path, or the JWKS itself. Times in seconds. Nothing is read yet."""
        self.source = source
        self._max_age = max_age
        self._min_interval = min_interval
        self._timeout = timeout
        self._monotonic = monotonic
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id (without an id: the only one); None where there is none. Raises `KeysAway`."""
        if self._monotonic() - self._fetched_at > self._max_age:
            await self._refresh()
        found = self._find(kid)
        if found is None:
            await self._refresh()
            found = self._find(kid)
        if found is None and not self._keys:
            raise KeysAway("The issuer's keys cannot be fetched. Try again soon.")
        return found

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        async with self._lock:
            if self._monotonic() - self._tried_at < self._min_interval:
                return
            self._tried_at = self._monotonic()
            try:
                self._keys = read_keys(await self._read())
            except (httpx.HTTPError, OSError, BadKeySet) as error:
                log.warning("signing keys could not be read", source=self._described, error=str(error))
                return
            self._fetched_at = self._monotonic()

    async def _read(self) -> str | bytes:
        if self.source.lstrip().startswith("{"):
            return self.source
        if not self.source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self.source).read_bytes)
        async with httpx.AsyncClient(timeout=self._timeout) as client:
            answer = await client.get(self.source, headers={"Accept": "application/json"})
            answer.raise_for_status()
            return answer.content

    @property
    def _described(self) -> str:
        return "inline" if self.source.lstrip().startswith("{") else self.source
