"""Clocks and the roster."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Select, and_, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.sla import ClockView
from shared.contracts.triage import TeamChangedV1
from shared.contracts.vocabulary import ClockStatus, Metric
from sla_service.clocks.conditions import Choice
from sla_service.domain.changes import Kept, PauseFinding
from sla_service.store.tables import clocks, histories, verifications

_VIEW = tuple(name for name in ClockView.model_fields if name not in ("clock_id", "title"))
_COLUMNS = {
    "clock_id": "uuid",
    "history_id": "uuid",
    "revision": "int",
    "subject": "text",
    "subject_id": "uuid",
    "metric": "text",
    "cycle": "int",
    "policy": "text",
    "policy_version": "int",
    "calendar": "text",
    "status": "text",
    "started_at": "timestamptz",
    "due_at": "timestamptz",
    "warn_at": "timestamptz",
    "warned_at": "timestamptz",
    "breached_at": "timestamptz",
    "fulfilled_at": "timestamptz",
    "on_time": "bool",
    "owner_team": "text",
    "title": "text",
    "holder": "text",
    "void": "bool",
    "steps": "text",
    "escalated": "int",
    "horizon": "timestamptz",
    "wake_at": "timestamptz",
    "why": "text",
    "resumes_at": "timestamptz",
    "findings": "text",
}
#: PostgreSQL's unnest flattens arrays of arrays and takes no jsonb from text, so these travel as text.
_CASTS = {"title": "::jsonb", "holder": "::jsonb", "why": "::jsonb", "findings": "::jsonb", "steps": "::timestamptz[]"}
_SAVE = text(
    f"insert into clocks ({', '.join(_COLUMNS)}) "  # noqa: S608 - our own column names
    f"select {', '.join(name + _CASTS.get(name, '') for name in _COLUMNS)} from unnest("
    + ", ".join(f"cast(:{name} as {kind}[])" for name, kind in _COLUMNS.items())
    + f") as r ({', '.join(_COLUMNS)}) order by clock_id on conflict (clock_id) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("clock_id", "history_id"))
)


def _columns(kept: Kept) -> dict[str, Any]:
    view = kept.view
    return {
        "clock_id": view.clock_id,
        "history_id": kept.history_id,
        **{name: getattr(view, name) for name in _VIEW},
        "title": view.title.model_dump_json(),
        "holder": kept.holder.model_dump_json() if kept.holder else None,
        "void": kept.void,
        "steps": "{" + ",".join(f'"{step.isoformat()}"' for step in kept.steps) + "}",
        "escalated": kept.escalated,
        "horizon": kept.horizon,
        "wake_at": kept.wake_at,
        "why": kept.why.model_dump_json() if kept.why else None,
        "resumes_at": kept.resumes_at,
        "findings": _FINDINGS.dump_json(kept.findings).decode() if kept.findings else None,
    }


async def save_clocks(tx: AsyncSession, changed: Sequence[Kept]) -> None:
    """All of them in one statement."""
    if changed:
        rows = [_columns(one) for one in changed]
        await tx.execute(_SAVE, {name: [row[name] for row in rows] for name in _COLUMNS})


def view_of(row: Any) -> ClockView:
    return ClockView(
        clock_id=row.clock_id, title=Bilingual.model_validate(row.title), **{name: getattr(row, name) for name in _VIEW}
    )


def _kept(row: Any) -> Kept:
    return Kept(
        row.history_id,
        view_of(row),
        row.horizon,
        row.escalated,
        row.wake_at,
        StaffContact.model_validate(row.holder) if row.holder else None,
        row.void,
        tuple(row.steps),
        why_of(row),
        row.resumes_at,
        findings_of(row),
    )


_FINDINGS: TypeAdapter[tuple[PauseFinding, ...]] = TypeAdapter(tuple[PauseFinding, ...])


def findings_of(row: Any) -> tuple[PauseFinding, ...]:
    return _FINDINGS.validate_python(row.findings) if row.findings else ()


def why_of(row: Any) -> Choice | None:
    return Choice.model_validate(row.why) if row.why is not None else None


_LOCK = text(
    f"select {', '.join(_COLUMNS)} from clocks where history_id = any(cast(:ids as uuid[])) "  # noqa: S608
    "order by clock_id for update"
)


async def lock_clocks(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, dict[UUID, Kept]]:
    """The clocks of these histories, by history and clock; a timer that holds one is waited for."""
    wanted = list(ids)
    found: dict[UUID, dict[UUID, Kept]] = {one: {} for one in wanted}
    for row in (await tx.execute(_LOCK, {"ids": wanted})).all():
        found[row.history_id][row.clock_id] = _kept(row)
    return found


async def lock_clock(tx: AsyncSession, clock_id: UUID) -> ClockView:
    """A clock that is there, locked until the commit; a timer or a handler that holds it is waited for."""
    return view_of((await tx.execute(select(clocks).where(clocks.c.clock_id == clock_id).with_for_update())).one())


async def save_revision(tx: AsyncSession, view: ClockView) -> None:
    """After an event that changes nothing else of the clock."""
    await tx.execute(clocks.update().where(clocks.c.clock_id == view.clock_id).values(revision=view.revision))


async def rows_of(tx: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, dict[UUID, Mapping[str, Any]]]:
    """The rows of these histories as they are kept, by history and clock; nothing is made of them."""
    wanted = list(ids)
    found: dict[UUID, dict[UUID, Mapping[str, Any]]] = {one: {} for one in wanted}
    for row in (await tx.execute(select(clocks).where(clocks.c.history_id.in_(wanted)))).mappings():
        found[row["history_id"]][row["clock_id"]] = dict(row)
    return found


async def claim_night(tx: AsyncSession, night: date) -> bool:
    """Whether nobody else has begun to verify on this night."""
    claim = insert(verifications).values(night=night).on_conflict_do_nothing().returning(verifications.c.night)
    return await tx.scalar(claim) is not None


_TEAMS = text(
    "insert into teams (team_id, revision, roster) select t, n, r::jsonb from unnest(cast(:teams as text[]), "
    "cast(:revisions as int[]), cast(:rosters as text[])) as r (t, n, r) order by t on conflict (team_id) do update "
    "set revision = excluded.revision, roster = excluded.roster where teams.revision < excluded.revision"
)


async def save_teams(tx: AsyncSession, teams: Sequence[TeamChangedV1]) -> None:
    """Keep the highest revision of each team."""
    await tx.execute(
        _TEAMS,
        {
            "teams": [team.team_id for team in teams],
            "revisions": [team.revision for team in teams],
            "rosters": [team.model_dump_json(include=_PLACES | {"members"}) for team in teams],
        },
    )


_PLACES = {"contact", "lead", "manager", "executive"}


async def teams_of(tx: AsyncSession, staff_ids: Iterable[str]) -> dict[str, str]:
    """The team of each of these members of staff, as far as one is known (an improvement action has an owner only)."""
    query = text(
        "select s, min(team_id) as team_id from unnest(cast(:staff as text[])) as r (s) join teams on roster @> "
        "jsonb_build_object('members', jsonb_build_array(jsonb_build_object('staff_id', s))) group by s"
    )
    rows = (await tx.execute(query, {"staff": sorted(staff_ids)})).all()
    return {row.s: row.team_id for row in rows}


async def rosters(tx: AsyncSession, team_ids: Iterable[str]) -> Mapping[str, dict[str, StaffContact | None]]:
    query = text("select team_id, roster from teams where team_id = any(cast(:teams as text[]))")
    rows = (await tx.execute(query, {"teams": sorted(team_ids)})).all()
    return {
        row.team_id: {
            place: StaffContact.model_validate(row.roster[place]) if row.roster.get(place) else None
            for place in _PLACES
        }
        for row in rows
    }


_SHOWN = select(clocks, histories.c.complaint).join(histories, histories.c.history_id == clocks.c.history_id)


async def clock(tx: AsyncSession, clock_id: UUID) -> Any | None:
    query = _SHOWN.where(clocks.c.clock_id == clock_id, clocks.c.revision > 0)
    return (await tx.execute(query)).one_or_none()


async def list_clocks(
    tx: AsyncSession,
    *,
    history_id: UUID | None,
    status: ClockStatus | None,
    metric: Metric | None,
    breached: bool | None,
    due_before: datetime | None,
    teams: Iterable[str] | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """By due instant."""
    query: Select[Any] = _SHOWN.where(clocks.c.revision > 0)
    if history_id is not None:
        query = query.where(clocks.c.history_id == history_id)
    if status is not None:
        query = query.where(clocks.c.status == status.value)
    if metric is not None:
        query = query.where(clocks.c.metric == metric.value)
    if breached is not None:
        query = query.where(clocks.c.breached_at.is_not(None) if breached else clocks.c.breached_at.is_(None))
    if due_before is not None:
        query = query.where(clocks.c.due_at < due_before)
    if teams is not None:
        query = query.where(or_(clocks.c.owner_team.in_(list(teams)), clocks.c.owner_team.is_(None)))
    if after is not None:
        query = query.where(and_(tuple_(clocks.c.due_at, clocks.c.clock_id) > tuple_(*after)))
    return list(await tx.execute(query.order_by(clocks.c.due_at, clocks.c.clock_id).limit(limit)))
