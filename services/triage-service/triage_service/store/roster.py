"""Teams and agents: queries, and the lock under which loads and erasures change."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.vocabulary import Kind, Language, Urgency
from triage_service.domain.roster import Agent, Team
from triage_service.store.tables import agents, teams

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('triage.roster.' || current_schema(), 0))")
_VERSIONS = text(
    "select (select coalesce(sum(revision), 0) from taxonomy_entries) as taxonomy, "
    "(select coalesce(sum(revision), 0) from teams) as teams"
)


async def lock(tx: AsyncSession) -> None:
    """Until the commit, nobody else changes loads, cases or the roster.

    Taken first by whoever writes them, so there is one order: loads are exact, a batch sees what was given before it,
    an erasure and a receipt never miss each other, and there are no deadlocks among rows.
    """
    await tx.execute(_LOCK)


async def versions(tx: AsyncSession) -> tuple[int, int]:
    """Of the taxonomy and of the teams. Each grows with every change: rows are never deleted, revisions only grow."""
    row = (await tx.execute(_VERSIONS)).one()
    return int(row.taxonomy), int(row.teams)


async def all_teams(tx: AsyncSession) -> list[Team]:
    return [_team(row) for row in await tx.execute(select(teams).order_by(teams.c.team_id))]


async def all_agents(tx: AsyncSession) -> list[Agent]:
    return [_agent(row) for row in await tx.execute(select(agents).order_by(agents.c.agent_id))]


async def put_teams(tx: AsyncSession, changed: Sequence[Team]) -> None:
    await _put(tx, teams, "team_id", [_team_row(team) for team in changed])


async def put_agents(tx: AsyncSession, changed: Sequence[Agent]) -> None:
    """Everything but the load, which follows from the cases."""
    await _put(tx, agents, "agent_id", [_agent_row(agent) for agent in changed])


async def add_loads(tx: AsyncSession, deltas: Mapping[str, int]) -> None:
    """Change the loads by `deltas`, agent by agent. The caller holds the lock."""
    rows = [{"id": agent_id, "delta": delta} for agent_id, delta in sorted(deltas.items()) if delta]
    if rows:
        await (await tx.connection()).execute(
            update(agents)
            .where(agents.c.agent_id == bindparam("id"))
            .values(load=func.greatest(0, agents.c.load + bindparam("delta"))),
            rows,
        )


async def _put(tx: AsyncSession, table: Any, key: str, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in (key, "load")}
    await tx.execute(statement.on_conflict_do_update(index_elements=[key], set_=replaced), rows)


def _sorted(values: Iterable[Any]) -> list[str]:
    return sorted(str(value) for value in values)


def _contact(contact: StaffContact | None) -> dict[str, Any] | None:
    return contact.model_dump(mode="json") if contact else None


def _read(contact: dict[str, Any] | None) -> StaffContact | None:
    return StaffContact(**contact) if contact else None


def _team_row(team: Team) -> dict[str, Any]:
    return {
        "team_id": team.team_id,
        "revision": team.revision,
        "zh": team.name.zh,
        "en": team.name.en,
        "kind": team.kind,
        "takes_kinds": _sorted(team.takes_kinds),
        "takes_urgencies": _sorted(team.takes_urgencies),
        "contact": _contact(team.contact),
        "lead": _contact(team.lead),
        "manager": _contact(team.manager),
        "executive": _contact(team.executive),
    }


def _team(row: Row[Any]) -> Team:
    return Team(
        team_id=row.team_id,
        revision=row.revision,
        name=Bilingual(zh=row.zh, en=row.en),
        kind=row.kind,
        takes_kinds=frozenset(map(Kind, row.takes_kinds)),
        takes_urgencies=frozenset(map(Urgency, row.takes_urgencies)),
        contact=_read(row.contact),
        lead=_read(row.lead),
        manager=_read(row.manager),
        executive=_read(row.executive),
    )


def _agent_row(agent: Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.agent_id,
        "revision": agent.revision,
        "contact": _contact(agent.contact),
        "teams": _sorted(agent.teams),
        "skills": _sorted(agent.skills),
        "languages": _sorted(agent.languages),
        "on_duty": agent.on_duty,
        "load": agent.load,
    }


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        contact=StaffContact(**row.contact),
        revision=row.revision,
        teams=frozenset(row.teams),
        skills=frozenset(row.skills),
        languages=frozenset(map(Language, row.languages)),
        on_duty=row.on_duty,
        load=row.load,
    )
