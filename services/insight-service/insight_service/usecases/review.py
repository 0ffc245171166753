"""Root-cause reviews and improvement actions (E2, E3): recorded, changed, planned, done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from insight_service.domain import improving
from insight_service.domain.improving import ActionKind, Fishbone, FiveWOneH, Severity
from insight_service.store import complaints
from insight_service.store import improving as store
from insight_service.usecases.deps import Deps
from shared.bus import outbox
from shared.contracts.envelope import Actor, StaffContact
from shared.web.etag import if_match


@dataclass(frozen=True)
class ReviewContent:
    """What people write into a review. `root_cause` may stay empty while they are still looking."""

    title: str
    severity: Severity
    complaint_ids: Sequence[UUID]
    five_w_one_h: FiveWOneH
    five_whys: Sequence[str]
    fishbone: Fishbone
    root_cause: str


@dataclass(frozen=True)
class Review:
    review_id: UUID
    version: int
    content: ReviewContent
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ActionPlan:
    title: str
    kind: ActionKind
    owner: StaffContact
    aim: str
    due_at: datetime
    complaint_ids: Sequence[UUID]


@dataclass(frozen=True)
class Action:
    action_id: UUID
    revision: int
    review_id: UUID | None
    plan: ActionPlan
    planned_at: datetime
    done_at: datetime | None
    done_note: str | None


def review_of(row: Row[Any]) -> Review:
    return Review(
        review_id=row.review_id,
        version=row.version,
        content=ReviewContent(
            title=row.title,
            severity=Severity(row.severity),
            complaint_ids=row.complaint_ids,
            five_w_one_h=FiveWOneH.model_validate(row.five_w_one_h),
            five_whys=row.five_whys,
            fishbone=Fishbone.model_validate(row.fishbone),
            root_cause=row.root_cause,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def action_of(row: Row[Any]) -> Action:
    return Action(
        action_id=row.action_id,
        revision=row.revision,
        review_id=row.review_id,
        plan=ActionPlan(
            title=row.title,
            kind=ActionKind(row.kind),
            owner=StaffContact.model_validate(row.owner),
            aim=row.aim,
            due_at=row.due_at,
            complaint_ids=row.complaint_ids,
        ),
        planned_at=row.planned_at,
        done_at=row.done_at,
        done_note=row.done_note,
    )


def _columns(content: ReviewContent, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "title": content.title,
        "severity": content.severity.value,
        "complaint_ids": list(content.complaint_ids),
        "five_w_one_h": content.five_w_one_h.model_dump(),
        "five_whys": list(content.five_whys),
        "fishbone": content.fishbone.model_dump(),
        "root_cause": content.root_cause,
        "updated_at": at,
        "updated_by": actor.model_dump(mode="json"),
    }


async def open_review(content: ReviewContent, actor: Actor, tx: AsyncSession, deps: Deps) -> Review:
    await _refuse_unknown(tx, content.complaint_ids)
    now, review_id = deps.clock.now(), deps.ids()
    row = {"review_id": review_id, "version": 1, "created_at": now} | _columns(content, actor, now)
    await store.insert_review(tx, row)
    _tell(tx, review_id, 1, content, actor, now)
    return await read_review(review_id, tx)


async def change_review(
    review_id: UUID, content: ReviewContent, expected: str | None, actor: Actor, tx: AsyncSession, deps: Deps
) -> Review:
    """Replace the content. `expected` is the caller's If-Match; another version raises `PreconditionFailed`."""
    row = await store.review(tx, review_id, lock=True)
    if row is None:
        raise improving.ReviewNotFound("There is no review with this id.")
    if_match(expected, row.version)
    await _refuse_unknown(tx, content.complaint_ids)
    now, version = deps.clock.now(), row.version + 1
    await store.change_review(tx, review_id, {"version": version} | _columns(content, actor, now))
    _tell(tx, review_id, version, content, actor, now)
    return await read_review(review_id, tx)


def _tell(tx: AsyncSession, review_id: UUID, version: int, content: ReviewContent, actor: Actor, at: datetime) -> None:
    if content.root_cause:
        outbox.add(
            tx,
            improving.root_cause_recorded(
                review_id,
                version,
                title=content.title,
                root_cause=content.root_cause,
                complaint_ids=content.complaint_ids,
                actor=actor,
                at=at,
            ),
        )


async def read_review(review_id: UUID, tx: AsyncSession) -> Review:
    row = await store.review(tx, review_id)
    if row is None:
        raise improving.ReviewNotFound("There is no review with this id.")
    return review_of(row)


async def list_reviews(complaint_id: UUID | None, after: Any, limit: int, deps: Deps) -> Sequence[Review]:
    async with deps.reading() as tx:
        rows = await store.list_reviews(tx, complaint_id=complaint_id, after=after, limit=limit)
    return [review_of(row) for row in rows]


async def list_actions(
    *,
    review_id: UUID | None,
    is_open: bool | None,
    due_before: datetime | None,
    after: Any,
    limit: int,
    deps: Deps,
) -> Sequence[Action]:
    async with deps.reading() as tx:
        rows = await store.list_actions(
            tx, review_id=review_id, is_open=is_open, due_before=due_before, after=after, limit=limit
        )
    return [action_of(row) for row in rows]


async def plan_action(plan: ActionPlan, review_id: UUID | None, actor: Actor, tx: AsyncSession, deps: Deps) -> Action:
    """Its clock starts with the event (F8)."""
    if review_id is not None and await store.review(tx, review_id) is None:
        raise improving.ReviewNotFound("There is no review with this id.")
    await _refuse_unknown(tx, plan.complaint_ids)
    now, action_id = deps.clock.now(), deps.ids()
    event = improving.action_planned(
        action_id,
        1,
        review_id=review_id,
        title=plan.title,
        kind=plan.kind,
        owner=plan.owner,
        aim=plan.aim,
        due_at=plan.due_at,
        complaint_ids=plan.complaint_ids,
        actor=actor,
        at=now,
    )
    await store.insert_action(
        tx,
        {
            "action_id": action_id,
            "revision": 1,
            "review_id": review_id,
            "title": plan.title,
            "kind": plan.kind.value,
            "owner": plan.owner.model_dump(mode="json"),
            "aim": plan.aim,
            "due_at": plan.due_at,
            "complaint_ids": list(plan.complaint_ids),
            "planned_at": now,
            "planned_by": actor.model_dump(mode="json"),
        },
    )
    outbox.add(tx, event)
    return await read_action(action_id, tx)


async def replan_action(
    action_id: UUID, due_at: datetime, owner: StaffContact | None, actor: Actor, tx: AsyncSession, deps: Deps
) -> Action:
    """C3: plans change, and the change is kept (in the archive, revision by revision)."""
    action = action_of(await _open_action(tx, action_id))
    now, revision = deps.clock.now(), action.revision + 1
    plan = action.plan
    event = improving.action_planned(
        action_id,
        revision,
        review_id=action.review_id,
        title=plan.title,
        kind=plan.kind,
        owner=owner or plan.owner,
        aim=plan.aim,
        due_at=due_at,
        complaint_ids=plan.complaint_ids,
        actor=actor,
        at=now,
    )
    await store.change_action(
        tx,
        action_id,
        {"revision": revision, "due_at": due_at, "owner": event.owner.model_dump(mode="json")},
    )
    outbox.add(tx, event)
    return await read_action(action_id, tx)


async def finish_action(
    action_id: UUID, note: str, occurred_at: datetime | None, actor: Actor, tx: AsyncSession, deps: Deps
) -> Action:
    row = await _open_action(tx, action_id)
    now = deps.clock.now()
    at = occurred_at or now
    if not row.planned_at <= at <= now:
        raise improving.DueInThePast("It was done between its planning and now.", pointer="/occurred_at")
    await store.change_action(
        tx, action_id, {"done_at": at, "done_by": actor.model_dump(mode="json"), "done_note": note}
    )
    outbox.add(tx, improving.action_done(action_id, note=note, actor=actor, occurred_at=at, at=now))
    return await read_action(action_id, tx)


async def read_action(action_id: UUID, tx: AsyncSession) -> Action:
    row = await store.action(tx, action_id)
    if row is None:
        raise improving.ActionNotFound("There is no improvement action with this id.")
    return action_of(row)


async def _open_action(tx: AsyncSession, action_id: UUID) -> Row[Any]:
    row = await store.action(tx, action_id, lock=True)
    if row is None:
        raise improving.ActionNotFound("There is no improvement action with this id.")
    if row.done_at is not None:
        raise improving.ActionIsDone(f"It was done at {row.done_at.isoformat()}.")
    return row


async def _refuse_unknown(tx: AsyncSession, complaint_ids: Sequence[UUID]) -> None:
    known = await complaints.known_complaints(tx, complaint_ids)
    for index, complaint_id in enumerate(complaint_ids):
        if complaint_id not in known:
            raise improving.UnknownComplaint(f"{complaint_id} is not known here.", pointer=f"/complaint_ids/{index}")
