"""Who is calling (G3): people by JWT, adapters by key. Nothing is open unless its route says so.

    @router.post("/v1/cases/{case_id}/transfers")
    async def open_transfer(principal: Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD))], …)

`allow()` without roles lets everybody in who is signed in; an admin is always let in. A token is checked once (an RSA
verification costs as much as the rest of a small request) and then known by its hash until it expires.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import jwt
from fastapi import Request
from fastapi.openapi.models import HTTPBearer as BearerScheme
from fastapi.security.base import SecurityBase
from structlog.contextvars import bind_contextvars

from shared.web.errors import Forbidden, Unauthorized
from shared.web.keyset import ALGORITHMS, KeySet
from shared.web.principal import Principal, Role
from shared.web.visibility import may_see_contacts, may_see_team, visible_teams

LEEWAY = 30
#: How long (seconds) what was found out about a key is believed: a withdrawn key works this long on other processes.
KEY_CACHE = 15
KEY_HEADER = "X-API-Key"

#: Tells whose key it is by `hash_key(key)`; None for a key that is not, or no longer, known.
KeyLookup = Callable[[str], Awaitable[Principal | None]]

V = TypeVar("V")


def hash_key(key: str) -> str:
    """How a key is stored and looked up. Keys have 256 random bits, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> tuple[str, str]:
    """A new adapter key, shown once, and its hash, which is kept."""
    key = f"rk_{secrets.token_urlsafe(32)}"
    return key, hash_key(key)


class _Cache(Generic[V]):
    """The last `size` values, each until its time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[bytes, tuple[float, V]] = OrderedDict()

    def get(self, key: bytes, now: float) -> tuple[V] | None:
        found = self._values.get(key)
        if found is None or found[0] <= now:
            return None
        return (found[1],)

    def put(self, key: bytes, value: V, until: float) -> None:
        self._values[key] = (until, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)


class Authenticator:
    def __init__(
        self,
        keys: KeySet | None,
        *,
        issuer: str,
        audience: str,
        roles_claim: str = "roles",
        teams_claim: str = "teams",
        api_keys: KeyLookup | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`wall_clock` in seconds since 1970: tokens expire by real time, whatever clock drives the rest."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._roles_claim = roles_claim
        self._teams_claim = teams_claim
        self._api_keys = api_keys
        self._now = wall_clock
        self._tokens: _Cache[Principal] = _Cache(10_000)
        self._known_keys: _Cache[Principal | None] = _Cache(10_000)

    @property
    def takes_api_keys(self) -> bool:
        return self._api_keys is not None

    async def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """The caller; None where nothing was shown. Raises `Unauthorized` for what is not good, `KeysAway` (503)."""
        authorization = headers.get("authorization")
        if authorization:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise unauthorized("Send `Authorization: Bearer <token>`.", "invalid_request")
            return await self._by_token(token.strip())
        key = headers.get(KEY_HEADER.lower())
        if key and self._api_keys is not None:
            return await self._by_key(key, self._api_keys)
        return None

    def known(self, headers: Mapping[str, str]) -> str | None:
        """Who was signed in with these headers a moment ago, without asking anybody (for rate limits)."""
        authorization = headers.get("authorization")
        if authorization:
            digest = hashlib.sha256(authorization.partition(" ")[2].strip().encode()).digest()
            found: tuple[Principal | None] | None = self._tokens.get(digest, self._now())
        else:
            key = headers.get(KEY_HEADER.lower())
            found = self._known_keys.get(hash_key(key).encode(), self._now()) if key else None
        return found[0].key if found and found[0] else None

    async def _by_token(self, token: str) -> Principal:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._tokens.get(digest, self._now())
        if known is not None:
            return known[0]
        claims = await self._claims(token)
        principal = Principal(
            subject=claims["sub"],
            name=str(claims.get("name") or claims.get("preferred_username") or ""),
            roles=frozenset(role for role in Role if role.value in _listed(claims, self._roles_claim)),
            teams=frozenset(_listed(claims, self._teams_claim)),
        )
        self._tokens.put(digest, principal, float(claims["exp"]))
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise unauthorized("The token is not a JWT.") from error
        if header.get("alg") not in ALGORITHMS:
            raise unauthorized(f"The token must be signed by {' or '.join(ALGORITHMS)}.")
        key = await self._keys.key(header.get("kid")) if self._keys else None
        if key is None or key.algorithm_name != header["alg"]:
            raise unauthorized("The token was signed by a key that is not known here.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("The token has expired; get a new one.") from error
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise unauthorized(f"The token is not good here: {error}.") from error
        return claims

    async def _by_key(self, key: str, lookup: KeyLookup) -> Principal:
        hashed = hash_key(key)
        known = self._known_keys.get(hashed.encode(), self._now())
        if known is None:
            known = (await lookup(hashed),)
            self._known_keys.put(hashed.encode(), known[0], self._now() + KEY_CACHE)
        if known[0] is None:
            raise unauthorized("This key is not known, or was withdrawn.")
        return known[0]


def unauthorized(detail: str, error: str = "invalid_token") -> Unauthorized:
    said = detail.encode("ascii", "replace").decode().replace("\\", " ").replace('"', "'")
    return Unauthorized(
        detail,
        headers={"WWW-Authenticate": f'Bearer realm="redress", error="{error}", error_description="{said}"'},
    )


def _listed(claims: Mapping[str, Any], path: str) -> set[str]:
    value: Any = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return set(value.split())
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


async def caller(request: Request) -> Principal | None:
    """The caller of this request, found out once; None where nobody signed in. For pages and for `Once`."""
    state = request.state
    if not hasattr(state, "principal"):
        authenticator: Authenticator = request.app.state.authenticator
        state.principal = await authenticator.identify(request.headers)
        if state.principal is not None:
            bind_contextvars(principal=state.principal.key)
    found: Principal | None = state.principal
    return found


class Allow(SecurityBase):
    """A dependency that answers with the principal; 401 without a good token or key, 403 without one of the roles."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles
        self.model = BearerScheme(bearerFormat="JWT", description="A token of the configured issuer (RS256 or ES256).")
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Principal:
        principal = await caller(request)
        if principal is None:
            raise Unauthorized(
                "Send `Authorization: Bearer <token>`; adapters may send their key as X-API-Key where it is taken.",
                headers={"WWW-Authenticate": 'Bearer realm="redress"'},
            )
        if self.roles and not principal.has(*self.roles):
            raise Forbidden(f"This needs one of the roles {', '.join(self.roles)}.")
        return principal


def allow(*roles: Role) -> Allow:
    """The dependency for routes of these roles; without any, of everybody who is signed in."""
    return Allow(roles)


__all__ = [
    "KEY_HEADER",
    "Allow",
    "Authenticator",
    "KeyLookup",
    "Principal",
    "Role",
    "allow",
    "caller",
    "hash_key",
    "may_see_contacts",
    "may_see_team",
    "new_key",
    "unauthorized",
    "visible_teams",
]
