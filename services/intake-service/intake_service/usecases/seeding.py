"""Channels from a file, so that they can be kept in git.

The rule: the table is the truth. An entry of the file is put into it when the channel is not there yet, or when the
entry is another than the file had when it was read last; so what was changed by the API stands until the file says
something new. A channel that the file does not name any more is left as it is.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from intake_service.domain.channels import ChannelBody, ChannelId
from intake_service.store import channels as store
from intake_service.usecases.channels import checked, write
from intake_service.usecases.deps import Deps
from shared.contracts.envelope import Actor, ActorKind
from shared.web.errors import Problem, pointer_of

_SEED = Actor(kind=ActorKind.SYSTEM, id="channels-file", name="")


class ChannelsFileError(ValueError):
    """A file of channels that cannot be used; the message names the file, the channel and the field."""


class _Entry(ChannelBody):
    channel_id: ChannelId


_ENTRIES: TypeAdapter[tuple[_Entry, ...]] = TypeAdapter(tuple[_Entry, ...])


async def seed_channels(deps: Deps) -> None:
    """Put what is new in the file into the table. Raises `ChannelsFileError`; nothing is changed then."""
    path = deps.settings.channels
    if path is None:
        return
    entries = read_file(path)
    async with deps.session() as tx:
        for entry in sorted(entries, key=lambda each: each.channel_id):
            try:
                spec = checked(entry.channel_id, entry, deps.kinds)
                digest = hashlib.sha256(json.dumps(entry.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
                await store.lock(tx, entry.channel_id)
                standing = await store.find(tx, entry.channel_id)
                if standing is not None and (await store.state(tx, entry.channel_id))["seeded"] == digest:
                    continue
                await write(tx, spec, standing, _SEED, deps)
                await store.remember_seed(tx, entry.channel_id, digest)
            except Problem as problem:
                where = "; ".join(f"{error.pointer}: {error.detail}" for error in problem.errors) or problem.detail
                raise ChannelsFileError(f"{path}: channel {entry.channel_id}: {where}") from problem


def read_file(path: Path) -> tuple[_Entry, ...]:
    """The file's list of channels. Raises `ChannelsFileError`."""
    import yaml

    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        # By JSON, as at the HTTP door.
        entries = _ENTRIES.validate_json(json.dumps([] if content is None else content))
    except OSError as error:
        raise ChannelsFileError(f"{path}: {error.strerror}; INTAKE_CHANNELS is a YAML file") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = pointer_of(first["loc"]) or "the whole, which is a list of channels"
        raise ChannelsFileError(f"{path}: {where}: {first['msg']}") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ChannelsFileError(f"{path}: not YAML: {error}") from None
    named = [entry.channel_id for entry in entries]
    for channel_id in named:
        if named.count(channel_id) > 1:
            raise ChannelsFileError(f"{path}: channel {channel_id} is there twice")
    return entries
