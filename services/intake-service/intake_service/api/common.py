"""What the routes share."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from intake_service.domain.record import COMPLAINT_KEY
from intake_service.usecases import Deps
from shared.web.auth import Role, allow

RECEIVE = allow(Role.ADAPTER, Role.AGENT, Role.LEAD, Role.MANAGER)
WRITE = allow(Role.AGENT, Role.LEAD, Role.MANAGER)
READ = allow(Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY)
AUDIT = allow(Role.MANAGER, Role.QUALITY)
LEAD = allow(Role.LEAD)
COUNTER = allow(Role.AGENT, Role.LEAD)
CHANNELS = allow(Role.LEAD, Role.MANAGER, Role.QUALITY)
KINDS = allow(Role.ADMIN, Role.LEAD, Role.MANAGER, Role.QUALITY)
ADMIN = allow(Role.ADMIN)


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


DepsDep = Annotated[Deps, Depends(_deps)]


async def _complaint_key(
    complaint: Annotated[
        str,
        Path(pattern=COMPLAINT_KEY, description="Id or number of the complaint.", examples=["C-20240510-000001"]),
    ],
) -> UUID | str:
    return complaint if complaint.startswith("C-") else UUID(complaint)


ComplaintKeyDep = Annotated[UUID | str, Depends(_complaint_key)]
