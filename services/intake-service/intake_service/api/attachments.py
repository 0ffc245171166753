"""Files: uploaded by programs, read by people, and by whoever has a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from intake_service.api.common import AUDIT, READ, RECEIVE, DepsDep
from intake_service.domain.files import NoSuchRange, byte_range, disposition, served_type, stated_name
from intake_service.domain.views import AttachmentAccess, AttachmentLink, AttachmentReceipt
from intake_service.usecases import Deps, attachments
from intake_service.usecases.attachments import File
from intake_service.usecases.errors import (
    AttachmentInfected,
    AttachmentNotScanned,
    AttachmentTooLarge,
    LinkExpired,
    NoSuchAttachment,
    RangeNotSatisfiable,
    StoreAway,
)
from shared.web.auth import Principal
from shared.web.errors import Documented, responses
from shared.web.idempotency import ONCE_PROBLEMS, StreamedOnceDep
from shared.web.pages import Page, PagingDep, page

router = APIRouter(tags=["attachments"])

BINARY = {"schema": {"type": "string", "format": "binary"}}
UPLOAD = {"requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}}
SERVED: Documented = {
    200: {"description": "The file.", "content": {"*/*": BINARY}},
    206: {"description": "The bytes that were asked for.", "content": {"*/*": BINARY}},
    304: {"description": "The caller has it already."},
    **responses(NoSuchAttachment, AttachmentInfected, AttachmentNotScanned, RangeNotSatisfiable, StoreAway),
}
MAX_STATED_TYPE = 127


@dataclass(frozen=True, slots=True)
class Stated:
    """What a sender says of a file whose bytes are the body."""

    name: str
    media_type: str


async def _stated(
    request: Request,
    name: Annotated[str | None, Query(max_length=1000, description="Where no header tells it.")] = None,
    content_disposition: Annotated[str | None, Header(description='`attachment; filename="photo.jpg"`')] = None,
) -> Stated:
    media_type = request.headers.get("content-type", "")[:MAX_STATED_TYPE]
    return Stated(stated_name(content_disposition, name), media_type)


StatedDep = Annotated[Stated, Depends(_stated)]


@router.post(
    "/v1/attachments",
    status_code=201,
    response_model=AttachmentReceipt,
    summary="Upload a file",
    openapi_extra=UPLOAD,
    responses=responses(AttachmentTooLarge, StoreAway, *ONCE_PROBLEMS),
)
async def upload(
    request: Request,
    principal: Annotated[Principal, Depends(RECEIVE)],
    once: StreamedOnceDep,
    stated: StatedDep,
    deps: DepsDep,
) -> Response:
    """The body is the file as it is; it is never whole in memory. Its media type is told by its first bytes, whatever
    `Content-Type` says. Name the `id` in `attachments` of a complaint or message within a day, before or after."""
    return await attachments.upload(request.stream(), stated.name, stated.media_type, principal, once, deps)


@router.get(
    "/v1/attachments/{attachment_id}", summary="Download a file", response_class=StreamingResponse, responses=SERVED
)
async def download(
    attachment_id: UUID, request: Request, principal: Annotated[Principal, Depends(READ)], deps: DepsDep
) -> Response:
    """Always as a file to be saved, never as a page. `Range`, `If-Range` and `If-None-Match` are known; the ETag is the
    SHA-256. That it was read is recorded."""
    file = await attachments.show(attachment_id, deps)
    return await _served(file, request, deps, principal)


@router.head("/v1/attachments/{attachment_id}", include_in_schema=False)
async def look(
    attachment_id: UUID, request: Request, principal: Annotated[Principal, Depends(READ)], deps: DepsDep
) -> Response:
    return await _served(await attachments.show(attachment_id, deps), request, deps)


@router.post(
    "/v1/attachments/{attachment_id}/links",
    status_code=201,
    summary="Make a link by which anybody may download a file for a quarter of an hour",
    responses=responses(NoSuchAttachment, AttachmentInfected, AttachmentNotScanned),
)
async def make_link(
    attachment_id: UUID, principal: Annotated[Principal, Depends(READ)], deps: DepsDep
) -> AttachmentLink:
    return await attachments.make_link(attachment_id, principal, deps)


@router.get("/v1/attachments/{attachment_id}/accesses", summary="Who read a file, the latest first")
async def list_accesses(
    attachment_id: UUID,
    request: Request,
    principal: Annotated[Principal, Depends(AUDIT)],
    paging: PagingDep,
    deps: DepsDep,
) -> Page[AttachmentAccess]:
    rows = await attachments.list_accesses(attachment_id, paging.after(datetime, UUID), paging.limit + 1, deps)
    return page(rows, paging, request, key=lambda item: (item.accessed_at, item.id))


Token = Annotated[str, Path(max_length=200)]


@router.get(
    "/files/{token}",
    summary="Download a file by a link",
    response_class=StreamingResponse,
    responses={**SERVED, **responses(LinkExpired)},
)
async def download_linked(token: Token, request: Request, deps: DepsDep) -> Response:
    return await _served(await attachments.linked(token, deps), request, deps)


@router.head("/files/{token}", include_in_schema=False)
async def look_at_linked(token: Token, request: Request, deps: DepsDep) -> Response:
    return await _served(await attachments.linked(token, deps), request, deps)


async def _served(file: File, request: Request, deps: Deps, reader: Principal | None = None) -> Response:
    """The file, or what of it was asked for; `reader` is recorded before the first byte."""
    headers = _headers(file)
    etag = headers["ETag"]
    if _names(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    wanted = _range(request, etag, file.size_bytes)
    start, beyond = wanted or (0, file.size_bytes)
    headers["Content-Length"] = str(beyond - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{beyond - 1}/{file.size_bytes}"
    status, media_type = 206 if wanted else 200, served_type(file.media_type)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    blocks = await attachments.content(file, start, beyond, deps)
    if reader is not None:
        await attachments.note_download(file, reader, deps)
    return StreamingResponse(blocks, status, headers, media_type)


def _headers(file: File) -> dict[str, str]:
    return {
        "ETag": f'"{file.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition(file.name),
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }


def _range(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    headers: Mapping[str, str] = request.headers
    if headers.get("if-range", etag) != etag:
        return None
    try:
        return byte_range(headers.get("range"), size)
    except NoSuchRange as error:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        ) from error


def _names(header: str | None, etag: str) -> bool:
    given = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return etag in given or given == ["*"]
