"""Shadow policies: drafts that run on what comes in, and tell nothing but how it would have gone (F9)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor
from shared.web.errors import Conflict, NotFound, Problem
from sla_service.clocks.whatif import Draft, GroupKind, Tally
from sla_service.store import books, shadows
from sla_service.usecases.deps import Deps
from sla_service.usecases.simulate import Simulation, counted, with_draft

log = structlog.get_logger()


class NoSuchShadow(NotFound):
    slug, title = "no-such-shadow", "There is no shadow of that name"


class ShadowExists(Conflict):
    slug, title = "shadow-exists", "A shadow of that name is there already"


@dataclass(frozen=True, slots=True)
class GroupTally:
    kind: GroupKind
    group: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a shadow has counted so far."""

    complaints: int
    total: Tally
    groups: list[GroupTally]

    @classmethod
    def of(cls, made: Simulation) -> "Statistics":
        return cls(made.complaints, made.total, grouped(made))


def grouped(made: Simulation) -> list[GroupTally]:
    """By kind, the most breaches first."""
    return [
        GroupTally(kind, name, tally)
        for kind, groups in made.groups.items()
        for name, tally in sorted(groups.items(), key=lambda one: (-one[1].breaches_before, str(one[0])))
    ]


DRAFT = TypeAdapter(Draft)
STATISTICS = TypeAdapter(Statistics)


@dataclass(frozen=True, slots=True)
class Shadow:
    shadow_id: str
    draft: Draft
    since: datetime
    until: datetime
    reason: str
    created_by: Actor
    created_at: datetime
    counted_at: datetime | None
    statistics: Statistics | None
    problem: str | None


async def begin(
    tx: AsyncSession, shadow_id: str, draft: Draft, days: int, reason: str, by: Actor, deps: Deps
) -> Shadow:
    """Count complaints that are received from now on, for so many days.

    Raises `ShadowExists`, `UnknownCalendar`, `PolicyGap`, `PolicyOverlap`.
    """
    now = deps.clock.now()
    made = Shadow(shadow_id, draft, now, now + timedelta(days=days), reason, by, now, None, None, None)
    with_draft(await books.load_book(tx), draft)
    row = {
        "shadow_id": shadow_id,
        "draft": DRAFT.dump_python(draft, mode="json"),
        "since": made.since,
        "until": made.until,
        "reason": reason,
        "created_by": by.model_dump(mode="json"),
        "created_at": now,
    }
    if not await shadows.add(tx, row):
        raise ShadowExists(f"Choose another name than {shadow_id}; its figures are kept.", pointer="/shadow_id")
    return made


async def all_shadows(deps: Deps) -> Sequence[Shadow]:
    async with deps.reading() as tx:
        return [_shadow(row) for row in await shadows.rows(tx)]


async def shadow(shadow_id: str, deps: Deps) -> Shadow:
    """Raises `NoSuchShadow`."""
    async with deps.reading() as tx:
        row = await shadows.row(tx, shadow_id)
    if row is None:
        raise NoSuchShadow(f"GET /v1/shadows tells which there are; {shadow_id} is none of them.")
    return _shadow(row)


async def end(shadow_id: str, deps: Deps) -> Shadow:
    """It counts no complaint that is received later; its figures stay. Raises `NoSuchShadow`."""
    async with deps.session() as tx:
        await shadows.end(tx, shadow_id, deps.clock.now())
    return await shadow(shadow_id, deps)


async def keep_counting(deps: Deps) -> None:
    """For ever: each shadow anew after `shadow_minutes`, by one of all replicas."""
    every = timedelta(minutes=deps.settings.shadow_minutes)
    while True:
        while await count_one(deps):
            pass
        await show(deps)
        await deps.clock.wait(deps.clock.now() + every, asyncio.Event())


async def count_one(deps: Deps) -> bool:
    """Count the shadow that has waited longest; whether there was one to count."""
    now = deps.clock.now()
    async with deps.session() as tx:
        row = await shadows.claim(tx, now - timedelta(minutes=deps.settings.shadow_minutes) / 2)
        if row is None:
            return False
        one = _shadow(row)
        statistics, problem = None, None
        try:
            book = await books.load_book(tx)
            made = await counted(book, with_draft(book, one.draft), one.since, one.until, deps)
            statistics = STATISTICS.dump_python(Statistics.of(made), mode="json")
        except Problem as error:
            problem = error.detail
            log.warning("a shadow cannot be counted", shadow=one.shadow_id, reason=problem)
        await shadows.keep(tx, one.shadow_id, now, statistics, problem)
    return True


async def show(deps: Deps) -> None:
    """The gauges as last counted, by whichever replica."""
    deps.shadow_breaches.clear()
    for one in await all_shadows(deps):
        if one.statistics is not None:
            total = one.statistics.total
            deps.shadow_breaches.labels(one.shadow_id, "holding").set(total.breaches_before)
            deps.shadow_breaches.labels(one.shadow_id, "draft").set(total.breaches_after)


def _shadow(row: Any) -> Shadow:
    return Shadow(
        row.shadow_id,
        DRAFT.validate_python(row.draft),
        row.since,
        row.until,
        row.reason,
        Actor.model_validate(row.created_by),
        row.created_at,
        row.counted_at,
        None if row.statistics is None else STATISTICS.validate_python(row.statistics),
        row.problem,
    )
