"""What is written to customers and colleagues, per purpose and language."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from notify_service import usecases
from notify_service.api.shapes import AdminDep, DepsDep, LeadDep, PreviewOut, StaffDep, TemplateBody, TemplateOut
from notify_service.usecases.errors import TemplateInvalid, TemplateNotFound
from shared.contracts.vocabulary import Language, Purpose
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag

router = APIRouter(tags=["templates"])


@router.get("/v1/templates")
async def list_templates(principal: StaffDep, deps: DepsDep) -> list[TemplateOut]:
    """The templates in use, all purposes and both languages."""
    return [TemplateOut.of(state) for state in await usecases.list_templates(deps)]


@router.get("/v1/templates/{purpose}/{language}")
async def get_template(
    purpose: Purpose, language: Language, principal: StaffDep, deps: DepsDep, response: Response
) -> TemplateOut:
    state = await usecases.get_template(purpose, language, deps)
    response.headers["ETag"] = etag(state.version)
    return TemplateOut.of(state)


@router.put("/v1/templates/{purpose}/{language}", responses=responses(TemplateInvalid, PreconditionFailed))
async def put_template(
    purpose: Purpose,
    language: Language,
    body: TemplateBody,
    principal: AdminDep,
    deps: DepsDep,
    response: Response,
    expected: IfMatch = None,
) -> TemplateOut:
    """Put your own in the place of the one in use; it is tried with example values first."""
    state = await usecases.put_template(purpose, language, body.parts(), expected, principal.actor, deps)
    response.headers["ETag"] = etag(state.version)
    return TemplateOut.of(state)


@router.delete(
    "/v1/templates/{purpose}/{language}",
    status_code=204,
    responses=responses(TemplateNotFound, PreconditionFailed),
)
async def delete_template(
    purpose: Purpose, language: Language, principal: AdminDep, deps: DepsDep, expected: IfMatch = None
) -> None:
    """Go back to the shipped one."""
    await usecases.delete_template(purpose, language, expected, deps)


@router.post("/v1/templates/{purpose}/{language}/preview", responses=responses(TemplateInvalid))
async def preview_template(
    purpose: Purpose,
    language: Language,
    principal: LeadDep,
    deps: DepsDep,
    body: Annotated[TemplateBody | None, Body(description="Without it: the template in use")] = None,
) -> PreviewOut:
    """What would be read, with example values. Nothing is kept or sent."""
    rendered = await usecases.preview_template(purpose, language, body.parts() if body else None, deps)
    return PreviewOut.of(rendered)
