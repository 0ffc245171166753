"""Questions to the archive: the file of a case, similar cases, trends (E1, E8, B4)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from insight_service.domain.archiving import whole
from insight_service.domain.improving import ComplaintNotFound
from insight_service.domain.similarity import Candidate, rank
from insight_service.store import archive, complaints, trends
from insight_service.usecases.deps import Deps


@dataclass(frozen=True)
class ArchivedEvent:
    seq: int
    event_id: UUID
    type: str
    source: str
    subject: str
    complaint_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]


async def read_archive(
    *,
    complaint_id: UUID | None,
    subject: str | None,
    type_: str | None,
    after: int,
    limit: int,
    personal: bool,
    deps: Deps,
) -> Sequence[ArchivedEvent]:
    """Events in the order of their archiving. `personal` puts the personal parts back where they stand still."""
    async with deps.reading() as tx:
        rows = await archive.events_of(
            tx, complaint_id=complaint_id, subject=subject, type_=type_, after=after, limit=limit
        )
    return [
        ArchivedEvent(
            seq=row.seq,
            event_id=row.event_id,
            type=row.type,
            source=row.source,
            subject=row.subject,
            complaint_id=row.complaint_id,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            data=whole(row.facts, row.parts) if personal else row.facts,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class SimilarCase:
    """An earlier case, why it is like this one, and what came of it."""

    complaint_id: UUID
    number: str
    score: float
    shared_terms: tuple[str, ...]
    same_issue_type: bool
    summary: str
    received_at: datetime
    issue_type: str | None
    responsible: str | None
    state: str | None
    measure_kinds: tuple[str, ...]
    satisfaction: int | None


async def similar_cases(complaint_id: UUID, limit: int, deps: Deps) -> Sequence[SimilarCase]:
    settings = deps.settings
    async with deps.reading() as tx:
        one = await complaints.complaint(tx, complaint_id)
        if one is None:
            raise ComplaintNotFound("insight-service has heard of no complaint with this id.")
        if not one.terms:
            return []
        rows = await complaints.candidates(tx, one.terms, complaint_id, settings.similar_candidates)
    known = {row.complaint_id: row for row in rows}
    matches = rank(_candidate(one), [_candidate(row) for row in rows], at_least=settings.similar_at_least, limit=limit)
    return [
        SimilarCase(
            complaint_id=match.complaint_id,
            number=known[match.complaint_id].number,
            score=match.score,
            shared_terms=match.shared,
            same_issue_type=match.same_issue_type,
            summary=known[match.complaint_id].summary,
            received_at=known[match.complaint_id].received_at,
            issue_type=known[match.complaint_id].issue_type,
            responsible=known[match.complaint_id].responsible,
            state=known[match.complaint_id].state,
            measure_kinds=tuple(known[match.complaint_id].measure_kinds or ()),
            satisfaction=known[match.complaint_id].satisfaction,
        )
        for match in matches
    ]


def _candidate(row: Any) -> Candidate:
    return Candidate(row.complaint_id, frozenset(row.terms), row.issue_type, row.responsible)


@dataclass(frozen=True)
class TrendRow:
    """One value in one period. Means are over those that have come so far; their counts stand beside them."""

    period: str
    value: str | None
    count: int
    share: float
    mean_seconds_to_respond: float | None
    responded: int
    mean_seconds_to_resolve: float | None
    resolved: int
    reopened: int
    mean_satisfaction: float | None
    answered: int


async def count_trends(
    *, period: str, dimension: str, start: datetime, end: datetime, deps: Deps
) -> Sequence[TrendRow]:
    async with deps.reading() as tx:
        rows = await trends.counts(
            tx, period=period, dimension=dimension, zone=deps.settings.time_zone, start=start, end=end
        )
    totals: dict[datetime, int] = defaultdict(int)
    for row in rows:
        totals[row.bucket] += row.times
    return [
        TrendRow(
            period=row.bucket.date().isoformat(),
            value=row.value,
            count=row.times,
            share=round(row.times / totals[row.bucket], 4),
            mean_seconds_to_respond=_number(row.respond_seconds),
            responded=row.responded,
            mean_seconds_to_resolve=_number(row.resolve_seconds),
            resolved=row.resolved,
            reopened=row.reopened,
            mean_satisfaction=_number(row.satisfaction),
            answered=row.answered,
        )
        for row in rows
    ]


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)
