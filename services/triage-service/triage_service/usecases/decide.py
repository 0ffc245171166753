"""What people do with one complaint: override its classification, assign it by hand; and the look at both."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus import outbox
from shared.contracts.envelope import Actor
from shared.contracts.triage import Reason
from shared.web.etag import if_match
from triage_service.classifier import Dimension, Narrative, Verdict
from triage_service.domain import cases as domain
from triage_service.domain.assignment import BY_HAND, Balance
from triage_service.domain.cases import Assignment, Case, Classification, Correction
from triage_service.store import cases, roster, taxonomy
from triage_service.usecases.deps import Deps
from triage_service.usecases.errors import (
    CaseEnded,
    ComplaintNotAssessed,
    NotAssigned,
    UnknownAgent,
    UnknownCode,
    UnknownTeam,
)


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with all revisions, the newest first."""

    case: Case
    classifications: list[Classification]
    assignments: list[Assignment]


async def dry_run(narrative: Narrative, deps: Deps) -> Verdict:
    """What the rules would say of this text, and why. Nothing is kept."""
    async with deps.reading() as tx:
        classifier, _ = await deps.knowledge.present(tx)
    return classifier.classify(narrative)


async def look(complaint_id: UUID, deps: Deps) -> Dossier:
    """Raises `ComplaintNotAssessed`."""
    async with deps.reading() as tx:
        case = await _found(complaint_id, tx)
        return Dossier(case, await cases.history(tx, complaint_id), await cases.assignment_history(tx, complaint_id))


async def look_at_assignment(complaint_id: UUID, deps: Deps) -> Dossier:
    """Raises `ComplaintNotAssessed`, `NotAssigned`."""
    found = await look(complaint_id, deps)
    if not found.assignments:
        raise NotAssigned("There was no team to give it to. Assign it by hand.")
    return found


async def override(
    complaint_id: UUID,
    correction: Correction,
    reason: str,
    expected: str | None,
    actor: Actor,
    tx: AsyncSession,
    deps: Deps,
    *,
    assign_anew: bool = False,
) -> Case:
    """The next revision of the classification, by hand, with its reason kept (B2).

    The agent keeps the case (B5), unless `assign_anew` asks for whom the new classification calls for.
    Raises `ComplaintNotAssessed`, `PreconditionFailed`, `UnknownCode`.
    """
    await roster.lock(tx)
    case = await _found(complaint_id, tx)
    if_match(expected, case.classification.revision)
    await _demand_codes(correction, tx)
    now = deps.clock.now()
    made = domain.corrected(case.classification, correction, reason, actor, now)
    case = domain.reclassified(case, made)
    await cases.insert_classifications(tx, [(complaint_id, made)])
    outbox.add(tx, domain.classified_event(case.facts, made))
    if assign_anew and not case.ended:
        balance = Balance(await roster.all_teams(tx), await roster.all_agents(tx))
        held = case.assignment
        given = domain.assigned_by_rules(
            balance, case.facts, made, held.agent_id if held else None, held.revision + 1 if held else 1, now
        )
        if given and (held is None or (given.team_id, given.agent_id) != (held.team_id, held.agent_id)):
            return await hand_over(case, given, balance, tx)
    await cases.update_case(tx, case)
    return case


async def assign_by_hand(
    complaint_id: UUID,
    team_id: str | None,
    agent_id: str | None,
    reason: str,
    expected: str | None,
    actor: Actor,
    tx: AsyncSession,
    deps: Deps,
) -> Case:
    """Give the case to an agent, or to a team, whose least loaded agent then gets it (B5).

    Raises `ComplaintNotAssessed`, `PreconditionFailed`, `CaseEnded`, `UnknownTeam`, `UnknownAgent`.
    """
    await roster.lock(tx)
    case = await _found(complaint_id, tx)
    held = case.assignment
    if_match(expected, held.revision if held else 0)
    if case.ended:
        raise CaseEnded("A closed, merged, withdrawn or rejected case is nobody's work. Reopen it first.")
    balance = Balance(await roster.all_teams(tx), await roster.all_agents(tx))
    agent = balance.agents.get(agent_id) if agent_id is not None else None
    if agent_id is not None and agent is None:
        raise UnknownAgent(f"There is no agent {agent_id!r}; see GET /v1/agents.", pointer="/agent_id")
    if team_id is None and agent is not None:
        team_id = _home(agent.teams, held.team_id if held else None)
    team = balance.teams.get(team_id or "")
    if team is None:
        raise UnknownTeam("Name a team of GET /v1/teams.", pointer="/team_id")
    reasons: tuple[Reason, ...] = (BY_HAND,)
    if agent is None:
        agent, why = balance.choose(team, case.classification.issue_type, case.facts.customer.language)
        reasons = (BY_HAND, *why)
    elif team.team_id not in agent.teams:
        raise UnknownAgent(
            f"{agent.agent_id} is not in {team.team_id}; leave the team out, or add the agent to it.",
            pointer="/agent_id",
        )
    given = Assignment(
        revision=held.revision + 1 if held else 1,
        team_id=team.team_id,
        agent_id=agent.agent_id if agent else None,
        reasons=reasons,
        by="hand",
        actor=actor,
        recorded_at=deps.clock.now(),
        override_reason=reason,
    )
    return await hand_over(case, given, balance, tx)


async def hand_over(case: Case, given: Assignment, balance: Balance, tx: AsyncSession) -> Case:
    """Write the assignment, move the load, tell everybody. The caller holds the roster's lock."""
    held = case.assignment
    changed = replace(case, assignment=given)
    await cases.update_case(tx, changed)
    await cases.insert_assignments(tx, [(case.facts.complaint_id, given)])
    deltas: dict[str, int] = {}
    if held is not None and held.agent_id is not None:
        deltas[held.agent_id] = -1
    if given.agent_id is not None:
        deltas[given.agent_id] = deltas.get(given.agent_id, 0) + 1
    await roster.add_loads(tx, deltas)
    outbox.add(tx, domain.assigned_event(case.facts, given, balance))
    return changed


async def _found(complaint_id: UUID, tx: AsyncSession) -> Case:
    case = await cases.find(tx, complaint_id)
    if case is None:
        raise ComplaintNotAssessed("Check the id; a complaint that was just received is assessed within seconds.")
    return case


async def _demand_codes(correction: Correction, tx: AsyncSession) -> None:
    if correction.issue_type is None and correction.responsible is None:
        return
    active = {(entry.dimension, entry.code) for entry in await taxonomy.entries(tx) if entry.active}
    for dimension, code, field in (
        (Dimension.ISSUE, correction.issue_type, "issue_type"),
        (Dimension.RESPONSIBLE, correction.responsible, "responsible"),
    ):
        if code is not None and (dimension, code) not in active:
            raise UnknownCode(f"{code!r} is no active entry of {dimension}; see GET /v1/taxonomy.", pointer=f"/{field}")


def _home(teams: frozenset[str], present: str | None) -> str | None:
    """The present team where the agent is in it, else the agent's first."""
    return present if present in teams else min(teams, default=None)
