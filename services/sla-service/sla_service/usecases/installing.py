"""Policy packs: which there are, which of them hold, and installing one beside what holds already (F9)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor
from shared.web.errors import NotFound
from sla_service.clocks.conditions import Conditions
from sla_service.clocks.policy import PolicySpec
from sla_service.domain.packs import Pack
from sla_service.store import books
from sla_service.usecases.deps import Deps
from sla_service.usecases.packs import packs
from sla_service.usecases.policies import because_of, keep_calendar, publish


class UnknownPack(NotFound):
    slug, title = "unknown-pack", "There is no such policy pack"


@dataclass(frozen=True, slots=True)
class Standing:
    """A policy of a pack, and its newest version here: None where it is not installed. `own`: a person has changed it
    since, so that it says what that person says."""

    spec: PolicySpec
    version: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Shown:
    pack: Pack
    policies: Sequence[Standing]

    @property
    def installed(self) -> bool:
        return all(one.version is not None for one in self.policies)


@dataclass(frozen=True, slots=True)
class Done:
    """`kept`: a person has changed the policy since it was installed, and it was left as it is."""

    policy_id: str
    version: int
    done: Literal["published", "unchanged", "kept"]


async def list_packs(deps: Deps) -> list[Shown]:
    """Every pack, the users' own among them, and how it stands here."""
    there = await asyncio.to_thread(packs)
    async with deps.reading() as tx:
        newest = await _newest(tx)
    return [Shown(pack, [_standing(spec, pack, newest) for spec in pack.policies]) for pack in there.values()]


async def named(name: str) -> Pack:
    """Raises `UnknownPack`."""
    there = await asyncio.to_thread(packs)
    if name not in there:
        raise UnknownPack(f"There is no pack {name!r}; there are {', '.join(there)}.")
    return there[name]


async def install(tx: AsyncSession, pack: Pack, when: Conditions | None, by: Actor, deps: Deps) -> list[Done]:
    """Publish the policies of the pack, with the conditions `when` instead of its own where they are given. They hold
    for clocks that start from now on, each in its own track. What stands already is left: twice is as good as once.

    Raises `NotAfterTheNewest` where a version of the pack's is still waiting.
    """
    await books.lock_book(tx)
    book = await books.load_book(tx)
    now = deps.clock.now()
    renewed = {spec.calendar_id for spec in pack.calendars if await keep_calendar(tx, book, spec, now)}
    newest = await _newest(tx)
    done = []
    for spec in pack.policies:
        wanted = spec if when is None else spec.model_copy(update={"when": when})
        standing = newest.get(spec.policy_id)
        if standing is not None and standing.reason != because_of(pack.name):
            done.append(Done(spec.policy_id, standing.version, "kept"))
        elif standing is not None and spec.calendar not in renewed and _spec_of(standing) == wanted:
            done.append(Done(spec.policy_id, standing.version, "unchanged"))
        else:
            version = await publish(tx, wanted, None, because_of(pack.name), by, deps)
            done.append(Done(spec.policy_id, version.version, "published"))
    return done


def _standing(spec: PolicySpec, pack: Pack, newest: dict[str, Any]) -> Standing:
    row = newest.get(spec.policy_id)
    if row is None:
        return Standing(spec, None, False)
    return Standing(_spec_of(row), row.version, row.reason != because_of(pack.name))


def _spec_of(row: Any) -> PolicySpec:
    return PolicySpec.model_validate(row.spec)


async def _newest(tx: AsyncSession) -> dict[str, Any]:
    return {row.policy_id: row for row in reversed(await books.policy_rows(tx))}
