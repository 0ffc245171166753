"""The published promise, as JSON and as a page, open to everybody (F11)."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import AwareDatetime, BaseModel, Field

from shared.contracts.envelope import Bilingual
from shared.contracts.vocabulary import Metric, Urgency
from sla_service import pages
from sla_service.api.deps import DepsDep
from sla_service.clocks.durations import describe
from sla_service.clocks.policy import PolicyVersion
from sla_service.domain.months import share
from sla_service.domain.titles import METRICS
from sla_service.usecases import promise
from sla_service.usecases.promise import Published

router = APIRouter(tags=["policies and calendars"])
page = APIRouter(tags=["promise page"], include_in_schema=False)

CACHED = {"Cache-Control": "public, max-age=300"}
PAGE_HEADERS = {
    **CACHED,
    "Vary": "Accept-Language",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
#: What concerns the customer; the rest is between departments.
_PROMISED = (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.PERIODIC_UPDATE, Metric.SURVEY, Metric.FOLLOW_UP)


class KeptOut(BaseModel):
    """Of so many clocks that were decided, so many in time. `share` is 0 to 1, empty where there were none."""

    clocks: int
    on_time: int
    share: float | None


class PromiseLine(BaseModel):
    metric: Metric
    title: Bilingual
    #: By urgency: how long at most, in words.
    within: dict[Urgency, Bilingual]
    #: By urgency (as the complaint was last classified): how it was kept in the month before.
    kept: dict[Urgency, KeptOut]


class PromisePolicy(BaseModel):
    policy: str
    version: int
    title: Bilingual
    valid_from: AwareDatetime
    lines: list[PromiseLine]


class MonthOut(BaseModel):
    """The month that `kept` tells of."""

    since: AwareDatetime = Field(serialization_alias="from")
    until: AwareDatetime = Field(serialization_alias="to")


class PromiseOut(BaseModel):
    """What the company promises its customers (F11): the policies that hold now, in the order of choice."""

    month: MonthOut
    data: list[PromisePolicy]

    @classmethod
    def of(cls, told: Published) -> "PromiseOut":
        return cls(
            month=MonthOut(since=told.since, until=told.until),
            data=[_policy(version, told) for version in told.policies],
        )


def _policy(version: PolicyVersion, told: Published) -> PromisePolicy:
    return PromisePolicy(
        policy=version.policy_id,
        version=version.version,
        title=version.spec.title,
        valid_from=version.valid_from,
        lines=[
            PromiseLine(
                metric=metric,
                title=METRICS[metric],
                within={urgency: describe(rule.target(urgency).due) for urgency in Urgency},
                kept={urgency: _kept(told, version.policy_id, metric, urgency) for urgency in Urgency},
            )
            for metric in _PROMISED
            if (rule := version.spec.rules.get(metric)) is not None
        ],
    )


def _kept(told: Published, policy_id: str, metric: Metric, urgency: Urgency) -> KeptOut:
    clocks, on_time = told.kept.get((policy_id, metric, urgency), (0, 0))
    return KeptOut(clocks=clocks, on_time=on_time, share=share(on_time, clocks))


@router.get("/v1/promise")
async def published(deps: DepsDep, response: Response) -> PromiseOut:
    """The published promise: what the policies that hold now give every customer, and how it was kept in the month
    before (F11). Open to everybody."""
    response.headers.update(CACHED)
    return PromiseOut.of(await promise.published(deps))


@page.get("/promise")
async def promise_page(
    deps: DepsDep,
    lang: Annotated[str | None, Query(max_length=5)] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    language = pages.language_of(lang, accept_language)
    told = PromiseOut.of(await promise.published(deps))
    html = pages.render("promise.html", language, promise=told)
    return HTMLResponse(html, headers={**PAGE_HEADERS, "Content-Language": language.value})
