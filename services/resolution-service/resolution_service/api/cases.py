"""The dossier and the work list, moves, findings and the result."""

from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from resolution_service.api.common import COMMAND, Agent, ComplaintId, DepsDep, DoingDep, Name, Reader
from resolution_service.api.positions import after, position
from resolution_service.domain.models import Finding
from resolution_service.domain.orders import MoveCase, RecordFinding, WriteResult
from resolution_service.domain.views import CaseSummary, Dossier, Part
from resolution_service.domain.worklist import Filter, Sort
from resolution_service.usecases import moves, reading
from resolution_service.usecases.errors import (
    ApprovalPending,
    IllegalMove,
    NotAnalysedAgain,
    ReasonMissing,
    ResultIncomplete,
    UnknownCase,
)
from shared.contracts.vocabulary import CaseState, Channel, Urgency
from shared.web.body import answer
from shared.web.errors import responses
from shared.web.etag import etag
from shared.web.pages import BadCursor, Page, PagingDep, page

router = APIRouter(tags=["cases"])
ALL_PARTS: tuple[Part, ...] = get_args(Part)


@router.get("/v1/cases", responses=responses(BadCursor), summary="The work list")
async def list_cases(
    request: Request,
    principal: Reader,
    deps: DepsDep,
    paging: PagingDep,
    state: Annotated[tuple[CaseState, ...], Query(description="One or several states")] = (),
    urgency: Annotated[tuple[Urgency, ...], Query(description="One or several urgencies")] = (),
    team: Annotated[Name | None, Query(description="Team id")] = None,
    agent: Annotated[Name | None, Query(description="The agent's staff id")] = None,
    channel: Annotated[Channel | None, Query()] = None,
    responsible: Annotated[Name | None, Query(description="Responsible party (B1)")] = None,
    customer: Annotated[UUID | None, Query(description="The complainant's person id (A9)")] = None,
    overdue: Annotated[bool | None, Query(description="The due instant of a running clock has passed")] = None,
    near_breach: Annotated[bool | None, Query(description="Past a warning instant, and not overdue")] = None,
    q: Annotated[Name | None, Query(description="Part of number, organisation or product")] = None,
    sort: Annotated[Sort, Query(description="`next_due` puts cases without a running clock last")] = "next_due",
) -> Page[CaseSummary]:
    wanted = Filter(
        states=state,
        urgencies=urgency,
        team=team,
        agent=agent,
        channel=channel,
        responsible=responsible,
        customer=customer,
        overdue=overdue,
        near_breach=near_breach,
        q=q,
    )
    found = await reading.list_cases(deps, principal, wanted, sort, after(paging, sort), paging.limit + 1)
    return page(found, paging, request, key=lambda shown: position(shown, sort))


@router.get(
    "/v1/cases/{complaint_id}", response_model=Dossier, responses=responses(UnknownCase), summary="The live dossier"
)
async def read_dossier(
    complaint_id: ComplaintId,
    principal: Reader,
    deps: DepsDep,
    include: Annotated[
        str | None,
        Query(
            pattern=f"^({'|'.join(ALL_PARTS)})(,({'|'.join(ALL_PARTS)}))*$",
            max_length=400,
            description="Parts to show, separated by commas; all where none is named",
            examples=["timeline,clocks,tasks,survey"],
        ),
    ] = None,
) -> Response:
    made = await reading.dossier(deps, principal, complaint_id, include.split(",") if include else ALL_PARTS)
    return answer(made, headers={"ETag": etag(made.version)})


@router.post(
    "/v1/cases/{complaint_id}/moves",
    response_model=CaseSummary,
    responses=responses(*COMMAND, IllegalMove, ReasonMissing),
    summary="Move the case by hand (C7)",
)
async def move_case(complaint_id: ComplaintId, body: MoveCase, principal: Agent, doing: DoingDep) -> Response:
    return await doing.case(moves.move, principal, complaint_id, body)


@router.post(
    "/v1/cases/{complaint_id}/findings",
    status_code=201,
    response_model=Finding,
    responses=responses(*COMMAND),
    summary="Record what was checked and found (B6)",
)
async def record_finding(complaint_id: ComplaintId, body: RecordFinding, principal: Agent, doing: DoingDep) -> Response:
    return await doing.thing(moves.record_finding, principal, complaint_id, body, 201)


@router.post(
    "/v1/cases/{complaint_id}/resolution",
    response_model=CaseSummary,
    responses=responses(*COMMAND, IllegalMove, ResultIncomplete, NotAnalysedAgain, ApprovalPending),
    summary="Write the result and resolve the case (C6)",
)
async def resolve_case(complaint_id: ComplaintId, body: WriteResult, principal: Agent, doing: DoingDep) -> Response:
    return await doing.case(moves.resolve, principal, complaint_id, body)
