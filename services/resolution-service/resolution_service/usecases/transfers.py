"""Transfer tasks 转单 (C2)."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain import states
from resolution_service.domain.models import Case, Transfer
from resolution_service.domain.orders import AnswerTransfer, GiveReason, OpenTransfer
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import (
    IllegalMove,
    ReasonMissing,
    TransferNotOpen,
    UnknownTeam,
    UnknownTransfer,
)
from resolution_service.usecases.work import Work, take_up
from shared.contracts.envelope import Actor, Bilingual, StaffContact
from shared.contracts.resolution import TransferAnsweredV1, TransferCancelledV1, TransferOpenedV1
from shared.contracts.vocabulary import CaseState

#: The team id of a partner whom the roster does not know.
OUTSIDE = "outside"


async def open_transfer(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: OpenTransfer, expected: str | None
) -> tuple[Case, Transfer]:
    """Raises `UnknownTeam` with the known ones, `CaseNotOpen`, and `IllegalMove` where the case cannot wait."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    work.need_open()
    if order.wait and CaseState.WAITING_THIRD_PARTY not in states.legal(work.standing.state, states.Cause.BY_HAND):
        raise IllegalMove.between(work.standing.state, CaseState.WAITING_THIRD_PARTY)
    team_id, name, contact, external = await _addressee(tx, order)
    at = work.at(order.occurred_at, after=work.standing.not_before if order.wait else None)
    event = TransferOpenedV1(
        **work.envelope(at),
        task_id=deps.ids(),
        team_id=team_id,
        team_name=name,
        contact=contact,
        ask=order.ask,
        external=external,
    )
    made = Transfer(event.task_id, complaint_id, team_id, name, contact, order.ask, "open", at, actor)
    await store.save_transfer(tx, made)
    if not order.wait:
        return await work.put_down(event), made
    moved = work.order(CaseState.WAITING_THIRD_PARTY, at, name.zh)
    return await work.put_down(event, moved, order=moved), made


async def _addressee(tx: AsyncSession, order: OpenTransfer) -> tuple[str, Bilingual, StaffContact | None, bool]:
    """Team, name and contact, and whether it is a partner of another house."""
    given = order.contact.as_staff() if order.contact else None
    if order.team_id is None:
        if given is None:
            raise ReasonMissing("Name a team of the roster, or an outside partner's contact.", pointer="/team_id")
        return OUTSIDE, Bilingual(zh=f"外部伙伴 {given.name}", en=f"Outside partner {given.name}"), given, True
    team = await store.team(tx, order.team_id)
    if team is None:
        raise UnknownTeam.among(order.team_id, await store.team_ids(tx))
    return team.team_id, team.name, given or team.contact, team.kind == "partner"


async def answer_transfer(
    tx: AsyncSession, deps: Deps, actor: Actor, task_id: UUID, order: AnswerTransfer, expected: str | None
) -> tuple[Case, Transfer]:
    work, task = await _open_task(tx, deps, actor, task_id, expected)
    at = work.at(order.occurred_at, after=task.opened_at)
    event = TransferAnsweredV1(**work.envelope(at), task_id=task_id, team_id=task.team_id, answer=order.answer)
    made = replace(task, status="answered", answer=order.answer, ended_at=at, ended_by=actor)
    await store.save_transfer(tx, made)
    return await work.put_down(event), made


async def cancel_transfer(
    tx: AsyncSession, deps: Deps, actor: Actor, task_id: UUID, order: GiveReason, expected: str | None
) -> tuple[Case, Transfer]:
    work, task = await _open_task(tx, deps, actor, task_id, expected)
    at = work.at(order.occurred_at, after=task.opened_at)
    event = TransferCancelledV1(**work.envelope(at), task_id=task_id, team_id=task.team_id, reason=order.reason)
    made = replace(task, status="cancelled", answer=order.reason, ended_at=at, ended_by=actor)
    await store.save_transfer(tx, made)
    return await work.put_down(event), made


async def _open_task(
    tx: AsyncSession, deps: Deps, actor: Actor, task_id: UUID, expected: str | None
) -> tuple[Work, Transfer]:
    complaint_id = await store.complaint_of_transfer(tx, task_id)
    if complaint_id is None:
        raise UnknownTransfer(f"No transfer task has the id {task_id}.")
    work = await take_up(tx, deps, complaint_id, actor, expected)
    task = await store.transfer(tx, task_id)
    if task.status != "open":
        ended = task.ended_at.isoformat() if task.ended_at else "an earlier time"
        raise TransferNotOpen(f"Task {task_id} was {task.status} at {ended}; open a new one if there is more to ask.")
    return work, task
