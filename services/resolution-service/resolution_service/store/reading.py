"""What the dossier and the lists read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service.domain.entries import Kept
from resolution_service.domain.models import Case, Promise, Transfer
from resolution_service.domain.views import EarlierComplaint, Link, LinkedAction
from resolution_service.domain.worklist import Filter, Sort
from resolution_service.store.rows import CASE_COLUMNS, case_from, promise_from, transfer_from
from resolution_service.store.tables import actions, cases, clocks, entries, promises, transfers
from shared.contracts.envelope import Actor, ActorKind
from shared.contracts.resolution import CaseResolvedV1
from shared.contracts.sla import ClockView

#: How many earlier complaints of a person the dossier shows (A9).
EARLIER = 20


async def case_of(tx: AsyncSession, complaint_id: UUID) -> Case | None:
    found = (await tx.execute(select(*CASE_COLUMNS).where(cases.c.id == complaint_id))).one_or_none()
    return None if found is None else case_from(found)


async def entries_of(tx: AsyncSession, complaint_id: UUID) -> list[Kept]:
    """The whole file, and what other complaints say of this one is not in it."""
    return [_kept(row) for row in await tx.execute(select(entries).where(entries.c.complaint_id == complaint_id))]


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        event_id=row.event_id,
        type=row.type,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
        content={**row.data, **row.personal},
        complaint_id=row.complaint_id,
    )


async def transfers_of(tx: AsyncSession, complaint_id: UUID) -> list[Transfer]:
    found = select(transfers).where(transfers.c.complaint_id == complaint_id)
    return [transfer_from(row) for row in await tx.execute(found.order_by(transfers.c.opened_at, transfers.c.task_id))]


async def promises_of(tx: AsyncSession, complaint_id: UUID) -> list[Promise]:
    found = select(promises).where(promises.c.complaint_id == complaint_id)
    return [promise_from(row) for row in await tx.execute(found.order_by(promises.c.made_at, promises.c.promise_id))]


async def clocks_of(tx: AsyncSession, complaint_id: UUID) -> list[ClockView]:
    found = select(clocks.c.view).where(clocks.c.complaint_id == complaint_id)
    rows = await tx.scalars(found.order_by(clocks.c.due_at, clocks.c.clock_id))
    return [ClockView.model_validate(view) for view in rows]


async def links_to(tx: AsyncSession, complaint_id: UUID) -> list[Link]:
    """Complaints that were linked to this one."""
    found = (
        select(entries, cases.c.number)
        .join(cases, cases.c.id == entries.c.complaint_id)
        .where(entries.c.other_id == complaint_id)
        .order_by(entries.c.occurred_at, entries.c.event_id)
    )
    return [
        Link(
            complaint_id=row.complaint_id,
            number=row.number,
            relation=row.data["relation"],
            inbound=True,
            at=row.occurred_at,
            reason=row.personal.get("reason", ""),
        )
        for row in await tx.execute(found)
    ]


async def actions_of(tx: AsyncSession, complaint_id: UUID) -> list[LinkedAction]:
    found = select(actions).where(actions.c.complaint_ids.contains([complaint_id]))
    return [
        LinkedAction(
            action_id=row.action_id,
            title=row.plan["title"],
            kind=row.plan["kind"],
            aim=row.plan["aim"],
            owner=row.plan["owner"],
            review_id=row.plan["review_id"],
            planned_at=row.plan["occurred_at"],
            due_at=row.plan["due_at"],
            done_at=row.done_at,
        )
        for row in await tx.execute(found.order_by(actions.c.action_id))
        if row.plan is not None
    ]


async def earlier_of(tx: AsyncSession, case: Case) -> list[EarlierComplaint]:
    """A9: the same person's earlier complaints, newest first, each with its last written result."""
    last = (
        select(entries.c.personal["result"].label("result"))
        .where(entries.c.complaint_id == cases.c.id, entries.c.type == CaseResolvedV1.TYPE)
        .order_by(entries.c.occurred_at.desc())
        .limit(1)
        .lateral()
    )
    found = (
        select(cases, last.c.result)
        .outerjoin(last, true())
        .where(
            cases.c.person_id == case.facts.customer.person_id,
            tuple_(cases.c.received_at, cases.c.id) < tuple_(case.facts.received_at, case.id),
        )
        .order_by(cases.c.received_at.desc(), cases.c.id.desc())
        .limit(EARLIER)
    )
    return [
        EarlierComplaint(
            id=row.id,
            number=row.number,
            received_at=row.received_at,
            state=row.state,
            kind=row.kind,
            issue_type=row.issue_type,
            result=row.result,
        )
        for row in await tx.execute(found)
    ]


async def list_cases(
    tx: AsyncSession, wanted: Filter, sort: Sort, after: Sequence[Any] | None, limit: int, now: datetime
) -> list[Case]:
    """`after` is the position of the last case of the page before, as `position` gives it."""
    found: Select[Any] = select(*CASE_COLUMNS).where(*_conditions(wanted, now)).limit(limit)
    due, urgency, received, identity = (cases.c.next_due_at, cases.c.urgency_rank, cases.c.received_at, cases.c.id)
    match sort:
        case "next_due":
            found = found.order_by(due.asc().nulls_last(), identity)
            if after is not None:
                found = found.where(_behind_due(after[0], after[1]))
        case "urgency":
            found = found.order_by(urgency, due.asc().nulls_last(), identity)
            if after is not None:
                same = and_(urgency == after[0], _behind_due(after[1], after[2]))
                found = found.where(or_(urgency > after[0], same))
        case "received":
            found = found.order_by(received, identity)
            if after is not None:
                found = found.where(tuple_(received, identity) > tuple_(after[0], after[1]))
        case "-received":
            found = found.order_by(received.desc(), identity.desc())
            if after is not None:
                found = found.where(tuple_(received, identity) < tuple_(after[0], after[1]))
    return [case_from(row) for row in await tx.execute(found)]


def _behind_due(due: datetime | None, identity: UUID) -> ColumnElement[bool]:
    """Cases without a running clock come last."""
    if due is None:
        return and_(cases.c.next_due_at.is_(None), cases.c.id > identity)
    return or_(
        cases.c.next_due_at > due,
        and_(cases.c.next_due_at == due, cases.c.id > identity),
        cases.c.next_due_at.is_(None),
    )


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if wanted.states:
        made.append(cases.c.state.in_(wanted.states))
    if wanted.urgencies:
        made.append(cases.c.urgency.in_(wanted.urgencies))
    if wanted.customer is not None:
        made.append(cases.c.person_id == wanted.customer)
    if wanted.teams is not None:
        made.append(cases.c.team_id.in_(wanted.teams))
    given = {
        cases.c.team_id: wanted.team,
        cases.c.agent_id: wanted.agent,
        cases.c.channel: wanted.channel,
        cases.c.responsible: wanted.responsible,
    }
    made.extend(column == value for column, value in given.items() if value is not None)
    if wanted.overdue is not None:
        late = cases.c.next_due_at < now
        made.append(late if wanted.overdue else or_(~late, cases.c.next_due_at.is_(None)))
    if wanted.near_breach is not None:
        near = and_(cases.c.next_warn_at <= now, cases.c.next_due_at >= now)
        made.append(near if wanted.near_breach else near.is_not(True))
    if wanted.q:
        made.append(cases.c.search.contains(wanted.q.lower(), autoescape=True))
    return made


async def list_transfers(
    tx: AsyncSession,
    team: str | None,
    open_only: bool | None,
    teams: frozenset[str] | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Transfer]:
    """Oldest first."""
    found = select(transfers).order_by(transfers.c.opened_at, transfers.c.task_id).limit(limit)
    if team is not None:
        found = found.where(transfers.c.team_id == team)
    if teams is not None:
        found = found.where(transfers.c.team_id.in_(teams))
    if open_only is not None:
        found = found.where((transfers.c.status == "open") if open_only else (transfers.c.status != "open"))
    if after is not None:
        found = found.where(tuple_(transfers.c.opened_at, transfers.c.task_id) > tuple_(after[0], after[1]))
    return [transfer_from(row) for row in await tx.execute(found)]
