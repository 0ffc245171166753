"""Measures of the solution and their approval (C1)."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain import measures as rules
from resolution_service.domain.models import Case, Measure
from resolution_service.domain.orders import DecideMeasure, Done, ProposeMeasure
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import FourEyes, MeasureStatusForbids, ReasonMissing, UnknownMeasure
from resolution_service.usecases.work import Work, take_up
from shared.contracts.envelope import Actor
from shared.contracts.resolution import MeasureChangedV1
from shared.contracts.vocabulary import MeasureStatus


async def propose(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: ProposeMeasure, expected: str | None
) -> tuple[Case, Measure]:
    work = await take_up(tx, deps, complaint_id, actor, expected)
    work.need_alive()
    at = work.at(order.occurred_at)
    amount = order.amount.as_money() if order.amount else None
    made = Measure(
        measure_id=deps.ids(),
        complaint_id=complaint_id,
        revision=1,
        cycle=work.standing.cycle,
        kind=order.kind,
        status=rules.first_status(order.kind, amount, deps.settings.approval_limits_minor),
        text=order.text,
        amount=amount,
        proposed_at=at,
        proposed_by=actor,
    )
    return await _put_down(work, made, at)


async def decide(
    tx: AsyncSession, deps: Deps, actor: Actor, measure_id: UUID, order: DecideMeasure, expected: str | None
) -> tuple[Case, Measure]:
    """A manager's word on a measure that waits for it. Raises `FourEyes` for the proposer's own."""
    work, measure = await _take_up(tx, deps, actor, measure_id, expected)
    if measure.status is not MeasureStatus.AWAITING_APPROVAL:
        raise MeasureStatusForbids(f"The measure is {measure.status}; nothing waits for approval.")
    if not rules.may_decide(measure.proposed_by, actor):
        raise FourEyes("You proposed this measure; another manager decides on it.")
    if not order.approve and not order.reason.strip():
        raise ReasonMissing("Say why it is refused.", pointer="/reason")
    at = work.at(order.occurred_at, after=measure.proposed_at)
    made = replace(
        measure,
        revision=measure.revision + 1,
        status=MeasureStatus.APPROVED if order.approve else MeasureStatus.REFUSED,
        decided_at=at,
        decided_by=actor,
        decision_reason=order.reason or None,
    )
    return await _put_down(work, made, at)


async def carry_out(
    tx: AsyncSession, deps: Deps, actor: Actor, measure_id: UUID, order: Done, expected: str | None
) -> tuple[Case, Measure]:
    """The measure was done."""
    work, measure = await _take_up(tx, deps, actor, measure_id, expected)
    if measure.status not in rules.DOABLE:
        raise MeasureStatusForbids(f"The measure is {measure.status}; only a proposed or approved one can be done.")
    at = work.at(order.occurred_at, after=measure.decided_at or measure.proposed_at)
    made = replace(measure, revision=measure.revision + 1, status=MeasureStatus.DONE, done_at=at)
    return await _put_down(work, made, at)


async def _put_down(work: Work, made: Measure, at: datetime) -> tuple[Case, Measure]:
    event = MeasureChangedV1(
        **work.envelope(at),
        measure_id=made.measure_id,
        revision=made.revision,
        kind=made.kind,
        status=made.status,
        text=made.text,
        amount=made.amount,
    )
    await store.save_measure(work.tx, made)
    return await work.put_down(event), made


async def _take_up(
    tx: AsyncSession, deps: Deps, actor: Actor, measure_id: UUID, expected: str | None
) -> tuple[Work, Measure]:
    complaint_id = await store.complaint_of_measure(tx, measure_id)
    if complaint_id is None:
        raise UnknownMeasure(f"No measure has the id {measure_id}.")
    work = await take_up(tx, deps, complaint_id, actor, expected)
    return work, await store.measure(tx, measure_id)
