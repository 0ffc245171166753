"""The HTTP door of sla-service."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.contracts.vocabulary import ClockStatus, Metric
from shared.web.auth import Principal, Role, allow
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page
from sla_service.api import attainment, escalations, ical, packs, pauses, promise, verify, wallboard, whatif
from sla_service.api.deps import DepsDep, Reader
from sla_service.api.shapes import (
    CalendarIn,
    CalendarOut,
    Calendars,
    ClockDetail,
    ClockOut,
    HoldersOut,
    Instant,
    LedgerOut,
    Policies,
    PolicyEnd,
    PolicyIn,
    PolicyOut,
)
from sla_service.clocks.instants import instant_of
from sla_service.clocks.travel import Vantage
from sla_service.usecases import Deps, ask, calendars, policies, travel
from sla_service.usecases.calendars import CalendarInThePast, CalendarNotNewest
from sla_service.usecases.policies import (
    NoSuchPolicy,
    NotAfterTheNewest,
    NotInThePast,
    PolicyEnded,
    PolicyGap,
    PolicyOverlap,
    UnknownCalendar,
)

clocks = APIRouter(tags=["clocks"])
rules = APIRouter(tags=["policies and calendars"])
routers = [
    wallboard.router,
    clocks,
    escalations.router,
    rules,
    attainment.router,
    packs.router,
    pauses.router,
    promise.router,
    ical.router,
    whatif.router,
    promise.page,
    verify.router,
]


async def vantage_of(
    deps: DepsDep,
    as_of: Annotated[Instant | None, Query(description="As it stood at this instant, by all that is known")] = None,
    known_at: Annotated[
        Instant | None, Query(description="By what was recorded and published by this instant; alone also as of then")
    ] = None,
) -> Vantage | None:
    return travel.vantage_of(as_of, known_at, deps)


VantageDep = Annotated[Vantage | None, Depends(vantage_of)]
Complaint = Annotated[UUID | None, Query(description="Of this complaint alone")]


@clocks.get("/v1/clocks", responses=responses(travel.NotYet, travel.OfOneComplaint))
async def list_clocks(
    request: Request,
    principal: Reader,
    paging: PagingDep,
    deps: DepsDep,
    vantage: VantageDep,
    complaint: Complaint = None,
    status: ClockStatus | None = None,
    metric: Metric | None = None,
    breached: bool | None = None,
    due_before: Annotated[Instant | None, Query(description="Due before this instant")] = None,
) -> Page[ClockOut]:
    """Clocks by their due instant, the earliest first. `as_of` and `known_at` need `complaint`; clocks that did not
    exist then are absent, and the `revision` of the others is 0."""
    asked = ask.Asked(complaint, status, metric, breached, due_before)
    position, limit = paging.after(datetime, UUID), paging.limit + 1
    if vantage is None:
        rows = await ask.list_clocks(asked, principal, position, limit, deps)
    else:
        rows = await travel.list_clocks_at(vantage, asked, principal, position, limit, deps)
    shown = [ClockOut.of(row, _now(vantage, deps)) for row in rows]
    return page(shown, paging, request, key=lambda one: (one.due_at, one.clock_id))


@clocks.get("/v1/clocks/{clock_id}", responses=responses(ask.NoSuchClock, travel.NotYet))
async def get_clock(clock_id: UUID, principal: Reader, deps: DepsDep, vantage: VantageDep) -> ClockDetail:
    """A clock as it stands, or as it stood at another instant, and why its policy was chosen, in both languages; 404
    where it did not exist then."""
    if vantage is None:
        explained = await ask.get_clock(clock_id, principal, deps)
    else:
        explained = await travel.get_clock_at(clock_id, vantage, principal, deps)
    return ClockDetail.explained(explained, _now(vantage, deps))


@clocks.get("/v1/clocks/{clock_id}/ledger", responses=responses(ask.NoSuchClock, travel.NotYet))
async def get_ledger(clock_id: UUID, principal: Reader, deps: DepsDep, vantage: VantageDep) -> LedgerOut:
    """Why the clock stands where it stands: what became of every moment since its start, in both languages."""
    if vantage is None:
        return LedgerOut.of(await ask.get_ledger(clock_id, principal, deps))
    return LedgerOut.of(await travel.get_ledger_at(clock_id, vantage, principal, deps))


@clocks.get("/v1/clocks/{clock_id}/holders", responses=responses(ask.NoSuchClock))
async def get_holders(clock_id: UUID, principal: Reader, deps: DepsDep) -> HoldersOut:
    """Who held the clock how long: queue, team, agent, the team asked by a transfer task, the customer."""
    return HoldersOut.of(await ask.get_holders(clock_id, principal, deps))


def _now(vantage: Vantage | None, deps: Deps) -> datetime:
    return deps.clock.now() if vantage is None else instant_of(vantage.as_of)


@rules.get("/v1/policies")
async def list_policies(_: Reader, deps: DepsDep) -> Policies:
    """Every version of every policy, the newest of each first."""
    return Policies(data=PolicyOut.newest_first(await policies.policy_rows(deps)))


@rules.post(
    "/v1/policies",
    status_code=201,
    response_model=PolicyOut,
    responses=responses(UnknownCalendar, PolicyGap, PolicyOverlap, NotInThePast, NotAfterTheNewest, *ONCE_PROBLEMS),
)
async def publish_policy(
    body: PolicyIn, principal: Annotated[Principal, Depends(allow(Role.ADMIN))], deps: DepsDep, once: OnceDep
) -> Response:
    """A new version of a policy, or a new policy. Clocks that run keep the version that they have, unless `change`
    says otherwise: then each that is concerned tells the due time before and after when `valid_from` comes."""
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        version = await policies.publish(
            tx, body.policy, body.valid_from, body.reason, principal.actor, deps, body.change
        )
        answer = PolicyOut.made(version, body.reason, principal.actor, deps.clock.now())
        return await once.record(tx, answer, status=201)


@rules.post(
    "/v1/policies/{policy_id}/end",
    status_code=201,
    response_model=PolicyOut,
    responses=responses(NoSuchPolicy, PolicyEnded, PolicyGap, NotInThePast, NotAfterTheNewest, *ONCE_PROBLEMS),
)
async def end_policy(
    policy_id: str,
    body: PolicyEnd,
    principal: Annotated[Principal, Depends(allow(Role.ADMIN))],
    deps: DepsDep,
    once: OnceDep,
) -> Response:
    """No clock chooses the policy from `valid_to` on; it warns, breaches and escalates no more for clocks that it lost
    then."""
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        version = await policies.end(tx, policy_id, body.valid_to, body.change, body.reason, principal.actor, deps)
        answer = PolicyOut.made(version, body.reason, principal.actor, deps.clock.now())
        return await once.record(tx, answer, status=201)


@rules.get("/v1/calendars")
async def list_calendars(_: Reader, deps: DepsDep) -> Calendars:
    """Every version of every calendar, the newest of each first."""
    return Calendars(data=[CalendarOut.of(row) for row in await policies.calendar_rows(deps)])


@rules.post(
    "/v1/calendars",
    status_code=201,
    response_model=CalendarOut,
    responses=responses(CalendarInThePast, CalendarNotNewest, *ONCE_PROBLEMS),
)
async def publish_calendar(
    body: CalendarIn, principal: Annotated[Principal, Depends(allow(Role.ADMIN))], deps: DepsDep, once: OnceDep
) -> Response:
    """A new version of a calendar, or a new calendar. It holds for clocks that start from then on, for running ones
    only with `reprice`: each whose due instant moves tells the one that stood before and the new one."""
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        version, valid_from = await calendars.publish(
            tx, body.calendar, body.valid_from, body.reprice, body.reason, principal.actor, deps
        )
        answer = CalendarOut(
            calendar_id=body.calendar.calendar_id,
            version=version,
            calendar=body.calendar,
            created_at=deps.clock.now(),
            valid_from=valid_from,
            reprice=body.reprice,
            reason=body.reason,
            created_by=principal.actor,
        )
        return await once.record(tx, answer, status=201)
