"""The live wallboard: JSON, or server-sent events for whoever accepts them."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime, BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from sla_service.api.deps import DepsDep, Reader
from sla_service.api.shapes import ClockOut
from sla_service.usecases import Deps, wallboard
from sla_service.usecases.wallboard import Changes, Snapshot

router = APIRouter(tags=["clocks"])

#: Seconds: a comment that keeps the connection, how long a reader may take nothing, when a browser comes again.
HEARTBEAT, STUCK, AGAIN = 15, 30, 3
_STREAM = (
    "With `Accept: text/event-stream` the same as server-sent events: `snapshot` at once, with this shape, then "
    "`changes` with `as_of`, `changed` (clocks) and `gone` (their ids)."
)


class NearBreachOut(BaseModel):
    as_of: AwareDatetime
    data: list[ClockOut]


class ChangesOut(BaseModel):
    as_of: AwareDatetime
    changed: list[ClockOut]
    gone: list[UUID]


@router.get(
    "/v1/clocks/near-breach",
    response_model=NearBreachOut,
    responses={200: {"description": _STREAM, "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def near_breach(
    principal: Reader,
    deps: DepsDep,
    limit: Annotated[int, Query(ge=1, le=200, description="How many clocks at most")] = 50,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response | NearBreachOut:
    """Running clocks that are not late yet, the nearest to their breach first."""
    if "text/event-stream" in accept:
        told = _events(wallboard.watch(principal, limit, deps), deps)
        return EventSourceResponse(told, ping=HEARTBEAT, send_timeout=STUCK)
    shown = await wallboard.near_breach(principal, limit, deps)
    return _snapshot(Snapshot(shown), deps.clock.now())


async def _events(watched: AsyncGenerator[Snapshot | Changes], deps: Deps) -> AsyncGenerator[ServerSentEvent]:
    try:
        async for told in watched:
            now = deps.clock.now()
            if isinstance(told, Snapshot):
                data = _snapshot(told, now).model_dump_json()
                yield ServerSentEvent(data, event="snapshot", retry=AGAIN * 1000)
            else:
                changed = [ClockOut.of(one, now) for one in told.changed]
                data = ChangesOut(as_of=now, changed=changed, gone=list(told.gone)).model_dump_json()
                yield ServerSentEvent(data, event="changes")
    finally:
        await watched.aclose()


def _snapshot(told: Snapshot, now: datetime) -> NearBreachOut:
    return NearBreachOut(as_of=now, data=[ClockOut.of(one, now) for one in told.shown])
