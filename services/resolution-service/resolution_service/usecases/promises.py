"""Promises and progress (C5)."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service import store
from resolution_service.domain.models import Case, Progress, Promise
from resolution_service.domain.orders import Done, GiveReason, MakePromise, PromiseWithProgress, TellProgress
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import BadInstant, PromiseNotOpen, UnknownPromise
from resolution_service.usecases.work import Work, take_up
from shared.contracts.envelope import Actor, Event
from shared.contracts.resolution import ProgressToldV1, PromiseKeptV1, PromiseMadeV1, PromiseWithdrawnV1


async def make_promise(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: MakePromise, expected: str | None
) -> tuple[Case, Promise]:
    """Raises `BadInstant` where the due instant does not lie in the future."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    work.need_alive()
    event, made = _promised(work, order, work.at(order.occurred_at), "/due_at")
    await store.save_promise(tx, made)
    return await work.put_down(event), made


async def keep_promise(
    tx: AsyncSession, deps: Deps, actor: Actor, promise_id: UUID, order: Done, expected: str | None
) -> tuple[Case, Promise]:
    work, promise = await _open_promise(tx, deps, actor, promise_id, expected)
    event, made = _kept(work, promise, work.at(order.occurred_at, after=promise.made_at))
    await store.save_promise(tx, made)
    return await work.put_down(event), made


async def withdraw_promise(
    tx: AsyncSession, deps: Deps, actor: Actor, promise_id: UUID, order: GiveReason, expected: str | None
) -> tuple[Case, Promise]:
    work, promise = await _open_promise(tx, deps, actor, promise_id, expected)
    at = work.at(order.occurred_at, after=promise.made_at)
    event = PromiseWithdrawnV1(**work.envelope(at), promise_id=promise_id, reason=order.reason)
    made = replace(promise, status="withdrawn", ended_at=at, reason=order.reason)
    await store.save_promise(tx, made)
    return await work.put_down(event), made


async def tell_progress(
    tx: AsyncSession, deps: Deps, actor: Actor, complaint_id: UUID, order: TellProgress, expected: str | None
) -> tuple[Case, Progress]:
    """Tell the customer how it stands; with it, keep one promise and make another."""
    work = await take_up(tx, deps, complaint_id, actor, expected)
    work.need_alive()
    told: list[Event] = []
    keeps: Promise | None = None
    if order.keeps is not None:
        if await store.complaint_of_promise(tx, order.keeps) != complaint_id:
            raise UnknownPromise(f"This complaint has no promise {order.keeps}.", pointer="/keeps")
        keeps = _still_open(await store.promise(tx, order.keeps), "/keeps")
    at = work.at(order.occurred_at, after=keeps.made_at if keeps else None)
    if keeps is not None:
        event, kept = _kept(work, keeps, at)
        told.append(event)
        await store.save_promise(tx, kept)
    promise: Promise | None = None
    if order.promise is not None:
        made, promise = _promised(work, order.promise, at, "/promise/due_at")
        told.append(made)
        await store.save_promise(tx, promise)
    progress = ProgressToldV1(
        **work.envelope(at),
        progress_id=deps.ids(),
        cycle=work.standing.cycle,
        text=order.text,
        promise_id=promise.promise_id if promise else None,
    )
    case = await work.put_down(*told, progress)
    return case, Progress.of(progress, promise=promise, kept=order.keeps)


def _promised(
    work: Work, order: MakePromise | PromiseWithProgress, at: datetime, pointer: str
) -> tuple[PromiseMadeV1, Promise]:
    if order.due_at <= work.now:
        raise BadInstant(
            f"A promise is for the future; {order.due_at.isoformat()} has passed (it is {work.now.isoformat()}).",
            pointer=pointer,
        )
    event = PromiseMadeV1(**work.envelope(at), promise_id=work.deps.ids(), text=order.text, due_at=order.due_at)
    return event, Promise(event.promise_id, work.case.id, order.text, order.due_at, "open", at, work.actor)


def _kept(work: Work, promise: Promise, at: datetime) -> tuple[PromiseKeptV1, Promise]:
    event = PromiseKeptV1(**work.envelope(at), promise_id=promise.promise_id)
    return event, replace(promise, status="kept", ended_at=at)


def _still_open(promise: Promise, pointer: str | None = None) -> Promise:
    if promise.status != "open":
        raise PromiseNotOpen(
            f"Promise {promise.promise_id} was {promise.status} already; make a new one if there is more to promise.",
            pointer=pointer,
        )
    return promise


async def _open_promise(
    tx: AsyncSession, deps: Deps, actor: Actor, promise_id: UUID, expected: str | None
) -> tuple[Work, Promise]:
    complaint_id = await store.complaint_of_promise(tx, promise_id)
    if complaint_id is None:
        raise UnknownPromise(f"No promise has the id {promise_id}.")
    work = await take_up(tx, deps, complaint_id, actor, expected)
    return work, _still_open(await store.promise(tx, promise_id))
