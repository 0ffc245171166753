"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), kept in the transaction of the effect.

Invariant: the row that says "this key was answered so" is committed with what the request did, or neither is.
Requests with the same key are told apart by a transaction's advisory lock: one works, the others hear 409 until it
has ended. A key belongs to one principal, and to one method, path and body: with another, it is 422.

    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first                              # the answer of the first time, with Idempotency-Replayed: true
        ...
        return await once.record(tx, transfer, status=201)   # leaving the block commits; only then is it told

Without a key both do nothing but shape the answer. Answers are kept for 72 hours at least.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, SmallInteger, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Database
from shared.web.auth import caller
from shared.web.body import json_bytes
from shared.web.errors import BadRequest, Conflict, Invalid, Problem

T = TypeVar("T")

TABLE = "idempotency_keys"
KEPT = timedelta(hours=72)
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 255


class BadIdempotencyKey(BadRequest):
    slug, title = "bad-idempotency-key", "The Idempotency-Key cannot be used"


class StillUnderWay(Conflict):
    slug, title = "idempotency-key-under-way", "The first request with this key is still under way"


class KeyReused(Invalid):
    slug, title = "idempotency-key-reused", "This Idempotency-Key belongs to another request"


#: What a route with `OnceDep` may answer: ``responses=responses(*ONCE_PROBLEMS)``.
ONCE_PROBLEMS: tuple[type[Problem], ...] = (BadIdempotencyKey, StillUnderWay, KeyReused)


def idempotency_table(metadata: MetaData) -> Table:
    """Declare the table on a service's metadata; its migration then creates it."""
    return Table(
        TABLE,
        metadata,
        Column("principal", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of method, path and body"),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False, server_default=text("'{}'")),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )


_LOCK = text(
    "select r.n, pg_try_advisory_xact_lock(hashtextextended("
    "concat_ws(chr(31), 'idempotency', current_schema(), r.p, r.k), 0)) "
    "from unnest(cast(:principals as text[]), cast(:keys as text[])) with ordinality as r (p, k, n)"
)
# A statement of its own, after the lock: its snapshot sees what the lock's last holder committed.
_READ = text(
    "select i.principal, i.key, i.fingerprint, i.status, i.headers, i.body "
    "from unnest(cast(:principals as text[]), cast(:keys as text[])) as r (p, k) cross join lateral ("
    "select * from idempotency_keys where principal = r.p and key = r.k limit 1) as i"
)
_WRITE = text(
    "insert into idempotency_keys (principal, key, fingerprint, status, headers, body) "
    "select p, k, f, s, cast(h as jsonb), b from unnest(cast(:principals as text[]), cast(:keys as text[]), "
    "cast(:fingerprints as bytea[]), cast(:statuses as smallint[]), cast(:headers as text[]), "
    "cast(:bodies as bytea[])) as r (p, k, f, s, h, b)"
)
_PRUNE = text(
    "delete from idempotency_keys where (principal, key) in (select principal, key from idempotency_keys "
    "where created_at < now() - cast(:kept as interval) order by created_at limit :batch for update skip locked) "
    "returning 1"
)


@dataclass(frozen=True, slots=True)
class Once:
    """One request that must have its effect once. `key` is None where the caller gave none."""

    principal: str
    key: str | None
    fingerprint: bytes

    async def replay(self, tx: AsyncSession) -> Response | None:
        """The answer of the first time, or None where this is the first. Raises `StillUnderWay`, `KeyReused`."""
        if self.key is None:
            return None
        outcome = (await replay_many(tx, [self]))[0]
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    async def perform(
        self,
        session: Callable[[], AbstractAsyncContextManager[AsyncSession]],
        action: Callable[[AsyncSession], Awaitable[T]],
        *,
        shape: Callable[[T], Any] = lambda made: made,
        status: int = 200,
        headers: Callable[[T], Mapping[str, str]] = lambda made: {},
    ) -> Response:
        """One unit of work around `action`: the first answer again, or what `shape` makes of what it returns."""
        async with session() as tx:
            if (first := await self.replay(tx)) is not None:
                return first
            made = await action(tx)
            return await self.record(tx, shape(made), status=status, headers=headers(made))

    async def record(
        self, tx: AsyncSession, content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Keep the answer (a model, or anything pydantic can write) with the effect, and shape it."""
        answered = Answered(self, status, json_bytes(content), dict(headers or {}))
        await record_many(tx, [answered])
        return answered.response()


@dataclass(frozen=True, slots=True)
class Answered:
    """What is kept of an answer. Only success is: a refused request had no effect and may be sent again."""

    once: Once
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, *, replayed: bool = False) -> Response:
        headers = {**self.headers, REPLAYED: "true"} if replayed else dict(self.headers)
        return Response(self.body, self.status, headers, "application/json")


Outcome = Response | Problem | None


async def replay_many(tx: AsyncSession, requests: Sequence[Once]) -> list[Outcome]:
    """For a batch that shares one transaction: per request None (go ahead), the first answer, or why not.

    Two requests of one batch with the same key: the first goes ahead, the second hears `StillUnderWay`.
    """
    outcomes: list[Outcome] = [None] * len(requests)
    firsts: dict[tuple[str, str], int] = {}
    for index, once in enumerate(requests):
        if once.key is None:
            continue
        first = firsts.setdefault((once.principal, once.key), index)
        if first != index:
            same = requests[first].fingerprint == once.fingerprint
            outcomes[index] = _under_way() if same else _reused()
    if not firsts:
        return outcomes
    # Everybody takes the locks in one order; `try` never waits, so the order serves fairness alone.
    asked = sorted(firsts)
    locked = await tx.execute(_LOCK, _columns(asked))
    held = {asked[number - 1] for number, got in locked if got}
    for pair in asked:
        if pair not in held:
            outcomes[firsts[pair]] = _under_way()
    if held:
        for row in await tx.execute(_READ, _columns(sorted(held))):
            once = requests[index := firsts[row.principal, row.key]]
            kept = Answered(once, row.status, row.body, row.headers)
            outcomes[index] = kept.response(replayed=True) if row.fingerprint == once.fingerprint else _reused()
    return outcomes


async def record_many(tx: AsyncSession, answers: Sequence[Answered]) -> None:
    """Keep the answers of a batch, those of requests with a key and with a 2xx status, in one statement."""
    kept = [(each, each.once.key) for each in answers if each.once.key is not None and 200 <= each.status < 300]
    if not kept:
        return
    await tx.execute(
        _WRITE,
        {
            "principals": [each.once.principal for each, _ in kept],
            "keys": [key for _, key in kept],
            "fingerprints": [each.once.fingerprint for each, _ in kept],
            "statuses": [each.status for each, _ in kept],
            "headers": [json_bytes(dict(each.headers)).decode() for each, _ in kept],
            "bodies": [each.body for each, _ in kept],
        },
    )


def _columns(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"principals": [principal for principal, _ in pairs], "keys": [key for _, key in pairs]}


def _under_way() -> StillUnderWay:
    return StillUnderWay("Wait for its answer, or ask again in a second.", headers={"Retry-After": "1"})


def _reused() -> KeyReused:
    return KeyReused("The key was used with another method, path or body. Take a new key for a new request.")


def read_key(header: str | None) -> str | None:
    """The key of a header: a structured-field string (quoted, as the draft says) or bare.

    Raises `BadIdempotencyKey`.
    """
    if header is None:
        return None
    given = header.strip()
    key = given[1:-1] if len(given) >= 2 and given[0] == given[-1] == '"' else given
    if not 1 <= len(key) <= MAX_KEY or not all("!" <= sign <= "~" and sign not in '"\\' for sign in key):
        raise BadIdempotencyKey(
            f"Send 1 to {MAX_KEY} visible ASCII characters without quotes or backslashes, such as a UUID.",
            parameter="Idempotency-Key",
        )
    return key


async def once_of(request: Request) -> Once:
    """The header is read by hand: this stands before the hottest door. `shared.web.openapi` documents it."""
    key = read_key(request.headers.get("idempotency-key"))
    if key is None:
        return Once("", None, b"")
    return await _once(request, key, await request.body())


async def once_of_stream(request: Request) -> Callable[[str], Once]:
    """For a body that is streamed, and so can't be looked at first: whoever has read it tells its SHA-256."""
    key = read_key(request.headers.get("idempotency-key"))
    if key is None:
        return lambda digest: Once("", None, b"")
    made = await _once(request, key, b"")
    return lambda digest: replace(made, fingerprint=hashlib.sha256(made.fingerprint + digest.encode()).digest())


async def _once(request: Request, key: str, body: bytes) -> Once:
    principal = await caller(request)
    scope = request.scope
    target = b"\n".join(
        (scope["method"].encode(), scope.get("raw_path") or scope["path"].encode(), scope["query_string"])
    )
    fingerprint = hashlib.sha256(target + b"\n" + body).digest()
    return Once(principal.key if principal else "anonymous", key, fingerprint)


#: How `OnceDep` shows in an OpenAPI document.
PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A request that is repeated with the same key has its effect once (kept for 72 hours).",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!#-\\[\\]-~]+$"},
}
OnceDep = Annotated[Once, Depends(once_of)]
StreamedOnceDep = Annotated[Callable[[str], Once], Depends(once_of_stream)]


async def prune(database: Database, *, kept: timedelta = KEPT, batch: int = 1000) -> int:
    """Delete answers older than `kept`, in small transactions; how many went."""
    gone = 0
    while True:
        async with database.session() as tx:
            deleted = len((await tx.scalars(_PRUNE, {"kept": kept, "batch": batch})).all())
        gone += deleted
        if deleted < batch:
            return gone


def pruning(
    database: Database, sleep: Callable[[float], Awaitable[None]], *, every: float = 600
) -> Callable[[], Awaitable[None]]:
    """A background loop that prunes every `every` seconds."""

    async def prune_idempotency_keys() -> None:
        while True:
            await prune(database)
            await sleep(every)

    return prune_idempotency_keys
