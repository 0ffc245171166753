"""Classification and assignment of one complaint, the dry run, and the work list."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, StrictBool

from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Emotion, Kind, Priority, Urgency
from shared.web.auth import visible_teams
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import BadCursor, Page, PagingDep, page
from triage_service.api import shapes
from triage_service.api.shapes import (
    AgentId,
    AssignmentHistory,
    AssignmentOut,
    Body,
    ClassificationHistory,
    ClassificationOut,
    Code,
    DepsDep,
    HandlerDep,
    LongText,
    QueueEntry,
    StaffDep,
    TeamId,
    WhyText,
)
from triage_service.classifier import Dimension, Narrative
from triage_service.domain.cases import Case, Correction
from triage_service.usecases import decide, roster
from triage_service.usecases.errors import (
    CaseEnded,
    ComplaintNotAssessed,
    NotAssigned,
    UnknownAgent,
    UnknownCode,
    UnknownTeam,
)

router = APIRouter(tags=["assess"])
URGENCY_OF_RANK = (Urgency.HIGH, Urgency.MEDIUM, Urgency.LOW)


class OverrideBody(Body):
    """What a person decides instead of the rules. What is left out stays; with `reason` alone it is confirmed."""

    model_config = shapes.example(
        {"urgency": "high", "responsible": "rnd", "reason": "所有门店都受影响", "assign_anew": True}
    )

    kind: Kind | None = None
    issue_type: Code | None = None
    urgency: Urgency | None = None
    responsible: Code | None = None
    emotion: Emotion | None = None
    reason: WhyText
    assign_anew: StrictBool = Field(default=False, description="Give the case to whom the new classification calls for")


class AssignBody(Body):
    """An agent, or a team whose least loaded agent on duty then gets it, or both."""

    model_config = shapes.example({"agent_id": "ye.chen", "reason": "熟悉该客户的部署环境"})

    team_id: TeamId | None = None
    agent_id: AgentId | None = None
    reason: WhyText


class ClassifyBody(Body):
    model_config = shapes.example(
        {
            "symptom": "订单管理系统查询近7天订单时加载失败",
            "scene": "从10:15开始",
            "impact": "无法核对库存，影响发货",
            "demands": ["2小时内修复", "赔偿延误发货损失"],
            "priority": "important",
        }
    )

    symptom: LongText
    scene: LongText = ""
    impact: LongText = ""
    demands: list[LongText] = Field(default_factory=list, max_length=20)
    priority: Priority | None = None


class VerdictOut(BaseModel):
    """What the rules say; `confidences` by dimension, from 0 to 1."""

    kind: Kind
    issue_type: str
    urgency: Urgency
    responsible: str
    emotion: Emotion
    confidence: float
    confidences: dict[Dimension, float]
    reasons: list[Reason]


@router.get("/v1/complaints/{complaint_id}/classification", responses=responses(ComplaintNotAssessed))
async def get_classification(
    complaint_id: UUID, principal: StaffDep, deps: DepsDep, response: Response
) -> ClassificationHistory:
    """The present classification with its reasons, and its history. The `ETag` is its revision."""
    found = await decide.look(complaint_id, deps)
    response.headers["ETag"] = etag(found.case.classification.revision)
    return shapes.classification_history(found)


@router.post(
    "/v1/complaints/{complaint_id}/classification",
    response_model=ClassificationOut,
    responses=responses(ComplaintNotAssessed, UnknownCode, PreconditionFailed, *ONCE_PROBLEMS),
)
async def override_classification(
    complaint_id: UUID,
    body: OverrideBody,
    principal: HandlerDep,
    deps: DepsDep,
    once: OnceDep,
    if_match: IfMatch = None,
) -> Response:
    """Override by hand, with the reason kept (B2). The agent keeps the case unless `assign_anew` is set."""
    correction = Correction(
        kind=body.kind,
        issue_type=body.issue_type,
        urgency=body.urgency,
        responsible=body.responsible,
        emotion=body.emotion,
    )
    return await once.perform(
        deps.session,
        lambda tx: decide.override(
            complaint_id,
            correction,
            body.reason,
            if_match,
            principal.actor,
            tx,
            deps,
            assign_anew=body.assign_anew,
        ),
        shape=shapes.classification_out,
        headers=lambda case: {"ETag": etag(case.classification.revision)},
    )


@router.post("/v1/classify")
async def classify(body: ClassifyBody, principal: StaffDep, deps: DepsDep) -> VerdictOut:
    """A dry run: what would this text be, and why? Nothing is kept."""
    verdict = await decide.dry_run(
        Narrative(body.symptom, body.scene, body.impact, tuple(body.demands), body.priority), deps
    )
    return VerdictOut(
        kind=verdict.kind,
        issue_type=verdict.issue_type,
        urgency=verdict.urgency,
        responsible=verdict.responsible,
        emotion=verdict.emotion,
        confidence=verdict.confidence,
        confidences=dict(verdict.confidences),
        reasons=list(verdict.reasons),
    )


@router.get("/v1/complaints/{complaint_id}/assignment", responses=responses(ComplaintNotAssessed, NotAssigned))
async def get_assignment(
    complaint_id: UUID, principal: StaffDep, deps: DepsDep, response: Response
) -> AssignmentHistory:
    """Who has it and why, and who had it before. The `ETag` is the assignment's revision."""
    found = await decide.look_at_assignment(complaint_id, deps)
    response.headers["ETag"] = etag(found.assignments[0].revision)
    return shapes.assignment_history(found)


@router.post(
    "/v1/complaints/{complaint_id}/assignment",
    response_model=AssignmentOut,
    responses=responses(ComplaintNotAssessed, CaseEnded, UnknownTeam, UnknownAgent, PreconditionFailed, *ONCE_PROBLEMS),
)
async def assign(
    complaint_id: UUID, body: AssignBody, principal: HandlerDep, deps: DepsDep, once: OnceDep, if_match: IfMatch = None
) -> Response:
    """Assign by hand, with the reason kept (B5)."""

    def shaped(case: Case) -> AssignmentOut:
        assert case.assignment is not None
        return shapes.assignment_out(case, case.assignment)

    return await once.perform(
        deps.session,
        lambda tx: decide.assign_by_hand(
            complaint_id, body.team_id, body.agent_id, body.reason, if_match, principal.actor, tx, deps
        ),
        shape=shaped,
        headers=lambda case: {"ETag": etag(case.assignment.revision if case.assignment else 0)},
    )


@router.get("/v1/queue", responses=responses(BadCursor))
async def get_queue(
    request: Request,
    principal: StaffDep,
    deps: DepsDep,
    paging: PagingDep,
    team: TeamId | None = None,
    agent: AgentId | None = None,
    waiting: Annotated[bool | None, Query(description="Only those without an agent, or only those with one")] = None,
) -> Page[QueueEntry]:
    """The work list: open assignments, the most urgent first, then the oldest."""
    after = paging.after(int, datetime, UUID)
    if after is not None and after[0] not in range(len(URGENCY_OF_RANK)):
        raise BadCursor("This cursor belongs to another list.", parameter="cursor")
    found = await roster.work_list(
        team_id=team,
        agent_id=agent,
        waiting=waiting,
        visible=visible_teams(principal),
        after=(after[0], after[1], after[2]) if after else None,
        limit=paging.limit + 1,
        deps=deps,
    )
    entries = [
        QueueEntry(
            complaint_id=item.facts.complaint_id,
            number=item.facts.number,
            received_at=item.facts.received_at,
            channel=item.facts.channel,
            customer=item.facts.customer.display,
            urgency=URGENCY_OF_RANK[item.rank],
            kind=Kind(item.kind),
            issue_type=item.issue_type,
            team_id=item.team_id,
            agent_id=item.agent_id,
            assignment_revision=item.assignment_revision,
        )
        for item in found
    ]
    return page(
        entries,
        paging,
        request,
        key=lambda entry: (URGENCY_OF_RANK.index(entry.urgency), entry.received_at, entry.complaint_id),
    )
