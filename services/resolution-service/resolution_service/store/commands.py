"""Rows that commands read under lock and write."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service.domain.models import Case, Measure, Promise, StageRecord, Team, Transfer
from resolution_service.store.hearing import without_person
from resolution_service.store.rows import (
    CASE_COLUMNS,
    case_from,
    measure_from,
    promise_from,
    team_from,
    transfer_from,
)
from resolution_service.store.tables import (
    actions,
    cases,
    entries,
    erasures,
    measures,
    promises,
    teams,
    transfers,
)
from shared.contracts.envelope import Actor, ActorKind, Data, Event
from shared.contracts.insight import ActionDoneV1, ActionPlannedV1
from shared.contracts.resolution import InvestigationRecordedV1, RegulatorStageRecordedV1, RegulatorStageTakenBackV1
from shared.contracts.triage import TeamChangedV1
from shared.contracts.vocabulary import RegulatorStage


async def lock_case(tx: AsyncSession, complaint_id: UUID) -> Case | None:
    found = (await tx.execute(select(*CASE_COLUMNS).where(cases.c.id == complaint_id).with_for_update())).one_or_none()
    return None if found is None else case_from(found)


async def save_case(tx: AsyncSession, case: Case) -> None:
    """What a command changes of a case."""
    await tx.execute(
        update(cases)
        .where(cases.c.id == case.id)
        .values(
            state=case.state.value,
            cycle=case.cycle,
            since=case.since,
            revision=case.revision,
            version=case.version,
            plain=case.plain,
        )
    )


async def analysed_in(tx: AsyncSession, complaint_id: UUID, cycle: int) -> bool:
    """Whether a finding was recorded in this cycle (D3)."""
    finding = exists(
        select(1).where(
            entries.c.complaint_id == complaint_id,
            entries.c.type == InvestigationRecordedV1.TYPE,
            entries.c.cycle == cycle,
        )
    )
    return bool(await tx.scalar(select(finding)))


async def regulator_stage(tx: AsyncSession, complaint_id: UUID, stage_id: UUID) -> StageRecord | None:
    found = (await tx.execute(_of_stage(complaint_id, stage_id, RegulatorStageRecordedV1))).one_or_none()
    if found is None:
        return None
    actor = Actor(kind=ActorKind(found.actor_kind), id=found.actor_id, name=found.actor_name)
    return StageRecord(
        stage_id,
        complaint_id,
        found.data["authority"],
        RegulatorStage(found.data["stage"]),
        found.data["reference"],
        found.personal.get("note", ""),
        found.occurred_at,
        actor,
    )


async def is_taken_back(tx: AsyncSession, complaint_id: UUID, stage_id: UUID) -> bool:
    return (await tx.execute(_of_stage(complaint_id, stage_id, RegulatorStageTakenBackV1))).first() is not None


def _of_stage(complaint_id: UUID, stage_id: UUID, kind: type[Event]) -> Select[Any]:
    return select(entries).where(
        entries.c.complaint_id == complaint_id,
        entries.c.type == kind.TYPE,
        entries.c.data["stage_id"].astext == str(stage_id),
    )


async def team(tx: AsyncSession, team_id: str) -> Team | None:
    found = (await tx.execute(select(teams).where(teams.c.team_id == team_id))).one_or_none()
    return None if found is None else team_from(found)


async def team_ids(tx: AsyncSession, limit: int = 50) -> Sequence[str]:
    return (await tx.scalars(select(teams.c.team_id).order_by(teams.c.team_id).limit(limit))).all()


async def complaint_of_transfer(tx: AsyncSession, task_id: UUID) -> UUID | None:
    return await tx.scalar(select(transfers.c.complaint_id).where(transfers.c.task_id == task_id))


async def complaint_of_promise(tx: AsyncSession, promise_id: UUID) -> UUID | None:
    return await tx.scalar(select(promises.c.complaint_id).where(promises.c.promise_id == promise_id))


async def complaint_of_measure(tx: AsyncSession, measure_id: UUID) -> UUID | None:
    return await tx.scalar(select(measures.c.complaint_id).where(measures.c.measure_id == measure_id))


async def transfer(tx: AsyncSession, task_id: UUID) -> Transfer:
    """One that is known to exist; its case's lock guards it."""
    return transfer_from((await tx.execute(select(transfers).where(transfers.c.task_id == task_id))).one())


async def promise(tx: AsyncSession, promise_id: UUID) -> Promise:
    return promise_from((await tx.execute(select(promises).where(promises.c.promise_id == promise_id))).one())


async def measure(tx: AsyncSession, measure_id: UUID) -> Measure:
    return measure_from((await tx.execute(select(measures).where(measures.c.measure_id == measure_id))).one())


async def measures_of(tx: AsyncSession, complaint_id: UUID) -> list[Measure]:
    rows = await tx.execute(
        select(measures)
        .where(measures.c.complaint_id == complaint_id)
        .order_by(measures.c.proposed_at, measures.c.measure_id)
    )
    return [measure_from(row) for row in rows]


async def save_transfer(tx: AsyncSession, made: Transfer) -> None:
    await _save(tx, transfers, "task_id", _columns(made))


async def save_promise(tx: AsyncSession, made: Promise) -> None:
    await _save(tx, promises, "promise_id", _columns(made))


async def save_measure(tx: AsyncSession, made: Measure) -> None:
    row = _columns(made)
    amount = made.amount
    del row["amount"]
    row |= {
        "amount_minor": amount.amount_minor if amount else None,
        "currency": amount.currency if amount else None,
        "kind": made.kind.value,
        "status": made.status.value,
    }
    await _save(tx, measures, "measure_id", row)


def _columns(made: Transfer | Promise | Measure) -> dict[str, Any]:
    names = asdict(made).keys()
    values = {name: getattr(made, name) for name in names}
    return {name: value.model_dump(mode="json") if isinstance(value, Data) else value for name, value in values.items()}


async def _save(tx: AsyncSession, table: Table, key: str, row: dict[str, Any]) -> None:
    statement = insert(table).values(row)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c[key]], set_={name: statement.excluded[name] for name in row if name != key}
        )
    )


async def upsert_teams(tx: AsyncSession, events: Sequence[TeamChangedV1]) -> None:
    """The highest revision of each team."""
    newest = {event.team_id: event for event in sorted(events, key=lambda event: event.revision)}
    statement = insert(teams).values(
        [
            {
                "team_id": event.team_id,
                "revision": event.revision,
                "name": event.name.model_dump(mode="json"),
                "kind": event.kind,
                "contact": event.contact.model_dump(mode="json") if event.contact else None,
            }
            for _, event in sorted(newest.items())
        ]
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[teams.c.team_id],
            set_={name: statement.excluded[name] for name in ("revision", "name", "kind", "contact")},
            where=statement.excluded.revision > teams.c.revision,
        )
    )


async def upsert_actions(tx: AsyncSession, events: Sequence[ActionPlannedV1]) -> None:
    """The highest revision of each improvement action."""
    newest = {event.action_id: event for event in sorted(events, key=lambda event: event.revision)}
    statement = insert(actions).values(
        [
            {
                "action_id": event.action_id,
                "revision": event.revision,
                "plan": event.model_dump(mode="json", include=_PLAN),
                "complaint_ids": list(event.complaint_ids),
            }
            for _, event in sorted(newest.items())
        ]
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[actions.c.action_id],
            set_={name: statement.excluded[name] for name in ("revision", "plan", "complaint_ids")},
            where=statement.excluded.revision > actions.c.revision,
        )
    )


_PLAN = {"occurred_at", "review_id", "title", "kind", "owner", "aim", "due_at"}


async def end_actions(tx: AsyncSession, events: Sequence[ActionDoneV1]) -> None:
    first = {event.action_id: event for event in sorted(events, key=lambda event: event.occurred_at, reverse=True)}
    statement = insert(actions).values(
        [
            {"action_id": event.action_id, "revision": 0, "complaint_ids": [], "done_at": event.occurred_at}
            for _, event in sorted(first.items())
        ]
    )
    earliest = text("least(actions.done_at, excluded.done_at)")
    await tx.execute(statement.on_conflict_do_update(index_elements=[actions.c.action_id], set_={"done_at": earliest}))


async def forget(tx: AsyncSession, subjects: Sequence[UUID]) -> None:
    """Empty what is personal of these persons' complaints, and remember that whatever comes later is kept without it.

    The table lock lets those finish who are writing a case of such a person at this moment.
    """
    await tx.execute(text("lock table cases in share row exclusive mode"))
    await tx.execute(
        insert(erasures).values([{"subject_id": subject} for subject in subjects]).on_conflict_do_nothing()
    )
    ids = (
        await tx.scalars(
            update(cases)
            .where((cases.c.person_id.in_(subjects)) | (cases.c.id.in_(subjects)))
            .values(erased=True, facts=without_person(cases.c.facts), search=text("lower(number)"))
            .returning(cases.c.id)
        )
    ).all()
    await tx.execute(update(entries).where(entries.c.complaint_id.in_(ids)).values(personal={}))
    await tx.execute(
        update(entries)
        .where(entries.c.complaint_id.in_(ids), entries.c.actor_kind == "complainant")
        .values(actor_name="")
    )
    await tx.execute(
        update(transfers)
        .where(transfers.c.complaint_id.in_(ids))
        .values(ask="", answer=text("case when answer is null then null else '' end"))
    )
    await tx.execute(
        update(promises)
        .where(promises.c.complaint_id.in_(ids))
        .values(text="", reason=text("case when reason is null then null else '' end"))
    )
    await tx.execute(
        update(measures)
        .where(measures.c.complaint_id.in_(ids))
        .values(text="", decision_reason=text("case when decision_reason is null then null else '' end"))
    )
