"""Measures of the solution and their approval (C1)."""

from uuid import UUID

from fastapi import APIRouter, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DoingDep, Manager
from resolution_service.domain.models import Measure
from resolution_service.domain.orders import DecideMeasure, Done, ProposeMeasure
from resolution_service.usecases import measures
from resolution_service.usecases.errors import FourEyes, MeasureStatusForbids, ReasonMissing, UnknownMeasure
from shared.web.errors import responses

router = APIRouter(tags=["measures"])


@router.post(
    "/v1/cases/{complaint_id}/measures",
    status_code=201,
    response_model=Measure,
    responses=responses(*COMMAND),
    summary="Propose a measure; money over the limit waits for approval",
)
async def propose_measure(
    complaint_id: ComplaintId, body: ProposeMeasure, principal: Agent, doing: DoingDep
) -> Response:
    return await doing.thing(measures.propose, principal, complaint_id, body, 201)


@router.post(
    "/v1/measures/{measure_id}/approval",
    response_model=Measure,
    responses=responses(*COMMAND, UnknownMeasure, FourEyes, MeasureStatusForbids, ReasonMissing),
    summary="A manager approves or refuses",
)
async def decide_measure(measure_id: UUID, body: DecideMeasure, principal: Manager, doing: DoingDep) -> Response:
    return await doing.thing(measures.decide, principal, measure_id, body)


@router.post(
    "/v1/measures/{measure_id}/done",
    response_model=Measure,
    responses=responses(*COMMAND, UnknownMeasure, MeasureStatusForbids),
    summary="The measure was carried out",
)
async def measure_done(measure_id: UUID, principal: Agent, doing: DoingDep, body: Done | None = None) -> Response:
    return await doing.thing(measures.carry_out, principal, measure_id, body or Done())
