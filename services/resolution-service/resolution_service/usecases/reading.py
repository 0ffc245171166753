"""The live dossier (A3, A9), the work list and the list of transfer tasks."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from resolution_service import store
from resolution_service.domain import dossier as parts
from resolution_service.domain import labels, states
from resolution_service.domain.models import Transfer
from resolution_service.domain.timeline import File, timeline
from resolution_service.domain.views import CaseSummary, Dossier, LegalMove
from resolution_service.domain.worklist import Filter, Sort
from resolution_service.usecases.deps import Deps
from resolution_service.usecases.errors import UnknownCase
from resolution_service.usecases.work import milestones
from shared.web.auth import Principal, may_see_team, visible_teams


async def dossier(deps: Deps, principal: Principal, complaint_id: UUID, wanted: Collection[str]) -> Dossier:
    """The case with the parts that are wanted, all of one snapshot. Raises `UnknownCase`."""
    now = deps.clock.now()
    made: dict[str, Any] = {}
    async with deps.reading() as tx:
        case = await store.case_of(tx, complaint_id)
        if case is None or not may_see_team(principal, case.team_id):
            raise UnknownCase.by(complaint_id)
        entries = await store.entries_of(tx, complaint_id)
        whole = "timeline" in wanted
        clocks = await store.clocks_of(tx, complaint_id) if whole or "clocks" in wanted else []
        links = parts.links(entries)
        if whole or "links" in wanted:
            links = [*links, *await store.links_to(tx, complaint_id)]
        actions = await store.actions_of(tx, complaint_id) if whole or "actions" in wanted else []
        if "tasks" in wanted:
            made["tasks"] = await store.transfers_of(tx, complaint_id)
        if "promises" in wanted:
            made["promises"] = await store.promises_of(tx, complaint_id)
        if "measures" in wanted:
            made["measures"] = await store.measures_of(tx, complaint_id)
        if "earlier" in wanted:
            made["earlier"] = await store.earlier_of(tx, case)
        others = [] if case.plain or not whole else (await store.bearing_facts(tx, [complaint_id]))[complaint_id]
    if whole:
        standing = states.replay(case.facts.received_at, [*milestones(case), *others])
        made["timeline"] = timeline(File(entries, standing, clocks, links, actions))
    made |= {"links": links, "actions": actions, "clocks": [parts.clock_of_case(clock, now) for clock in clocks]}
    made |= {part: tell(entries) for part, tell in _FROM_ENTRIES.items() if part in wanted}
    return Dossier(
        **CaseSummary.fields_of(case, now),
        acknowledged_at=case.acknowledged_at,
        assessed_at=case.assessed_at,
        legal_moves=[
            LegalMove(to=to, label=labels.STATES[to], cause=cause) for to, cause in states.MOVES[case.state].items()
        ],
        **{part: value for part, value in made.items() if part in wanted},
    )


_FROM_ENTRIES: dict[str, Any] = {
    "record": parts.record,
    "classification": parts.classification,
    "assignment": parts.assignment,
    "messages": parts.messages,
    "findings": parts.findings,
    "result": parts.results,
    "escalations": parts.escalations,
    "survey": parts.surveys,
    "visits": parts.visits,
    "closing": parts.closings,
}


async def list_cases(
    deps: Deps, principal: Principal, wanted: Filter, sort: Sort, after: Sequence[Any] | None, limit: int
) -> list[CaseSummary]:
    """`after` is the sort key of the last case of the page before."""
    now = deps.clock.now()
    wanted = replace(wanted, teams=visible_teams(principal))
    async with deps.reading() as tx:
        found = await store.list_cases(tx, wanted, sort, after, limit, now)
    return [CaseSummary.of(case, now) for case in found]


async def list_transfers(
    deps: Deps,
    principal: Principal,
    team: str | None,
    open_only: bool | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Transfer]:
    async with deps.reading() as tx:
        return await store.list_transfers(tx, team, open_only, visible_teams(principal), after, limit)
