"""Moves by hand (C7), findings (B6) and the result (C6)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain import measures, states
from resolution_service.domain.models import Case, Finding
from resolution_service.domain.orders import MoveCase, RecordFinding, WriteResult
from resolution_service.domain.results import PARTS, missing_parts
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import (
    ApprovalPending,
    IllegalMove,
    NotAnalysedAgain,
    ReasonMissing,
    ResultIncomplete,
)
from resolution_service.usecases.work import moved_event, take_up
from shared.contracts.envelope import Actor, Event
from shared.contracts.resolution import (
    CaseResolvedV1,
    InvestigationRecordedV1,
    ProgressToldV1,
    WrittenResult,
)
from shared.contracts.vocabulary import CaseState, MeasureStatus


async def move(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: MoveCase, expected: str | None
) -> Case:
    """Raises `IllegalMove`, which lists the legal ones, and `ReasonMissing`."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    if order.to not in states.legal(work.standing.state, states.Cause.BY_HAND):
        raise IllegalMove.between(work.standing.state, order.to)
    if order.to is CaseState.WAITING_CUSTOMER and order.question is None:
        raise ReasonMissing("Waiting for the customer needs the question that is put to them.", pointer="/question")
    if order.to in states.REASON_REQUIRED and not order.reason.strip():
        raise ReasonMissing(f"Say why the case becomes {order.to}.", pointer="/reason")
    at = work.at(order.occurred_at, after=work.standing.not_before)
    moved = work.order(order.to, at, order.reason)
    events: list[Event] = [moved]
    if order.to is CaseState.WAITING_CUSTOMER and order.question is not None:
        asked = ProgressToldV1(
            **work.envelope(at), progress_id=deps.ids(), cycle=work.standing.cycle, text=order.question
        )
        events.insert(0, asked)
    return await work.put_down(*events, order=moved)


async def record_finding(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: RecordFinding, expected: str | None
) -> tuple[Case, Finding]:
    work = await take_up(tx, deps, complaint_id, actor, expected)
    work.need_open()
    event = InvestigationRecordedV1(
        **work.envelope(work.at(order.occurred_at)),
        finding_id=deps.ids(),
        cycle=work.standing.cycle,
        method=order.method,
        nature=order.nature,
        text=order.text,
    )
    case = await work.put_down(event)
    return case, Finding.of(event)


async def resolve(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: WriteResult, expected: str | None
) -> Case:
    """From work in progress alone. A reopened case was analysed again (D3); no measure waits for approval."""
    parts = {part: getattr(order, part) for part in PARTS}
    work = await take_up(tx, deps, complaint_id, actor, expected)
    standing = work.standing
    if missing := missing_parts(parts):
        raise ResultIncomplete.without(missing)
    if CaseState.RESOLVED not in states.legal(standing.state, states.Cause.RESULT):
        raise IllegalMove.between(standing.state, CaseState.RESOLVED)
    if standing.cycle > 1 and not await store.analysed_in(tx, complaint_id, standing.cycle):
        raise NotAnalysedAgain.in_cycle(standing.cycle)
    proposed = await store.measures_of(tx, complaint_id)
    waiting = [str(each.measure_id) for each in proposed if each.status is MeasureStatus.AWAITING_APPROVAL]
    if waiting:
        raise ApprovalPending(
            "A manager decides first: POST /v1/measures/{id}/approval for " + ", ".join(waiting) + ".", measures=waiting
        )
    at = work.at(order.at, after=standing.not_before, pointer="/at")
    resolved = CaseResolvedV1(
        **work.envelope(at),
        cycle=standing.cycle,
        result=WrittenResult(**parts),
        measure_kinds=tuple(dict.fromkeys(each.kind for each in proposed if each.status in measures.COUNTED)),
        agent=work.case.agent,
    )
    there = states.Standing(CaseState.RESOLVED, standing.cycle, at, standing.moves)
    moved = moved_event(work.case, there, deps.ids(), work.now, actor)
    return await work.put_down(resolved, moved, order=resolved)
