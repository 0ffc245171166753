"""The doors for drafts: simulated over history, and running in the shadow of what holds (F9, F11)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.contracts.envelope import Actor
from shared.contracts.vocabulary import ClockStatus, Metric
from shared.web.auth import Principal, Role, allow
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from sla_service.api.deps import DepsDep
from sla_service.api.shapes import Instant
from sla_service.clocks.calendar import CalendarSpec
from sla_service.clocks.instants import instant_of
from sla_service.clocks.policy import PolicySpec
from sla_service.clocks.whatif import Draft, GroupKind, Side, Tally
from sla_service.usecases import shadows, simulate
from sla_service.usecases.attainment import BadStretch
from sla_service.usecases.policies import PolicyGap, PolicyOverlap, UnknownCalendar
from sla_service.usecases.shadows import GroupTally, NoSuchShadow, Shadow, ShadowExists
from sla_service.usecases.simulate import Simulation, TooMuchToSimulate

router = APIRouter(tags=["policies and calendars"])
Author = Annotated[Principal, Depends(allow(Role.ADMIN, Role.MANAGER))]
Onlooker = Annotated[Principal, Depends(allow(Role.ADMIN, Role.MANAGER, Role.QUALITY))]
ShadowId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]
_DRAFT: dict[str, Any] = {
    "policies": [
        {
            "policy_id": "vip-hotline",
            "title": {"zh": "重要客户热线承诺", "en": "Hotline of important customers"},
            "position": 50,
            "calendar": "cn-office",
            "when": {"channels": ["hotline"]},
            "rules": {"first_response": {"every": {"due": {"kind": "elapsed", "time": "PT10M"}}}},
        }
    ]
}
SHADOW_EXAMPLE: dict[str, Any] = {**_DRAFT, "shadow_id": "vip-2027", "reason": "试行"}


class DraftIn(BaseModel):
    """Policies and calendars that would take the place of those of the same name, or come beside the others."""

    model_config = ConfigDict(extra="forbid")

    policies: Annotated[tuple[PolicySpec, ...], Field(max_length=50)] = ()
    calendars: Annotated[tuple[CalendarSpec, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _something(self) -> "DraftIn":
        if not self.policies and not self.calendars:
            raise ValueError("the draft is empty: give `policies`, `calendars` or both")
        for names in ([p.policy_id for p in self.policies], [c.calendar_id for c in self.calendars]):
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"{twice} is given twice: which one holds is not clear")
        return self

    @property
    def draft(self) -> Draft:
        return Draft(self.policies, self.calendars)


class SimulationIn(DraftIn):
    """A draft, and the stretch in which the complaints were received that it is tried on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_DRAFT, "from": "2026-10-01T00:00:00+08:00", "to": "2026-11-01T00:00:00+08:00"}]
        }
    )

    since: Annotated[Instant, Field(alias="from", description="Received from this instant on")]
    until: Annotated[Instant, Field(alias="to", description="Received before this instant, at most 366 days later")]


class ShadowIn(DraftIn):
    """A draft that is counted for the complaints that come in from now on, for `days`."""

    model_config = ConfigDict(json_schema_extra={"examples": [SHADOW_EXAMPLE]})

    shadow_id: ShadowId
    days: Annotated[int, Field(ge=1, le=366)] = 90
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class TallyOut(BaseModel):
    """Clocks by the rules as they are (`before`) and by the draft (`after`), breaches among them, and how many clocks
    differ: due at another instant, late by one alone, or there by one alone."""

    model_config = ConfigDict(from_attributes=True)

    clocks_before: int
    clocks_after: int
    breaches_before: int
    breaches_after: int
    differing: int


class GroupOut(BaseModel):
    """`group` is a team, an issue type, a metric, or the hour of the breach (`00` to `23`); empty: none."""

    kind: GroupKind
    group: str | None
    tally: TallyOut

    @classmethod
    def of(cls, one: GroupTally) -> "GroupOut":
        return cls(kind=one.kind, group=one.group, tally=_tally(one.tally))


class SideOut(BaseModel):
    policy: str
    status: ClockStatus
    due_at: AwareDatetime
    breached_at: AwareDatetime | None

    @classmethod
    def of(cls, side: Side | None) -> "SideOut | None":
        if side is None:
            return None
        late = None if side.breached is None else instant_of(side.breached)
        return cls(policy=side.policy, status=side.status, due_at=instant_of(side.due), breached_at=late)


class DifferingOut(BaseModel):
    """A clock that the draft changes; a side is empty where the clock would not be."""

    complaint_id: UUID
    number: str
    metric: Metric
    cycle: int
    team: str | None
    before: SideOut | None
    after: SideOut | None


class SimulationOut(BaseModel):
    """How the complaints of the stretch went by the rules as they are, and how by the draft, as it shows at `as_of`.
    `differing` holds the first five hundred clocks that the draft changes; `total` counts them all."""

    since: AwareDatetime = Field(serialization_alias="from")
    until: AwareDatetime = Field(serialization_alias="to")
    as_of: AwareDatetime
    complaints: int
    total: TallyOut
    groups: list[GroupOut]
    differing: list[DifferingOut]

    @classmethod
    def of(cls, made: Simulation) -> "SimulationOut":
        return cls(
            since=made.since,
            until=made.until,
            as_of=made.seen,
            complaints=made.complaints,
            total=_tally(made.total),
            groups=[GroupOut.of(one) for one in shadows.grouped(made)],
            differing=[
                DifferingOut(
                    complaint_id=one.pair.history_id,
                    number=one.number,
                    metric=one.pair.metric,
                    cycle=one.pair.cycle,
                    team=one.pair.team,
                    before=SideOut.of(one.pair.before),
                    after=SideOut.of(one.pair.after),
                )
                for one in made.found
            ],
        )


class ShadowOut(BaseModel):
    """A draft in the shadow: the complaints received in the stretch, as last counted at `counted_at`. `problem` says
    why it could not be counted then; the figures are those of the time before."""

    shadow_id: str
    since: AwareDatetime
    until: AwareDatetime
    policies: list[PolicySpec]
    calendars: list[CalendarSpec]
    reason: str
    created_by: Actor
    created_at: AwareDatetime
    counted_at: AwareDatetime | None
    problem: str | None
    complaints: int | None
    total: TallyOut | None
    groups: list[GroupOut]

    @classmethod
    def of(cls, one: Shadow) -> "ShadowOut":
        figures = one.statistics
        return cls(
            shadow_id=one.shadow_id,
            since=one.since,
            until=one.until,
            policies=list(one.draft.policies),
            calendars=list(one.draft.calendars),
            reason=one.reason,
            created_by=one.created_by,
            created_at=one.created_at,
            counted_at=one.counted_at,
            problem=one.problem,
            complaints=figures.complaints if figures else None,
            total=_tally(figures.total) if figures else None,
            groups=[GroupOut.of(group) for group in figures.groups] if figures else [],
        )


class Shadows(BaseModel):
    data: list[ShadowOut]


def _tally(tally: Tally) -> TallyOut:
    return TallyOut.model_validate(tally)


@router.post(
    "/v1/policies/simulate",
    summary="Try a draft of policies or calendars on a stretch of history",
    responses=responses(BadStretch, TooMuchToSimulate, UnknownCalendar, PolicyGap, PolicyOverlap),
)
async def simulate_draft(body: SimulationIn, _: Onlooker, deps: DepsDep) -> SimulationOut:
    """Both sides are folded anew from the facts that are known today, so what differs is the draft's doing alone.
    Nothing is kept, and nothing is told to anybody else."""
    return SimulationOut.of(await simulate.simulate(body.draft, body.since, body.until, deps))


@router.post(
    "/v1/shadows",
    status_code=201,
    response_model=ShadowOut,
    summary="Let a draft run in the shadow of what holds",
    responses=responses(UnknownCalendar, PolicyGap, PolicyOverlap, ShadowExists, *ONCE_PROBLEMS),
)
async def begin_shadow(body: ShadowIn, principal: Author, deps: DepsDep, once: OnceDep) -> Response:
    """It is counted on the complaints that come in from now on. No clock, warning or breach comes of it."""
    async with deps.session() as tx:
        if (first := await once.replay(tx)) is not None:
            return first
        made = await shadows.begin(tx, body.shadow_id, body.draft, body.days, body.reason, principal.actor, deps)
        return await once.record(tx, ShadowOut.of(made), status=201)


@router.get("/v1/shadows", summary="Drafts in the shadow with their figures, the newest first")
async def list_shadows(_: Onlooker, deps: DepsDep) -> Shadows:
    return Shadows(data=[ShadowOut.of(one) for one in await shadows.all_shadows(deps)])


@router.get("/v1/shadows/{shadow_id}", summary="A draft in the shadow", responses=responses(NoSuchShadow))
async def get_shadow(shadow_id: Annotated[ShadowId, Path()], _: Onlooker, deps: DepsDep) -> ShadowOut:
    return ShadowOut.of(await shadows.shadow(shadow_id, deps))


@router.post("/v1/shadows/{shadow_id}/end", summary="Count no further complaint", responses=responses(NoSuchShadow))
async def end_shadow(shadow_id: Annotated[ShadowId, Path()], _: Author, deps: DepsDep) -> ShadowOut:
    """Its figures stay, and what is open then is still counted for a month."""
    return ShadowOut.of(await shadows.end(shadow_id, deps))
