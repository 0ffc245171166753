"""Who is calling: good tokens, and all the ways in which a token is not good."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.contracts.envelope import Actor, ActorKind
from shared.service.run import listen, server_for
from shared.web.auth import Authenticator, KeyLookup, Principal, Role, hash_key, new_key
from shared.web.errors import Unauthorized
from shared.web.keyset import BadKeySet, KeysAway, KeySet, read_keys
from shared.web.tokens import Signer
from shared.web.visibility import may_see_contacts

SIGNER = Signer.generate()


def authenticator(source: str | KeySet = SIGNER.jwks, **changes: Any) -> Authenticator:
    keys = source if isinstance(source, KeySet) else KeySet(source)
    return Authenticator(keys, **({"issuer": "redress", "audience": "redress"} | changes))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def refused(token: str, by: Authenticator | None = None) -> Unauthorized:
    with pytest.raises(Unauthorized) as caught:
        await (by or authenticator()).identify(bearer(token))
    assert caught.value.headers["WWW-Authenticate"].startswith('Bearer realm="redress", error="invalid_token"')
    return caught.value


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_good_token_tells_subject_name_roles_and_teams(algorithm: Any) -> None:
    signer = Signer.generate(algorithm)
    token = signer.token("agent-li", Role.AGENT, Role.LEAD, name="李工", teams=["after-sales"])
    principal = await authenticator(signer.jwks).identify(bearer(token))
    assert principal == Principal("agent-li", frozenset({Role.AGENT, Role.LEAD}), "李工", frozenset({"after-sales"}))
    assert principal.actor == Actor(kind=ActorKind.PERSON, id="agent-li", name="李工")


async def test_an_adapters_token_makes_an_adapter() -> None:
    principal = await authenticator().identify(bearer(SIGNER.token("hotline", Role.ADAPTER)))
    assert principal is not None
    assert principal.actor.kind is ActorKind.ADAPTER


async def test_nothing_shown_is_nobody() -> None:
    assert await authenticator().identify({}) is None


async def test_another_scheme_than_bearer_is_refused() -> None:
    with pytest.raises(Unauthorized):
        await authenticator().identify({"authorization": "Basic bGk6eA=="})


async def test_an_expired_token_is_refused_and_says_so() -> None:
    problem = await refused(SIGNER.token("li", Role.AGENT, seconds=-60))
    assert "expired" in problem.detail


async def test_a_token_of_the_future_is_refused() -> None:
    await refused(SIGNER.token("li", Role.AGENT, not_before=120))


async def test_a_token_of_another_issuer_or_for_another_audience_is_refused() -> None:
    await refused(Signer(SIGNER.key, SIGNER.kid, issuer="other").token("li", Role.AGENT))
    await refused(Signer(SIGNER.key, SIGNER.kid, audience="other").token("li", Role.AGENT))


async def test_a_token_signed_by_another_key_is_refused() -> None:
    stranger = Signer.generate()
    await refused(Signer(stranger.key, SIGNER.kid).token("li", Role.ADMIN))
    await refused(Signer(stranger.key, "unknown").token("li", Role.ADMIN))


async def test_a_token_without_a_signature_is_refused() -> None:
    claims = {"sub": "li", "iss": "redress", "aud": "redress", "exp": time.time() + 60, "roles": ["admin"]}
    await refused(jwt.encode(claims, "", algorithm="none", headers={"kid": SIGNER.kid}))


async def test_a_token_whose_secret_is_the_public_key_is_refused() -> None:
    """The old confusion: HS256 with the published key as the shared secret."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    assert isinstance(SIGNER.key, ec.EllipticCurvePrivateKey)
    public = SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"sub": "li", "iss": "redress", "aud": "redress", "exp": int(time.time()) + 60, "roles": ["admin"]}
    signed = f"{part(json.dumps({'alg': 'HS256', 'kid': SIGNER.kid}).encode())}.{part(json.dumps(claims).encode())}"
    await refused(f"{signed}.{part(hmac.new(public, signed.encode(), hashlib.sha256).digest())}")


async def test_a_token_without_expiry_or_subject_is_refused() -> None:
    whole = {"sub": "li", "iss": "redress", "aud": "redress", "exp": time.time() + 60}
    for missing in ("exp", "sub"):
        claims = {name: value for name, value in whole.items() if name != missing}
        await refused(jwt.encode(claims, SIGNER.key, algorithm="ES256", headers={"kid": SIGNER.kid}))


async def test_what_is_no_token_at_all_is_refused() -> None:
    for nonsense in ("abc", "a.b.c", "ey.ey.ey", "é.é.é", "x" * 10_000):
        await refused(nonsense)


async def test_a_known_token_is_good_until_it_expires_and_no_longer() -> None:
    now = [time.time()]
    by = authenticator(wall_clock=lambda: now[0])
    token = SIGNER.token("li", Role.AGENT, seconds=2)
    assert by.known(bearer(token)) is None
    await by.identify(bearer(token))
    assert by.known(bearer(token)) == "person:li"
    now[0] += 3
    assert by.known(bearer(token)) is None


async def test_roles_may_stand_deeper_in_the_token_and_unknown_ones_are_left_out() -> None:
    claims = {"sub": "li", "iss": "redress", "aud": "redress", "exp": time.time() + 60}
    deep = {"realm_access": {"roles": ["agent", "offline_access"]}, "scope": "t-1 t-2"}
    token = jwt.encode(claims | deep, SIGNER.key, algorithm="ES256", headers={"kid": SIGNER.kid})
    by = authenticator(roles_claim="realm_access.roles", teams_claim="scope")
    principal = await by.identify(bearer(token))
    assert principal is not None
    assert (principal.roles, principal.teams) == (frozenset({Role.AGENT}), frozenset({"t-1", "t-2"}))


# Keys of adapters


async def test_a_key_tells_its_adapter_and_is_looked_up_by_hash() -> None:
    key, hashed = new_key()
    asked: list[str] = []

    async def lookup(given: str) -> Principal | None:
        asked.append(given)
        return Principal("hotline", frozenset({Role.ADAPTER})) if given == hashed else None

    by = authenticator(api_keys=lookup)
    for _ in range(3):
        principal = await by.identify({"x-api-key": key})
        assert principal is not None
        assert principal.key == "adapter:hotline"
    assert asked == [hashed] == [hash_key(key)], "it was remembered"
    with pytest.raises(Unauthorized):
        await by.identify({"x-api-key": "rk_wrong"})


async def test_a_withdrawn_key_stops_working_within_seconds() -> None:
    now = [1000.0]
    good = [True]

    async def lookup(given: str) -> Principal | None:
        return Principal("hotline", frozenset({Role.ADAPTER})) if good[0] else None

    keys: KeyLookup = lookup
    by = authenticator(api_keys=keys, wall_clock=lambda: now[0])
    assert await by.identify({"x-api-key": "k"})
    good[0] = False
    now[0] += 16
    with pytest.raises(Unauthorized):
        await by.identify({"x-api-key": "k"})


# The issuer's keys


@asynccontextmanager
async def issuer(document: Callable[[], tuple[int, str]]) -> AsyncGenerator[tuple[str, list[int]]]:
    """A real HTTP server with a JWKS; its address and the statuses that it answered."""
    asked: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        status, body = document()
        asked.append(status)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    listening = listen("127.0.0.1", 0)
    server: uvicorn.Server = server_for(app)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/jwks", asked
    finally:
        server.should_exit = True
        await task


async def test_a_rotated_key_is_fetched_when_it_is_first_seen() -> None:
    old, new = Signer.generate(kid="old"), Signer.generate(kid="new")
    published = [old]
    now = [0.0]
    async with issuer(lambda: (200, published[0].jwks)) as (url, asked):
        by = authenticator(KeySet(url, monotonic=lambda: now[0]))
        assert await by.identify(bearer(old.token("li", Role.AGENT)))
        published[0] = new
        now[0] += 11
        assert await by.identify(bearer(new.token("li", Role.AGENT)))
        assert len(asked) == 2
        await refused(Signer(old.key, "old").token("wang", Role.AGENT), by)


async def test_made_up_key_ids_do_not_make_us_ask_the_issuer_each_time() -> None:
    now = [0.0]
    async with issuer(lambda: (200, SIGNER.jwks)) as (url, asked):
        by = authenticator(KeySet(url, monotonic=lambda: now[0]))
        for number in range(20):
            await refused(Signer(SIGNER.key, f"made-up-{number}").token("li", Role.AGENT), by)
        assert len(asked) == 1


async def test_while_the_issuer_is_away_the_keys_that_are_known_stay_good() -> None:
    status = [200]
    now = [0.0]
    async with issuer(lambda: (status[0], SIGNER.jwks)) as (url, asked):
        by = authenticator(KeySet(url, monotonic=lambda: now[0]))
        assert await by.identify(bearer(SIGNER.token("li", Role.AGENT)))
        status[0] = 500
        now[0] += 1000
        assert await by.identify(bearer(SIGNER.token("wang", Role.AGENT)))
        assert asked == [200, 500]


async def test_without_any_key_the_answer_is_to_come_back_later() -> None:
    by = authenticator(KeySet("http://127.0.0.1:1/jwks"))
    with pytest.raises(KeysAway) as caught:
        await by.identify(bearer(SIGNER.token("li", Role.AGENT)))
    assert caught.value.status == 503


async def test_keys_may_come_from_a_file(tmp_path: Path) -> None:
    made = Signer.in_folder(tmp_path)
    assert (tmp_path / "signing-key.pem").stat().st_mode & 0o777 == 0o600
    by = authenticator(str(tmp_path / "jwks.json"))
    assert await by.identify(bearer(made.token("li", Role.AGENT)))
    again = Signer.in_folder(tmp_path)
    assert await by.identify(bearer(again.token("li", Role.AGENT)))


def test_a_shared_secret_in_a_jwks_is_never_used() -> None:
    with pytest.raises(BadKeySet):
        read_keys(json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "redress-1"}]}))
    for nonsense in ("", "[]", "{}", '{"keys": 3}', '{"keys": [{"kty": "RSA"}]}'):
        with pytest.raises(BadKeySet):
            read_keys(nonsense)


# Roles


def test_an_admin_may_do_everything_and_contacts_are_for_those_who_talk_with_customers() -> None:
    def of(*roles: Role) -> Principal:
        return Principal("x", frozenset(roles))

    assert of(Role.ADMIN).has(Role.QUALITY)
    assert not of(Role.AGENT).has(Role.LEAD, Role.MANAGER)
    assert [role for role in Role if may_see_contacts(of(role))] == [Role.AGENT, Role.LEAD, Role.MANAGER, Role.ADMIN]
