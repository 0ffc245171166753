"""Cases with their classifications and assignments: queries. Writers hold the roster's lock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Actor, ComplaintFacts
from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Emotion, Kind, Urgency
from triage_service.domain.cases import Assignment, Case, Classification
from triage_service.store.tables import assignments, cases, classifications

RANKS: Mapping[Urgency, int] = {Urgency.HIGH: 0, Urgency.MEDIUM: 1, Urgency.LOW: 2}

# The hot write: one statement per table for a hundred complaints, arrays instead of a hundred parameter sets.
_INSERT_CASES = text(
    "insert into cases as c (complaint_id, person_id, received_at, facts, revision, kind, issue_type, rank, "
    "assignment_revision, team_id, agent_id, ended, move_revision) "
    "select i, p, r, cast(f as jsonb), 1, k, t, u, n, m, a, false, 0 from unnest(cast(:ids as uuid[]), "
    "cast(:persons as uuid[]), cast(:received as timestamptz[]), cast(:facts as text[]), cast(:kinds as text[]), "
    "cast(:issues as text[]), cast(:ranks as smallint[]), cast(:numbers as int[]), cast(:teams as text[]), "
    "cast(:agents as text[])) as x (i, p, r, f, k, t, u, n, m, a) "
    "on conflict (complaint_id) do update set person_id = excluded.person_id, received_at = excluded.received_at, "
    "facts = excluded.facts, revision = 1, kind = excluded.kind, issue_type = excluded.issue_type, "
    "rank = excluded.rank, assignment_revision = excluded.assignment_revision, team_id = excluded.team_id, "
    "agent_id = excluded.agent_id where c.revision = 0 returning complaint_id, ended"
)
_INSERT_CLASSIFICATIONS = text(
    "insert into classifications (complaint_id, revision, kind, issue_type, urgency, responsible, emotion, confidence, "
    'reasons, "by", actor, recorded_at, override_reason) '
    "select i, n, k, t, u, p, e, c, cast(r as jsonb), b, cast(a as jsonb), w, o from unnest(cast(:ids as uuid[]), "
    "cast(:numbers as int[]), cast(:kinds as text[]), cast(:issues as text[]), cast(:urgencies as text[]), "
    "cast(:responsible as text[]), cast(:emotions as text[]), cast(:confidences as float8[]), "
    "cast(:reasons as text[]), cast(:by as text[]), cast(:actors as text[]), "
    "cast(:at as timestamptz[]), cast(:overrides as text[])) as x (i, n, k, t, u, p, e, c, r, b, a, w, o)"
)
_INSERT_ASSIGNMENTS = text(
    'insert into assignments (complaint_id, revision, team_id, agent_id, reasons, "by", actor, recorded_at, '
    "override_reason) select i, n, t, g, cast(r as jsonb), b, cast(a as jsonb), w, o from unnest(cast(:ids as uuid[]), "
    "cast(:numbers as int[]), cast(:teams as text[]), cast(:agents as text[]), cast(:reasons as text[]), "
    "cast(:by as text[]), cast(:actors as text[]), cast(:at as timestamptz[]), cast(:overrides as text[])) "
    "as x (i, n, t, g, r, b, a, w, o)"
)
_KNOWN = text(
    "select subject_id as id, cast(null as text) as agent_id from erased "
    "where subject_id = any(cast(:subjects as uuid[])) union all "
    "(select distinct on (person_id) person_id, agent_id from cases "
    "where person_id = any(cast(:persons as uuid[])) and agent_id is not null "
    "order by person_id, received_at desc, complaint_id)"
)


async def known_of(tx: AsyncSession, of: Sequence[ComplaintFacts]) -> tuple[set[UUID], dict[UUID, str]]:
    """Which of these complaints and persons were erased, and the agent of each person's latest complaint."""
    persons = {facts.customer.person_id for facts in of}
    subjects = persons | {facts.complaint_id for facts in of}
    gone: set[UUID] = set()
    agents: dict[UUID, str] = {}
    for row in await tx.execute(_KNOWN, {"subjects": list(subjects), "persons": list(persons)}):
        if row.agent_id is None:
            gone.add(row.id)
        else:
            agents[row.id] = row.agent_id
    return gone, agents


async def insert_assessed(tx: AsyncSession, assessed: Sequence[Case]) -> dict[UUID, bool]:
    """Write what is new of `assessed`; those that were assessed before are left alone. By id: whether it had ended."""
    rows = sorted(assessed, key=lambda case: case.facts.complaint_id)
    given = [case.assignment for case in rows]
    written = await tx.execute(
        _INSERT_CASES,
        {
            "ids": [case.facts.complaint_id for case in rows],
            "persons": [case.facts.customer.person_id for case in rows],
            "received": [case.facts.received_at for case in rows],
            "facts": [case.facts.model_dump_json() for case in rows],
            "kinds": [case.classification.kind.value for case in rows],
            "issues": [case.classification.issue_type for case in rows],
            "ranks": [RANKS[case.classification.urgency] for case in rows],
            "numbers": [made.revision if made else 0 for made in given],
            "teams": [made.team_id if made else None for made in given],
            "agents": [made.agent_id if made else None for made in given],
        },
    )
    new = {row.complaint_id: bool(row.ended) for row in written}
    rows = [case for case in rows if case.facts.complaint_id in new]
    if rows:
        await insert_classifications(tx, [(case.facts.complaint_id, case.classification) for case in rows])
        await insert_assignments(tx, [(case.facts.complaint_id, case.assignment) for case in rows if case.assignment])
    return new


async def insert_classifications(tx: AsyncSession, made: Sequence[tuple[UUID, Classification]]) -> None:
    await tx.execute(
        _INSERT_CLASSIFICATIONS,
        {
            "ids": [complaint_id for complaint_id, _ in made],
            "numbers": [each.revision for _, each in made],
            "kinds": [each.kind.value for _, each in made],
            "issues": [each.issue_type for _, each in made],
            "urgencies": [each.urgency.value for _, each in made],
            "responsible": [each.responsible for _, each in made],
            "emotions": [each.emotion.value for _, each in made],
            "confidences": [each.confidence for _, each in made],
            "reasons": [to_json(each.reasons).decode() for _, each in made],
            "by": [each.by for _, each in made],
            "actors": [each.actor.model_dump_json() for _, each in made],
            "at": [each.recorded_at for _, each in made],
            "overrides": [each.override_reason for _, each in made],
        },
    )


async def insert_assignments(tx: AsyncSession, made: Sequence[tuple[UUID, Assignment]]) -> None:
    if not made:
        return
    await tx.execute(
        _INSERT_ASSIGNMENTS,
        {
            "ids": [complaint_id for complaint_id, _ in made],
            "numbers": [each.revision for _, each in made],
            "teams": [each.team_id for _, each in made],
            "agents": [each.agent_id for _, each in made],
            "reasons": [to_json(each.reasons).decode() for _, each in made],
            "by": [each.by for _, each in made],
            "actors": [each.actor.model_dump_json() for _, each in made],
            "at": [each.recorded_at for _, each in made],
            "overrides": [each.override_reason for _, each in made],
        },
    )


async def find(tx: AsyncSession, complaint_id: UUID) -> Case | None:
    """The case with its newest classification and assignment; None where it was never classified."""
    row = (
        await tx.execute(
            select(cases.c.facts, cases.c.ended, cases.c.revision, cases.c.assignment_revision).where(
                cases.c.complaint_id == complaint_id, cases.c.revision > 0
            )
        )
    ).one_or_none()
    if row is None:
        return None
    made = (await history(tx, complaint_id, row.revision))[0]
    given = await assignment_history(tx, complaint_id)
    return Case(ComplaintFacts.model_validate(row.facts), made, given[0] if given else None, row.ended)


async def history(tx: AsyncSession, complaint_id: UUID, revision: int | None = None) -> list[Classification]:
    """The newest first; one revision alone where it is given."""
    wanted = select(classifications).where(classifications.c.complaint_id == complaint_id)
    if revision is not None:
        wanted = wanted.where(classifications.c.revision == revision)
    found = await tx.execute(wanted.order_by(classifications.c.revision.desc()))
    return [_classification(row) for row in found]


async def assignment_history(tx: AsyncSession, complaint_id: UUID) -> list[Assignment]:
    """The newest first."""
    wanted = select(assignments).where(assignments.c.complaint_id == complaint_id)
    return [_assignment(row) for row in await tx.execute(wanted.order_by(assignments.c.revision.desc()))]


async def update_case(tx: AsyncSession, case: Case) -> None:
    """Write the present classification and assignment into the case's row."""
    given = case.assignment
    await tx.execute(
        update(cases)
        .where(cases.c.complaint_id == case.facts.complaint_id)
        .values(
            facts=json.loads(case.facts.model_dump_json()),
            revision=case.classification.revision,
            kind=case.classification.kind.value,
            issue_type=case.classification.issue_type,
            rank=RANKS[case.classification.urgency],
            assignment_revision=given.revision if given else 0,
            team_id=given.team_id if given else None,
            agent_id=given.agent_id if given else None,
        )
    )


def _reasons(rows: Iterable[dict[str, Any]]) -> tuple[Reason, ...]:
    return tuple(Reason.model_validate(row) for row in rows)


def _classification(row: Row[Any]) -> Classification:
    return Classification(
        revision=row.revision,
        kind=Kind(row.kind),
        issue_type=row.issue_type,
        urgency=Urgency(row.urgency),
        responsible=row.responsible,
        emotion=Emotion(row.emotion),
        confidence=row.confidence,
        reasons=_reasons(row.reasons),
        by=row.by,
        actor=Actor.model_validate(row.actor),
        recorded_at=row.recorded_at,
        override_reason=row.override_reason,
    )


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(
        revision=row.revision,
        team_id=row.team_id,
        agent_id=row.agent_id,
        reasons=_reasons(row.reasons),
        by=row.by,
        actor=Actor.model_validate(row.actor),
        recorded_at=row.recorded_at,
        override_reason=row.override_reason,
    )
