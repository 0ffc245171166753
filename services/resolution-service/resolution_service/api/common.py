"""What the routes share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from pydantic import StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from resolution_service.domain.models import Case
from resolution_service.domain.views import CaseSummary
from resolution_service.usecases import Deps
from resolution_service.usecases.errors import BadInstant, CaseNotOpen, UnknownCase
from shared.contracts.envelope import Actor
from shared.web.auth import Principal, Role, allow
from shared.web.errors import PreconditionFailed, Problem
from shared.web.etag import IfMatch, etag
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep

READERS = (Role.AGENT, Role.LEAD, Role.MANAGER, Role.QUALITY)
ACTORS = (Role.AGENT, Role.LEAD, Role.MANAGER)

Reader = Annotated[Principal, Depends(allow(*READERS))]
Agent = Annotated[Principal, Depends(allow(*ACTORS))]
Manager = Annotated[Principal, Depends(allow(Role.MANAGER))]

ComplaintId = Annotated[UUID, Path(description="The complaint's id, which is its case's too")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]

#: What every command may be refused with.
COMMAND: tuple[type[Problem], ...] = (*ONCE_PROBLEMS, UnknownCase, PreconditionFailed, BadInstant, CaseNotOpen)


async def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(deps_of)]

#: ``action(tx, deps, actor, id, order, expected)``: every command of the use cases.
Command = Callable[[AsyncSession, Deps, Actor, UUID, Any, str | None], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Doing:
    """One command, done once (Idempotency-Key), on the version that was meant (If-Match)."""

    deps: Deps
    once: OnceDep
    expected: str | None

    async def case(self, command: Command, principal: Principal, identity: UUID, order: Any) -> Response:
        """For commands that answer with the case."""
        return await self.once.perform(
            self.deps.session,
            lambda tx: command(tx, self.deps, principal.actor, identity, order, self.expected),
            shape=lambda case: CaseSummary.of(case, self.deps.clock.now()),
            headers=tagged,
        )

    async def thing(
        self, command: Command, principal: Principal, identity: UUID, order: Any, status: int = 200
    ) -> Response:
        """For commands that answer with the thing they made or changed."""
        return await self.once.perform(
            self.deps.session,
            lambda tx: command(tx, self.deps, principal.actor, identity, order, self.expected),
            shape=lambda made: made[1],
            status=status,
            headers=lambda made: tagged(made[0]),
        )


async def doing(deps: DepsDep, once: OnceDep, expected: IfMatch = None) -> Doing:
    return Doing(deps, once, expected)


DoingDep = Annotated[Doing, Depends(doing)]


def tagged(case: Case) -> dict[str, str]:
    return {"ETag": etag(case.version)}
