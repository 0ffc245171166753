"""What a complaint is at each instant, as far as policies choose by it.

A function of the set of facts. The complaint as it was received is the beginning; a later word of the one who keeps
complaints (its facts carry `about`) changes customer level, product, region and organisation from its own instant on,
each classification kind, issue type and tags, each revision of the urgency that. What was known stays known: an empty
value (an erasure, the tags of a classification by hand) changes nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from shared.contracts.envelope import ComplaintFacts
from sla_service.clocks.conditions import Subject
from sla_service.clocks.facts import IN_TIME, About, Fact, FactKind
from sla_service.clocks.urgencies import urgencies_of

_NAMES = ("level", "product", "region", "organisation", "kind", "issue_type", "tags")


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at` on the complaint is something else, since this fact."""

    at: int
    fact_id: UUID
    subject: Subject


class Subjects:
    """What a complaint is from when on; None for what is no complaint."""

    def __init__(self, first: Subject | None, turns: Sequence[Turn] = ()) -> None:
        self._first = first
        self._turns = turns
        self._instants = [one.at for one in turns]

    def at(self, instant: int) -> Subject | None:
        place = bisect_right(self._instants, instant) - 1
        return self._turns[place].subject if place >= 0 else self._first

    def between(self, start: int, end: int | None) -> list[Turn]:
        """What changed after `start` and before `end`."""
        return [one for one in self._turns if one.at > start and (end is None or one.at < end)]


def subjects_of(complaint: ComplaintFacts, received_at: int, facts: Sequence[Fact]) -> Subjects:
    told = sorted((one for one in facts if one.about), key=IN_TIME)
    first = Subject(
        channel=complaint.channel.value,
        level=complaint.customer.level,
        product=complaint.product,
        region=complaint.region,
        organisation=complaint.organisation,
        urgency=complaint.urgency.value,
    )
    changes: list[tuple[int, UUID, dict[str, Any]]] = []
    for fact in told:
        assert fact.about is not None
        if fact.kind is FactKind.RECEIVED:
            first = replace(first, **_known(fact.about))
        elif fact.kind is not FactKind.CLASSIFIED:
            changes.append((max(fact.at, received_at), fact.fact_id, _known(fact.about)))
    since = received_at
    for fact in sorted((one for one in told if one.kind is FactKind.CLASSIFIED), key=lambda one: one.revision):
        assert fact.about is not None
        since = max(since, fact.at)
        changes.append((since, fact.fact_id, _known(fact.about)))
    for place, (at, fact_id, urgency) in enumerate(urgencies_of(received_at, facts)):
        if place == 0:
            first = replace(first, urgency=urgency.value)
        else:
            changes.append((at, fact_id, {"urgency": urgency.value}))
    return Subjects(first, _turns(first, sorted(changes, key=lambda one: one[0])))


def _known(about: About) -> dict[str, Any]:
    return {name: value for name in _NAMES if (value := getattr(about, name))}


def _turns(subject: Subject, changes: Iterable[tuple[int, UUID, dict[str, Any]]]) -> list[Turn]:
    """One turn for all that changes at an instant."""
    turns: list[Turn] = []
    for at, fact_id, values in changes:
        changed = replace(subject, **values)
        if changed == subject:
            continue
        subject = changed
        if turns and turns[-1].at == at:
            turns.pop()
        turns.append(Turn(at, fact_id, subject))
    return turns
