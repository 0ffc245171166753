"""Channels as data: stating them, looking at them, and opening them for those who serve them (A1)."""

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from intake_service.channels import ChannelFault, Kind, OpenChannel
from intake_service.channels.cti import due_before
from intake_service.domain.channels import ChannelBody, ChannelSpec, ChannelView, Health, KeptChannel, KindView
from intake_service.store import calls, counts
from intake_service.store import channels as store
from intake_service.usecases.access import Adapter
from intake_service.usecases.deps import Deps
from intake_service.usecases.errors import BadChannel, ChannelIsAnother, NoSuchChannel
from shared.contracts.envelope import Actor
from shared.web.auth import Role
from shared.web.errors import Problem
from shared.web.etag import if_match

MAX_SECRET = 64 * 1024


class SecretAway(ChannelFault):
    """A secret that a channel names can't be read. It says where it was looked for, which is not for strangers."""


async def put_channel(
    channel_id: str, body: ChannelBody, expected: str | None, actor: Actor, deps: Deps
) -> tuple[ChannelView, bool]:
    """Add a channel or change it; whether it is new. Everybody who serves channels hears of it within seconds.

    Raises `BadChannel`, `Invalid` with a pointer into `settings`, `ChannelIsAnother`, `PreconditionFailed`.
    """
    spec = checked(channel_id, body, deps.kinds)
    async with deps.session() as tx:
        await store.lock(tx, channel_id)
        standing = await store.find(tx, channel_id)
        if_match(expected, standing.revision if standing else 0)
        kept = await write(tx, spec, standing, actor, deps)
        view = await _shown(tx, kept, deps)
    deps.channels.changed()
    return view, standing is None


async def disable_channel(channel_id: str, expected: str | None, actor: Actor, deps: Deps) -> ChannelView:
    """It is served no more; what came by it, and how far it was fetched, stays. Raises `NoSuchChannel`,
    `PreconditionFailed`."""
    async with deps.session() as tx:
        await store.lock(tx, channel_id)
        standing = await store.find(tx, channel_id)
        if standing is None:
            raise _no_such(channel_id)
        if_match(expected, standing.revision)
        disabled = standing.spec.model_copy(update={"enabled": False})
        kept = await write(tx, disabled, standing, actor, deps)
        view = await _shown(tx, kept, deps)
    deps.channels.changed()
    return view


def list_kinds(deps: Deps) -> list[KindView]:
    """In order of their names."""
    return [
        KindView(
            kind=kind.name,
            channel=kind.channel,
            fetched=kind.pull is not None,
            settings=kind.settings_model.model_json_schema(),
            secrets=tuple(sorted(kind.secret_names)),
            optional_secrets=tuple(sorted(kind.optional_secrets)),
        )
        for _, kind in sorted(deps.kinds.items())
    ]


async def list_channels(deps: Deps) -> list[ChannelView]:
    async with deps.reading() as tx:
        states, counted = await store.states(tx), await counts.counted(tx)
        found = await store.all_of(tx)
        lost = await calls.lost(tx, due_before([kept.spec for kept in found], deps.clock.now()))
    return [
        _view(kept, states[kept.spec.channel_id], counted, lost.get(kept.spec.channel_id, 0), deps) for kept in found
    ]


async def show_channel(channel_id: str, deps: Deps) -> ChannelView:
    """Raises `NoSuchChannel`."""
    async with deps.reading() as tx:
        kept = await store.find(tx, channel_id)
        if kept is None:
            raise _no_such(channel_id)
        return await _shown(tx, kept, deps)


def checked(channel_id: str, body: ChannelBody, kinds: Mapping[str, Kind]) -> ChannelSpec:
    """The channel with its settings whole. Raises `BadChannel`, `Invalid` with a pointer into `settings`."""
    kind = kinds.get(body.kind)
    if kind is None:
        raise BadChannel(f"There is no kind {body.kind!r}. Kinds: {', '.join(sorted(kinds))}.", pointer="/kind")
    channel = body.channel or kind.channel
    if channel is None:
        raise BadChannel(f"A channel of the kind {kind.name} says which channel it is.", pointer="/channel")
    if kind.channel not in (None, channel):
        raise BadChannel(f"The kind {kind.name} is of the channel {kind.channel}.", pointer="/channel")
    settings = _settings(kind, body.settings).model_dump(mode="json")
    if "\\u0000" in json.dumps(settings):
        raise BadChannel("There is a NUL character in the settings.", pointer="/settings")
    for name in sorted(body.secrets.keys() - kind.secret_names - kind.optional_secrets):
        known = ", ".join(sorted(kind.secret_names | kind.optional_secrets)) or "none"
        raise BadChannel(f"The kind {kind.name} takes no secret {name!r}, but: {known}.", pointer=f"/secrets/{name}")
    for name in sorted(kind.secret_names - body.secrets.keys()):
        raise BadChannel(f"The kind {kind.name} needs the secret {name!r}.", pointer="/secrets")
    stated = body.model_dump(exclude={"channel_id"})
    return ChannelSpec.model_validate({**stated, "channel_id": channel_id, "channel": channel, "settings": settings})


def _settings(kind: Kind, given: Mapping[str, Any]) -> Any:
    try:
        # By JSON, as they come in: lists become tuples, and times are read.
        return kind.settings_model.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise BadChannel.of(error, within=("settings",)) from error


async def write(
    tx: AsyncSession, spec: ChannelSpec, standing: KeptChannel | None, actor: Actor, deps: Deps
) -> KeptChannel:
    if standing is not None:
        _the_same(spec, standing.spec)
        if spec == standing.spec:
            return standing
    revision = standing.revision + 1 if standing else 1
    kept = KeptChannel(spec, revision, deps.clock.now(), actor)
    await store.insert_revision(tx, kept)
    return kept


def _the_same(spec: ChannelSpec, standing: ChannelSpec) -> None:
    for name in ("kind", "channel", "account"):
        if getattr(spec, name) != getattr(standing, name):
            raise ChannelIsAnother(
                f"Channel {spec.channel_id} has the {name} {getattr(standing, name)!r}, and how far it was fetched "
                "belongs to that. Disable it, and make a new one with an id of its own.",
                pointer=f"/{name}",
            )


def _no_such(channel_id: str) -> NoSuchChannel:
    return NoSuchChannel(f"No channel has the id {channel_id}; see GET /v1/channels.")


def secret(spec: ChannelSpec, name: str, deps: Deps) -> str:
    """The secret that the channel calls `name`. Raises `ChannelFault`, which tells where it was looked for."""
    reference = spec.secrets.get(name)
    if reference is None:
        raise ChannelFault(f"The channel names no secret {name!r}.")
    scheme, _, place = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(place, "")
        if not value:
            raise SecretAway(f"Secret {name!r}: set the environment variable {place}.")
        return value
    return _secret_in(Path(place), name, deps.settings.secrets_dir)


def _secret_in(path: Path, name: str, folder: Path | None) -> str:
    if folder is None:
        raise SecretAway(f"Secret {name!r} is in a file; set INTAKE_SECRETS_DIR to the folder where it lies.")
    try:
        found = (folder / path).resolve(strict=True)
        if not found.is_relative_to(folder.resolve()):
            raise SecretAway(f"Secret {name!r}: {path} is not below INTAKE_SECRETS_DIR.")
        with found.open("rb") as file:
            value = file.read(MAX_SECRET + 1)
        if len(value) > MAX_SECRET:
            raise SecretAway(f"Secret {name!r}: {path} is larger than {MAX_SECRET} bytes.")
        return value.decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise SecretAway(f"Secret {name!r}: {path} can't be read ({type(error).__name__}).") from error


def open_channel(spec: ChannelSpec, deps: Deps) -> OpenChannel:
    """With its settings checked and its secrets read. Raises `ChannelFault`."""
    kind = deps.kinds.get(spec.kind)
    if kind is None:
        raise ChannelFault(f"This version knows no kind {spec.kind!r}.")
    try:
        settings = _settings(kind, spec.settings)
    except Problem as problem:
        where = ", ".join(f"{error.pointer}: {error.detail}" for error in problem.errors)
        raise ChannelFault(f"This version does not take the settings: {where}") from problem
    secrets = {name: secret(spec, name, deps) for name in spec.secrets}
    return OpenChannel(spec, settings, secrets, deps.clock)


def principal_of(spec: ChannelSpec) -> Adapter:
    """As whom a channel hands in what arrived."""
    return Adapter(
        f"channel:{spec.channel_id}",
        frozenset({Role.ADAPTER}),
        name=spec.title.en,
        channel=spec.channel,
    )


async def _shown(tx: AsyncSession, kept: KeptChannel, deps: Deps) -> ChannelView:
    channel_id = kept.spec.channel_id
    lost = await calls.lost(tx, due_before([kept.spec], deps.clock.now()))
    state, counted = await store.state(tx, channel_id), await counts.counted(tx)
    return _view(kept, state, counted, lost.get(channel_id, 0), deps)


def _view(
    kept: KeptChannel, state: RowMapping, counted: Mapping[tuple[str, str], RowMapping], lost: int, deps: Deps
) -> ChannelView:
    spec, now = kept.spec, deps.clock.now()
    problems = _problems(spec, state, deps) if spec.enabled else ()
    last_contact: datetime | None = state["last_contact_at"]
    received = counted.get((spec.channel, spec.account))
    return ChannelView(
        **spec.model_dump(exclude={"title"}),
        title=spec.title.bilingual(),
        revision=kept.revision,
        changed_at=kept.changed_at,
        changed_by=kept.changed_by,
        health=_health(spec, problems, last_contact, deps.kinds),
        problems=problems,
        last_message_at=state["last_message_at"] or (received["last_at"] if received else None),
        last_contact_at=last_contact,
        lag_seconds=max(0.0, (now - last_contact).total_seconds()) if last_contact and spec.enabled else None,
        waiting=state["waiting"],
        unaccounted=state["exist"] - state["taken"] + lost,
    )


def _problems(spec: ChannelSpec, state: RowMapping, deps: Deps) -> tuple[str, ...]:
    try:
        open_channel(spec, deps)
    except ChannelFault as fault:
        return (str(fault),)
    return (state["last_error"],) if state["last_error"] else ()


def _health(
    spec: ChannelSpec, problems: tuple[str, ...], last_contact: datetime | None, kinds: Mapping[str, Kind]
) -> Health:
    if not spec.enabled:
        return Health.DISABLED
    if problems:
        return Health.UNHEALTHY
    return Health.IDLE if kinds[spec.kind].pull is not None and last_contact is None else Health.HEALTHY


async def current(deps: Deps) -> Mapping[str, KeptChannel]:
    """Every channel as it holds, by its id; as old as `INTAKE_CHANNELS_REFRESH_SECONDS` at most."""
    book = deps.channels
    if time.monotonic() >= book.fresh_until:
        seconds = deps.settings.channels_refresh_seconds
        if book.fresh_until:
            # One looks, the others go on with what is known. What was never read or was changed here, all wait for.
            book.fresh_until = time.monotonic() + seconds
        async with deps.reading() as tx:
            book.kept = {kept.spec.channel_id: kept for kept in await store.all_of(tx)}
        book.fresh_until = time.monotonic() + seconds
    return book.kept


async def teams_of(channel: str, account: str, deps: Deps) -> tuple[str, ...]:
    """The teams that own what comes by this channel and account: of an enabled channel before a disabled one."""
    specs = [kept.spec for kept in (await current(deps)).values()]
    owned = [spec for spec in specs if (spec.channel, spec.account) == (channel, account)]
    owned.sort(key=lambda spec: not spec.enabled)
    return tuple(filter(None, (owned[0].owner_team, owned[0].co_owner_team))) if owned else ()


async def accounts_of(team: str, deps: Deps) -> set[tuple[str, str]]:
    """The (channel, account) that the team owns or shares."""
    specs = [kept.spec for kept in (await current(deps)).values()]
    return {(spec.channel, spec.account) for spec in specs if team in (spec.owner_team, spec.co_owner_team)}


async def serving(kind: str, channel_id: str, deps: Deps) -> OpenChannel:
    """An enabled channel of this kind, for a door that is pushed to. Raises `NoSuchChannel` (also where it is disabled
    or of another kind), `ChannelFault`."""
    kept = (await current(deps)).get(channel_id)
    if kept is None or not kept.spec.enabled or kept.spec.kind != kind:
        raise NoSuchChannel(f"No enabled channel of the kind {kind} has this id.")
    return open_channel(kept.spec, deps)
