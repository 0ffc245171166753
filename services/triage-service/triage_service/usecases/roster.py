"""Seeding and editing the taxonomy and the roster; the work list."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.contracts.envelope import Actor
from shared.web.etag import if_match
from triage_service.domain import cases as domain
from triage_service.domain import roster as rules
from triage_service.domain import taxonomy as matrix
from triage_service.domain.assignment import Balance
from triage_service.domain.roster import Agent, Team
from triage_service.domain.taxonomy import Entry
from triage_service.store import cases, queue, roster, taxonomy
from triage_service.store.queue import QueueItem
from triage_service.usecases.decide import hand_over
from triage_service.usecases.deps import Deps
from triage_service.usecases.errors import EntryNotAllowed, UnknownTeam

#: How many waiting cases are handed out when somebody comes on duty.
HANDED_OUT = 50


async def seed(entries: dict[str, Any], people: dict[str, Any], deps: Deps) -> None:
    """Give a new installation its taxonomy and its first roster. What the company has made of either stays."""
    async with deps.session() as tx:
        await roster.lock(tx)
        await taxonomy.seed(tx, matrix.seeded(entries))
        if await roster.all_teams(tx):
            return
        teams, agents = rules.seeded(people)
        await roster.put_teams(tx, teams)
        await roster.put_agents(tx, agents)
        now = deps.clock.now()
        outbox.add(tx, *(rules.team_changed(team, agents, domain.SYSTEM, now) for team in teams))


async def list_taxonomy(deps: Deps) -> list[Entry]:
    async with deps.reading() as tx:
        return await taxonomy.entries(tx)


async def put_entry(entry: Entry, expected: str | None, deps: Deps) -> Entry:
    """Add or replace an entry. Raises `EntryNotAllowed`, `PreconditionFailed`."""
    async with deps.session() as tx:
        await roster.lock(tx)
        entries = await taxonomy.entries(tx)
        standing = next((one for one in entries if (one.dimension, one.code) == (entry.dimension, entry.code)), None)
        if_match(expected, standing.revision if standing else 0)
        if (refused := matrix.objection(entry, entries)) is not None:
            field, why = refused
            if field == "code":
                raise EntryNotAllowed(why, parameter=field)
            raise EntryNotAllowed(why, pointer=f"/{field}")
        return await taxonomy.put(tx, entry)


async def list_teams(deps: Deps) -> tuple[list[Team], list[Agent]]:
    async with deps.reading() as tx:
        return await roster.all_teams(tx), await roster.all_agents(tx)


async def put_team(team: Team, expected: str | None, actor: Actor, deps: Deps) -> tuple[Team, list[Agent]]:
    """Add or replace a team, and tell everybody. Raises `PreconditionFailed`."""
    async with deps.session() as tx:
        await roster.lock(tx)
        standing = next((one for one in await roster.all_teams(tx) if one.team_id == team.team_id), None)
        if_match(expected, standing.revision if standing else 0)
        changed = replace(team, revision=standing.revision + 1 if standing else 1)
        await roster.put_teams(tx, [changed])
        agents = await roster.all_agents(tx)
        outbox.add(tx, rules.team_changed(changed, agents, actor, deps.clock.now()))
        return changed, agents


async def put_agent(agent: Agent, expected: str | None, actor: Actor, deps: Deps) -> Agent:
    """Add or replace an agent. Teams whose members changed are told; who comes on duty gets of what was waiting.

    Raises `UnknownTeam`, `PreconditionFailed`.
    """
    async with deps.session() as tx:
        await roster.lock(tx)
        agents = {one.agent_id: one for one in await roster.all_agents(tx)}
        teams = {one.team_id: one for one in await roster.all_teams(tx)}
        standing = agents.get(agent.agent_id)
        if_match(expected, standing.revision if standing else 0)
        for team_id in sorted(agent.teams - teams.keys()):
            raise UnknownTeam(f"There is no team {team_id!r}; see GET /v1/teams.", pointer="/teams")
        changed = replace(
            agent, revision=standing.revision + 1 if standing else 1, load=standing.load if standing else 0
        )
        await roster.put_agents(tx, [changed])
        agents[agent.agent_id] = changed
        await _tell_teams(standing, changed, list(agents.values()), teams, actor, tx, deps)
        if changed.on_duty and changed.teams:
            await _hand_out(changed, list(agents.values()), list(teams.values()), tx, deps)
            agents = {one.agent_id: one for one in await roster.all_agents(tx)}
        return agents[agent.agent_id]


async def _tell_teams(
    before: Agent | None,
    after: Agent,
    agents: list[Agent],
    teams: dict[str, Team],
    actor: Actor,
    tx: AsyncSession,
    deps: Deps,
) -> None:
    if before is not None and (before.contact, before.teams) == (after.contact, after.teams):
        return
    touched = sorted(after.teams | (before.teams if before else frozenset()))
    grown = [replace(teams[team_id], revision=teams[team_id].revision + 1) for team_id in touched if team_id in teams]
    await roster.put_teams(tx, grown)
    now = deps.clock.now()
    outbox.add(tx, *(rules.team_changed(team, agents, actor, now) for team in grown))


async def _hand_out(agent: Agent, agents: Sequence[Agent], teams: Sequence[Team], tx: AsyncSession, deps: Deps) -> None:
    balance = Balance(teams, agents)
    now = deps.clock.now()
    for complaint_id in await queue.waiting_of(tx, agent.teams, HANDED_OUT):
        case = await cases.find(tx, complaint_id)
        if case is None or case.assignment is None:
            continue
        team = balance.teams[case.assignment.team_id]
        chosen, why = balance.choose(team, case.classification.issue_type, case.facts.customer.language)
        if chosen is not None:
            given = domain.Assignment(
                revision=case.assignment.revision + 1,
                team_id=team.team_id,
                agent_id=chosen.agent_id,
                reasons=why,
                by="rules",
                actor=domain.SYSTEM,
                recorded_at=now,
            )
            await hand_over(case, given, balance, tx)


async def work_list(
    *,
    team_id: str | None,
    agent_id: str | None,
    waiting: bool | None,
    visible: frozenset[str] | None,
    after: tuple[int, datetime, UUID] | None,
    limit: int,
    deps: Deps,
) -> list[QueueItem]:
    async with deps.reading() as tx:
        return await queue.queue(
            tx, team_id=team_id, agent_id=agent_id, waiting=waiting, visible=visible, after=after, limit=limit
        )
