"""Policy packs, as JSON."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric
from shared.web.auth import Principal, Role, allow
from shared.web.errors import responses
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from sla_service.api.deps import DepsDep, Reader
from sla_service.clocks.conditions import Conditions
from sla_service.domain.packs import Pack, Source, in_words, rules_of
from sla_service.domain.titles import METRICS
from sla_service.usecases import installing
from sla_service.usecases.installing import Done, Shown, Standing, UnknownPack
from sla_service.usecases.policies import NotAfterTheNewest, UnknownCalendar

router = APIRouter(tags=["policies and calendars"])


class PackRule(BaseModel):
    """A rule in words, and where it comes from; `source` is empty for one that a person has added."""

    metric: Metric
    title: Bilingual
    words: Bilingual
    source: Source | None


class PackPolicy(BaseModel):
    """A policy of a pack as it stands here, or as the pack has it while it is not installed (`version` empty). `own`: a
    person has changed it since."""

    policy_id: str
    title: Bilingual
    track: str
    calendar: str
    when: Conditions
    version: int | None
    own: bool
    rules: list[PackRule]

    @classmethod
    def of(cls, pack: Pack, one: Standing) -> "PackPolicy":
        spec = one.spec
        rules = [
            PackRule(
                metric=metric, title=METRICS[metric], words=in_words(rule), source=pack.source(spec.policy_id, metric)
            )
            for metric, rule in rules_of(spec)
        ]
        return cls(
            **{name: getattr(spec, name) for name in ("policy_id", "title", "track", "calendar", "when")},
            version=one.version,
            own=one.own,
            rules=rules,
        )


class PackOut(BaseModel):
    name: str
    title: Bilingual
    installed: bool
    policies: list[PackPolicy]

    @classmethod
    def of(cls, shown: Shown) -> "PackOut":
        pack = shown.pack
        policies = [PackPolicy.of(pack, one) for one in shown.policies]
        return cls(name=pack.name, title=pack.title, installed=shown.installed, policies=policies)


class Packs(BaseModel):
    data: list[PackOut]


class InstallPack(BaseModel):
    """`when`: for which complaints, instead of the pack's own conditions."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}, {"when": {"regions": ["GB"]}}]})

    when: Conditions | None = None


class InstalledPolicy(BaseModel):
    """`published` as a new version, `unchanged`, or `kept` as a person has changed it."""

    model_config = ConfigDict(from_attributes=True)

    policy_id: str
    version: int
    done: Literal["published", "unchanged", "kept"]


class InstalledPack(BaseModel):
    name: str
    policies: list[InstalledPolicy]


@router.get("/v1/packs")
async def list_packs(_: Reader, deps: DepsDep) -> Packs:
    """The policy packs: what each asks, in words, by which source, and whether it is installed."""
    return Packs(data=[PackOut.of(shown) for shown in await installing.list_packs(deps)])


@router.post(
    "/v1/packs/{name}/install",
    response_model=InstalledPack,
    responses=responses(UnknownPack, UnknownCalendar, NotAfterTheNewest, *ONCE_PROBLEMS),
)
async def install_pack(
    name: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,60}$")],
    principal: Annotated[Principal, Depends(allow(Role.ADMIN))],
    deps: DepsDep,
    once: OnceDep,
    body: InstallPack | None = None,
) -> Response:
    """Publish the policies of the pack, beside what holds, for clocks that start from now on. Installing again changes
    only what the pack or `when` have changed."""
    pack = await installing.named(name)
    when = body.when if body else None

    def shape(done: list[Done]) -> InstalledPack:
        return InstalledPack(name=name, policies=[InstalledPolicy.model_validate(one) for one in done])

    return await once.perform(
        deps.session, lambda tx: installing.install(tx, pack, when, principal.actor, deps), shape=shape
    )
