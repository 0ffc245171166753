"""Adapters' keys: issuing, revoking, and what a key lets its adapter do (G3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from intake_service.domain.message import MessageSource
from intake_service.domain.record import StatedChannel
from intake_service.domain.views import AdapterKeyView, NewAdapterKey
from intake_service.store import keys as store
from intake_service.usecases.deps import Deps, Sessions
from intake_service.usecases.errors import NoSuchKey, NotYourChannel
from shared.contracts.vocabulary import Channel
from shared.web.auth import KeyLookup, Principal, Role, new_key

SHOWN_CHARACTERS = 11


@dataclass(frozen=True, slots=True)
class Adapter(Principal):
    """A channel adapter that came with a key, bound to a channel, or to one account of it, or to none."""

    channel: Channel | None = None
    account: str | None = None


def check_channel(principal: Principal, stated: StatedChannel | MessageSource, *, part: str = "channel") -> None:
    """Raises `NotYourChannel` where the key is bound to another channel or account than `part` states."""
    if not isinstance(principal, Adapter):
        return
    if principal.channel is not None and principal.channel != stated.channel:
        raise NotYourChannel(f"This key is for the channel {principal.channel}.", pointer=f"/{part}/channel")
    if principal.account is not None and principal.account != stated.account:
        raise NotYourChannel(f"This key is for the account {principal.account!r}.", pointer=f"/{part}/account")


def key_lookup(session: Sessions) -> KeyLookup:
    """Tells `shared.web.auth` whose key it is, by its hash; None for one that is not known or was revoked."""

    async def lookup(hashed: str) -> Principal | None:
        async with session() as tx:
            row = await store.find_by_hash(tx, hashed)
        if row is None:
            return None
        return Adapter(
            subject=str(row["id"]),
            roles=frozenset({Role.ADAPTER}),
            name=row["name"],
            channel=Channel(row["channel"]) if row["channel"] else None,
            account=row["account"],
        )

    return lookup


async def issue_key(
    name: str, channel: Channel | None, account: str | None, principal: Principal, deps: Deps
) -> NewAdapterKey:
    """A new key, told this once."""
    key, hashed = new_key()
    row = {
        "id": deps.ids(),
        "name": name,
        "prefix": key[:SHOWN_CHARACTERS],
        "hash": hashed,
        "channel": channel,
        "account": account,
        "created_at": deps.clock.now(),
        "created_by": principal.name or principal.subject,
    }
    async with deps.session() as tx:
        kept = await store.insert_key(tx, row)
    return NewAdapterKey(**_view(kept), key=key)


async def list_keys(after: tuple[datetime, UUID] | None, limit: int, deps: Deps) -> Sequence[AdapterKeyView]:
    async with deps.reading() as tx:
        rows = await store.page_of(tx, after, limit)
    return [AdapterKeyView(**_view(row)) for row in rows]


async def revoke_key(key_id: UUID, principal: Principal, deps: Deps) -> AdapterKeyView:
    """From now on the key is refused, within the few seconds that other processes remember it. Raises `NoSuchKey`."""
    async with deps.session() as tx:
        row = await store.revoke(tx, key_id, deps.clock.now(), principal.name or principal.subject)
    if row is None:
        raise NoSuchKey("Look the key's id up in GET /v1/adapter-keys.")
    return AdapterKeyView(**_view(row))


def _view(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in AdapterKeyView.model_fields}
