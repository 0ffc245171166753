"""A draft of policies or calendars over a stretch of history: how it would have gone (F9, F11)."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.envelope import ComplaintFacts
from shared.web.errors import Invalid
from sla_service.clocks.facts import Fact
from sla_service.clocks.instants import micros
from sla_service.clocks.policy import Book, gap, overlap
from sla_service.clocks.whatif import Draft, GroupKind, Pair, Tally, drafted, groups_of, pairs
from sla_service.store import books, histories
from sla_service.store.histories import History
from sla_service.usecases.attainment import BadStretch
from sla_service.usecases.deps import Deps
from sla_service.usecases.policies import PolicyGap, PolicyOverlap, UnknownCalendar

#: Histories that one snapshot looks at, complaints of one simulation, and differing clocks that are told in full.
_PAGE = 100
_AT_MOST = 20_000
_TOLD = 500
_LONGEST = timedelta(days=366)


class TooMuchToSimulate(Invalid):
    slug, title = "too-much-to-simulate", "There are too many complaints in the stretch"


@dataclass(frozen=True, slots=True)
class Differing:
    """A clock that the draft changes, and the number of its complaint."""

    number: str
    pair: Pair


@dataclass(slots=True)
class Simulation:
    """What became of the complaints that were received in a stretch, by the rules as they are and by a draft, as far as
    it shows at `seen`. `found` holds the first five hundred clocks that differ."""

    since: datetime
    until: datetime
    seen: datetime
    complaints: int = 0
    total: Tally = field(default_factory=Tally)
    groups: dict[GroupKind, dict[str | None, Tally]] = field(default_factory=dict)
    found: list[Differing] = field(default_factory=list)

    def add(self, complaint: ComplaintFacts, issue_type: str | None, clocks: Iterable[Pair], zone: ZoneInfo) -> None:
        self.complaints += 1
        for pair in clocks:
            self.total = self.total.plus(pair)
            for kind, name in groups_of(pair, issue_type, zone).items():
                group = self.groups.setdefault(kind, {})
                group[name] = group.get(name, Tally()).plus(pair)
            if pair.differs and len(self.found) < _TOLD:
                self.found.append(Differing(complaint.number, pair))


async def simulate(draft: Draft, since: datetime, until: datetime, deps: Deps) -> Simulation:
    """The complaints received in ``[since, until)`` by the rules as they are and by the draft. Changes nothing.

    Raises `BadStretch`, `TooMuchToSimulate`, `UnknownCalendar`, `PolicyGap`, `PolicyOverlap`.
    """
    if until <= since:
        raise BadStretch("`to` must be after `from`; `from` belongs to the stretch, `to` does not.", pointer="/to")
    if until - since > _LONGEST:
        raise BadStretch(f"At most {_LONGEST.days} days; simulate each year on its own.", pointer="/to")
    async with deps.reading() as tx:
        book = await books.load_book(tx)
        if await histories.received_between(tx, since, until, _AT_MOST + 1) > _AT_MOST:
            raise TooMuchToSimulate(f"More than {_AT_MOST} complaints; choose a shorter stretch.", pointer="/to")
    return await counted(book, with_draft(book, draft), since, until, deps)


def with_draft(book: Book, draft: Draft) -> Book:
    """The book as if the draft had always held. Raises `UnknownCalendar`, `PolicyGap`, `PolicyOverlap`."""
    known = {name for name, _ in book.calendars} | {spec.calendar_id for spec in draft.calendars}
    for place, spec in enumerate(draft.policies):
        if spec.calendar not in known:
            raise UnknownCalendar(
                f"There is no calendar {spec.calendar!r}; there are {', '.join(sorted(known))}.",
                pointer=f"/policies/{place}/calendar",
            )
    made = drafted(book, draft)
    holding = [versions[-1].spec for versions in made.versions.values() if not versions[-1].ended]
    if problem := gap(holding):
        raise PolicyGap(f"With this draft {problem}.", pointer="/policies")
    for place, spec in enumerate(draft.policies):
        if other := overlap(spec, holding):
            raise PolicyOverlap(
                f"{other.policy_id} stands at position {spec.position} of track {spec.track} too, and a complaint may "
                "meet both.",
                pointer=f"/policies/{place}/position",
            )
    return made


async def counted(before: Book, after: Book, since: datetime, until: datetime, deps: Deps) -> Simulation:
    """Page by page, so that others are served meanwhile."""
    seen = deps.clock.now()
    made = Simulation(since, until, seen)
    zone = ZoneInfo(deps.settings.time_zone)
    async for history, facts in _histories(since, until, deps):
        complaint = history.complaint
        assert complaint is not None  # only complaints are received
        clocks = pairs(history.history_id, complaint, facts, before, after, micros(seen))
        made.add(complaint, _issue_type(facts), clocks, zone)
    return made


async def _histories(since: datetime, until: datetime, deps: Deps) -> AsyncIterator[tuple[History, list[Fact]]]:
    """A snapshot a page: the histories of complaints received in ``[since, until)`` with their facts."""
    after: UUID | None = None
    while True:
        async with deps.reading() as tx:
            page = await histories.received_after(tx, since, until, after, _PAGE)
            facts = await histories.facts_of(tx, [one.history_id for one in page])
        if not page:
            return
        for history in page:
            yield history, facts[history.history_id]
            await asyncio.sleep(0)
        after = page[-1].history_id


def _issue_type(facts: Iterable[Fact]) -> str | None:
    """As it was last classified."""
    classified = [fact for fact in facts if fact.about is not None and fact.about.issue_type]
    last = max(classified, key=lambda one: (one.revision, one.at), default=None)
    return last.about.issue_type if last and last.about else None
