"""Policies and calendars: seeded from a pack, then changed by versions (F9)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor, ActorKind
from shared.web.errors import Conflict, Invalid, NotFound
from sla_service.clocks.calendar import CalendarSpec
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import Book, ChangeMode, PolicySpec, PolicyVersion, gap, overlap
from sla_service.store import books
from sla_service.store.turns import Turn
from sla_service.usecases.deps import Deps
from sla_service.usecases.packs import load_pack
from sla_service.usecases.turns import plan

#: The first version of a pack's policies holds for every complaint, however old.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_PACK = Actor(kind=ActorKind.SYSTEM, id="policy-pack")


class UnknownCalendar(Invalid):
    slug, title = "unknown-calendar", "The policy names a calendar that does not exist"


class PolicyGap(Invalid):
    slug, title = "policy-gap", "Some complaints would have no policy"


class NotInThePast(Invalid):
    slug, title = "policy-in-the-past", "A policy cannot begin to hold in the past"


class NotAfterTheNewest(Conflict):
    slug, title = "policy-not-newest", "A later version is already waiting"


class PolicyOverlap(Invalid):
    slug, title = "policy-overlap", "Two policies would hold at the same position"


class NoSuchPolicy(NotFound):
    slug, title = "no-such-policy", "There is no such policy"


class PolicyEnded(Conflict):
    slug, title = "policy-ended", "The policy has ended already"


def because_of(pack: str) -> str:
    """The reason of a version that a pack brought; any other is a person's own."""
    return f"pack {pack}"


async def seed_pack(deps: Deps) -> None:
    """Keep the pack's policies and calendars where they are new or the pack has changed.

    A policy or calendar that a person has changed since is left as it is; what changes holds from now on.

    Raises `PackError`.
    """
    specs, calendars = load_pack(deps.settings.policy_pack)
    async with deps.session() as tx:
        await books.lock_book(tx)
        book = await books.load_book(tx)
        now = deps.clock.now()
        renewed = {spec.calendar_id for spec in calendars if await keep_calendar(tx, book, spec, now)}
        authors = {row.policy_id: row.created_by["id"] for row in reversed(await books.policy_rows(tx))}
        changed = bool(renewed)
        for spec in specs:
            versions = book.versions.get(spec.policy_id, [])
            newest = versions[-1] if versions else None
            unchanged = newest is not None and newest.spec == spec and spec.calendar not in renewed
            if unchanged or (newest is not None and authors[spec.policy_id] != _PACK.id):
                continue
            version = PolicyVersion(
                spec=spec,
                version=newest.version + 1 if newest else 1,
                valid_from=max(now, newest.valid_from) if newest else _ALWAYS,
                calendar_version=book.calendar_version(spec.calendar, micros(now)) + (spec.calendar in renewed),
            )
            reason = because_of(deps.settings.policy_pack)
            await books.add_policy(tx, version, reason=reason, by=_PACK, now=now)
            changed = True
        if changed:
            await books.next_revision(tx)


async def keep_calendar(tx: AsyncSession, book: Book, spec: CalendarSpec, now: datetime) -> bool:
    """Keep a calendar that a pack brings; whether it is new or renewed. One that a person has changed stays."""
    newest = _newest_calendar(book, spec.calendar_id)
    if any(one.calendar.spec.calendar_id == spec.calendar_id for one in book.dated):
        return False
    if newest and book.calendars[spec.calendar_id, newest].spec == spec:
        return False
    await books.add_calendar(tx, spec, newest + 1, now)
    return True


def _newest_calendar(book: Book, calendar_id: str) -> int:
    """Its version, 0 where there is none."""
    return max((version for known, version in book.calendars if known == calendar_id), default=0)


async def publish(
    tx: AsyncSession,
    spec: PolicySpec,
    valid_from: datetime | None,
    reason: str,
    by: Actor,
    deps: Deps,
    change: ChangeMode = "keep",
) -> PolicyVersion:
    """A new version of a policy, which holds for clocks that start from `valid_from` (or now) on. What runs then
    changes as `change` says.

    Raises `UnknownCalendar`, `PolicyGap`, `PolicyOverlap`, `NotInThePast`, `NotAfterTheNewest`.
    """
    await books.lock_book(tx)
    book = await books.load_book(tx)
    now = deps.clock.now()
    start = _start(book, spec.policy_id, valid_from, now, "/valid_from")
    calendar_version = book.calendar_version(spec.calendar, micros(start))
    if not calendar_version:
        known = ", ".join(sorted({calendar_id for calendar_id, _ in book.calendars}))
        raise UnknownCalendar(f"There is no calendar {spec.calendar!r}; there are {known}.", pointer="/policy/calendar")
    others = _others(book, spec.policy_id)
    if problem := gap([*others, spec]):
        raise PolicyGap(f"With this version {problem}.", pointer="/policy/rules")
    if other := overlap(spec, others):
        raise PolicyOverlap(
            f"{other.policy_id} stands at position {spec.position} of track {spec.track} too, and a complaint may meet "
            "both; give this one another position or conditions that exclude each other.",
            pointer="/policy/position",
        )
    versions = book.versions.get(spec.policy_id, [])
    version = PolicyVersion(
        spec=spec,
        version=versions[-1].version + 1 if versions else 1,
        valid_from=start,
        calendar_version=calendar_version,
        change=change,
    )
    await _add(tx, version, versions, reason, by, now, deps)
    return version


async def end(
    tx: AsyncSession,
    policy_id: str,
    valid_to: datetime | None,
    change: ChangeMode,
    reason: str,
    by: Actor,
    deps: Deps,
) -> PolicyVersion:
    """From `valid_to` (or now) on no clock chooses the policy. What runs under it then goes on (`keep`), or moves to
    the next policy of its track that fits, or is cancelled where there is none.

    Raises `NoSuchPolicy`, `PolicyEnded`, `PolicyGap`, `NotInThePast`, `NotAfterTheNewest`.
    """
    await books.lock_book(tx)
    book = await books.load_book(tx)
    now = deps.clock.now()
    versions = book.versions.get(policy_id)
    if not versions:
        raise NoSuchPolicy(f"There is no policy {policy_id!r}; see GET /v1/policies.")
    start = _start(book, policy_id, valid_to, now, "/valid_to")
    newest = versions[-1]
    if newest.ended:
        raise PolicyEnded(f"{policy_id} holds no more from {newest.valid_from.isoformat()} on.")
    if problem := gap(_others(book, policy_id)):
        raise PolicyGap(f"Without {policy_id} {problem}.")
    version = newest.model_copy(
        update={"version": newest.version + 1, "valid_from": start, "change": change, "ended": True}
    )
    await _add(tx, version, versions, reason, by, now, deps)
    return version


def _start(book: Book, policy_id: str, given: datetime | None, now: datetime, pointer: str) -> datetime:
    """From when a change holds. Raises `NotInThePast`, `NotAfterTheNewest`."""
    if given is not None and given < now:
        raise NotInThePast(
            f"{pointer[1:]} is before {now.isoformat()}: what was promised stays. Leave it out for now.",
            pointer=pointer,
        )
    start = given or now
    versions = book.versions.get(policy_id, [])
    if versions and start < versions[-1].valid_from:
        raise NotAfterTheNewest(
            f"Version {versions[-1].version} holds from {versions[-1].valid_from.isoformat()}; choose a later instant.",
            pointer=pointer,
        )
    return start


def _others(book: Book, policy_id: str) -> list[PolicySpec]:
    newest = [versions[-1] for known, versions in book.versions.items() if known != policy_id]
    return [one.spec for one in newest if not one.ended]


async def _add(
    tx: AsyncSession,
    version: PolicyVersion,
    before: Sequence[PolicyVersion],
    reason: str,
    by: Actor,
    now: datetime,
    deps: Deps,
) -> None:
    await books.add_policy(tx, version, reason=reason, by=by, now=now)
    if version.change != "keep":
        metrics = {*version.spec.rules, *(before[-1].spec.rules if before else ())}
        turn = Turn("policy", version.policy_id, version.version, tuple(sorted(metrics)), None)
        await plan(tx, turn, version.valid_from, deps)
    await books.next_revision(tx)


async def policy_rows(deps: Deps) -> list[Any]:
    async with deps.reading() as tx:
        return list(await books.policy_rows(tx))


async def calendar_rows(deps: Deps) -> list[Any]:
    async with deps.reading() as tx:
        return list(await books.calendar_rows(tx))
