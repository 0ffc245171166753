"""What the routes of sla-service are given."""

from typing import Annotated, cast

from fastapi import Depends, Request

from shared.web.auth import Principal, Role, allow
from sla_service.usecases import Deps


async def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(deps_of)]
Reader = Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY))]
Overseer = Annotated[Principal, Depends(allow(Role.LEAD, Role.MANAGER, Role.QUALITY))]
