"""Stages of regulators' proceedings."""

from fastapi import APIRouter, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DoingDep
from resolution_service.domain.models import StageRecord
from resolution_service.domain.orders import RecordStage
from resolution_service.usecases import regulators
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
