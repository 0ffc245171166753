"""Regulators' proceedings on a complaint, as far as they are told to us."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain.models import Case, StageRecord
from resolution_service.domain.orders import GiveReason, RecordStage
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import StageTakenBack, UnknownStage
from resolution_service.usecases.work import take_up
from shared.contracts.envelope import Actor
from shared.contracts.resolution import RegulatorStageRecordedV1, RegulatorStageTakenBackV1

#: How long before it came to us a complaint may have been with the authority.
_BEFORE_RECEIPT = timedelta(days=366)


async def record_stage(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: RecordStage, expected: str | None
) -> tuple[Case, StageRecord]:
    """In whatever state the case is: an authority goes on when the case is closed, and may have begun before it."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    at = work.at(order.occurred_at, after=work.case.facts.received_at - _BEFORE_RECEIPT)
    event = RegulatorStageRecordedV1(
        **work.envelope(at),
        stage_id=deps.ids(),
        authority=order.authority,
        stage=order.stage,
        reference=order.reference,
        note=order.note,
    )
    return await work.put_down(event), StageRecord.of(event)


async def take_back_stage(
    stage_id: UUID,
    tx: AsyncSession,
    deps: Deps,
    actor: Actor,
    complaint_id: UUID,
    order: GiveReason,
    expected: str | None,
) -> tuple[Case, StageRecord]:
    """One that was recorded by mistake. Both stand on the timeline; the deadlines are what they are without it.

    Raises `UnknownStage`, `StageTakenBack`."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    stage = await store.regulator_stage(tx, complaint_id, stage_id)
    if stage is None:
        raise UnknownStage(f"This complaint has no stage {stage_id}.")
    if await store.is_taken_back(tx, complaint_id, stage_id):
        raise StageTakenBack(f"Stage {stage_id} was taken back; record the right one.")
    event = RegulatorStageTakenBackV1(
        **work.envelope(work.at(order.occurred_at, after=stage.occurred_at)),
        stage_id=stage_id,
        authority=stage.authority,
        stage=stage.stage,
        reason=order.reason,
    )
    return await work.put_down(event), stage
