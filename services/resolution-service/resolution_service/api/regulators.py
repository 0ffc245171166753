"""Stages of regulators' proceedings."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DoingDep
from resolution_service.domain.models import StageRecord
from resolution_service.domain.orders import GiveReason, RecordStage
from resolution_service.usecases import regulators
from resolution_service.usecases.errors import StageTakenBack, UnknownStage
from shared.web.errors import responses

router = APIRouter(tags=["regulators"])


@router.post(
    "/v1/cases/{complaint_id}/regulator-stages",
    status_code=201,
    response_model=StageRecord,
    responses=responses(*COMMAND),
    summary="Record how far a regulator's proceeding has come",
)
async def record_stage(complaint_id: ComplaintId, body: RecordStage, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(regulators.record_stage, principal, complaint_id, body, 201)


@router.post(
    "/v1/cases/{complaint_id}/regulator-stages/{stage_id}/take-back",
    response_model=StageRecord,
    responses=responses(*COMMAND, UnknownStage, StageTakenBack),
    summary="A stage was recorded by mistake",
)
async def take_back_stage(
    complaint_id: ComplaintId, stage_id: UUID, body: GiveReason, principal: Agent, doing: DoingDep
) -> Response:
    """It stays on the timeline, with the reason beside it; the regulator's deadlines are counted without it, and a
    breach that it had made is withdrawn. Then record the right one."""
    return await doing.thing(partial(regulators.take_back_stage, stage_id), principal, complaint_id, body)
