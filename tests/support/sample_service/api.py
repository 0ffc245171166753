from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from shared.web.auth import Principal, Role, allow
from shared.web.body import JsonBody
from shared.web.direct import DirectRoute
from shared.web.errors import PreconditionFailed, PreconditionRequired, responses
from shared.web.etag import IfMatch, etag
from shared.web.idempotency import ONCE_PROBLEMS, OnceDep
from shared.web.pages import Page, PagingDep, page
from tests.support.sample_service import usecases
from tests.support.sample_service.usecases import Deps, NewNote, NoSuchNote, Note

router = APIRouter(prefix="/v1/notes", tags=["notes"])
hot = APIRouter(prefix="/v1/notes", tags=["notes"], route_class=DirectRoute)
Writer = Annotated[Principal, Depends(allow(Role.AGENT, Role.LEAD))]


async def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


DepsDep = Annotated[Deps, Depends(deps_of)]


class Change(BaseModel):
    text: str = Field(min_length=1, max_length=200)


@hot.post("", status_code=201, response_model=Note, responses=responses(*ONCE_PROBLEMS))
async def add_note(
    writer: Writer, body: Annotated[NewNote, Depends(JsonBody(NewNote))], once: OnceDep, deps: DepsDep
) -> Response:
    return await usecases.add_note(body, once, deps)


@router.get("")
async def list_notes(
    request: Request, _reader: Annotated[Principal, Depends(allow())], paging: PagingDep, deps: DepsDep
) -> Page[Note]:
    rows = await usecases.list_notes(paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda note: (note.created_at, note.note_id))


@router.patch("/{note_id}", responses=responses(NoSuchNote, PreconditionFailed, PreconditionRequired))
async def change_note(
    note_id: UUID, body: Change, writer: Writer, deps: DepsDep, response: Response, expected: IfMatch = None
) -> Note:
    note = await usecases.change_note(note_id, body.text, expected, deps)
    response.headers["ETag"] = etag(note.version)
    return note


@router.get("/broken/by-a-bug")
async def broken(_reader: Annotated[Principal, Depends(allow())]) -> Note:
    raise RuntimeError("the customer's number is 13812341234")
