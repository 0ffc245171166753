"""Which urgency held when."""

from collections.abc import Sequence
from uuid import UUID

from shared.contracts.vocabulary import Urgency
from sla_service.clocks.facts import Fact, FactKind


def urgencies_of(received_at: int, facts: Sequence[Fact]) -> list[tuple[int, UUID, Urgency]]:
    """From when on which urgency held: since its classification, or (not yet heard of) the first that knew of it."""
    first: dict[int, Fact] = {}
    for fact in facts:
        if fact.urgency is None:
            continue
        known = first.get(fact.urgency_revision)
        if known is None or _tells_earlier(fact, known):
            first[fact.urgency_revision] = fact
    found: list[tuple[int, UUID, Urgency]] = []
    for revision, fact in sorted(first.items()):
        assert fact.urgency is not None
        since = received_at if revision == 0 else max(fact.at, received_at)
        if found and found[-1][0] > since:
            since = found[-1][0]
        if not found or found[-1][2] is not fact.urgency:
            found.append((since, fact.fact_id, fact.urgency))
    return found


def _tells_earlier(fact: Fact, known: Fact) -> bool:
    return (fact.kind is not FactKind.CLASSIFIED, fact.at, fact.fact_id) < (
        known.kind is not FactKind.CLASSIFIED,
        known.at,
        known.fact_id,
    )
