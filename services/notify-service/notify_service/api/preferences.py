"""How a complainant wants to be told."""

from uuid import UUID

from fastapi import APIRouter, Response

from notify_service import usecases
from notify_service.api.shapes import DepsDep, HandlerDep, PreferenceBody, PreferenceOut, StaffDep
from notify_service.usecases.errors import PersonErased
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag

router = APIRouter(tags=["preferences"])


@router.get("/v1/preferences/{person_id}")
async def get_preference(person_id: UUID, principal: StaffDep, deps: DepsDep, response: Response) -> PreferenceOut:
    preference, version = await usecases.get_preference(person_id, deps)
    response.headers["ETag"] = etag(version)
    return PreferenceOut.of(person_id, preference, version)


@router.put("/v1/preferences/{person_id}", responses=responses(PersonErased, PreconditionFailed))
async def put_preference(
    person_id: UUID,
    body: PreferenceBody,
    principal: HandlerDep,
    deps: DepsDep,
    response: Response,
    expected: IfMatch = None,
) -> PreferenceOut:
    """From the next message on, for everything that has not been sent."""
    version = await usecases.put_preference(person_id, body.preference(), expected, principal.actor, deps)
    response.headers["ETag"] = etag(version)
    return PreferenceOut.of(person_id, body.preference(), version)
