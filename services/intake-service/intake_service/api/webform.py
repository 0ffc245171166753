"""The public complaint form: pages for people, without script, cookie or session (so there is nothing that a forged
request could ride on: no CSRF token is needed). `/v1/complaints` is the door for programs."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile

from intake_service import pages, usecases
from intake_service.api.common import DepsDep
from intake_service.domain import webform
from intake_service.domain.record import Attachment
from intake_service.domain.template import QUESTIONS
from intake_service.domain.webform import Fault, House
from intake_service.usecases import Deps
from intake_service.usecases.errors import NoSuchComplaint, StoreAway
from shared.contracts.vocabulary import Kind, Language, Priority
from shared.web.errors import BadRequest, TooLarge, Unavailable, UnsupportedMediaType
from shared.web.handlers import of_exception

router = APIRouter(tags=["web form"], include_in_schema=False)

FORM_TYPE = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MAX_FIELDS = 30
#: Bytes of a field, and files of a request, that are read at all.
MAX_FIELD_BYTES = 64 * 1024
MAX_FILES = 20
PIECE = 64 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": f"default-src 'none'; style-src '{pages.STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}
Lang = Annotated[str | None, Query(description="`zh` or `en`; else what the browser asks for.")]


@router.get("/form")
async def show_form(request: Request, deps: DepsDep, kind: str | None = None, lang: Lang = None) -> Response:
    language = _language(request, lang)
    if kind not in set(Kind):
        return _page("kinds.html", language, kinds=list(Kind))
    return _form(deps, language, {"kind": kind, "form_id": str(deps.ids())})


@router.post("/form")
async def send_form(request: Request, deps: DepsDep, lang: Lang = None) -> Response:
    """303 to the page with the number. What can't be taken comes back as it was typed, with what to do; then nothing is
    recorded."""
    async with _read(request, deps) as (given, uploads):
        return await _sent(request, given, uploads, _language(request, lang), deps)


async def _sent(
    request: Request, given: dict[str, str], uploads: Sequence[UploadFile], language: Language, deps: Deps
) -> Response:
    files = await usecases.kept_uploads(given.pop("kept", "").split(), deps)
    show = given.get("show") in set(Language)
    limits: dict[str, str] = {}
    if uploads or not show:
        limits, wait = _limits(request, deps)
        if wait:
            return _form(deps, language, given, files=files, notice="busy_you", status=429, headers=limits)
    try:
        wrong = await _keep(uploads, files, deps)
    except StoreAway as away:
        headers = {**limits, **away.headers}
        return _form(deps, language, given, files=files, notice="busy_we", status=503, headers=headers)
    if show:
        return _form(deps, Language(given["show"]), given, files=files)
    if (form_id := _uuid(given.get("form_id", ""))) is None:
        fresh = {**given, "form_id": str(deps.ids())}
        return _form(deps, language, fresh, files=files, notice="again", status=422, headers=limits)
    typed = {name: text for name, text in given.items() if name not in ("form_id", "kind", "show")}
    try:
        named = tuple(files.values())
        record = webform.record_of(_kind(given), typed, form_id, language, _house(deps), named)
        if wrong is not None:
            raise webform.Incomplete({"files": wrong})
        token = await usecases.receive_form(record, form_id, deps)
    except webform.Incomplete as incomplete:
        faults = incomplete.faults if wrong is None else {**incomplete.faults, "files": wrong}
        return _form(deps, language, given, faults, files=files, notice="check", status=422, headers=limits)
    except Exception as error:
        problem = of_exception(error)
        if not isinstance(problem, Unavailable):
            raise
        headers = {**limits, **problem.headers}
        return _form(deps, language, given, files=files, notice="busy_we", status=503, headers=headers)
    return RedirectResponse(f"form/done/{token}?lang={language}", 303, {**HEADERS, **limits})


@router.get("/form/done/{token}")
async def show_receipt(token: str, request: Request, deps: DepsDep, lang: Lang = None) -> Response:
    return await _progress("done.html", token, _language(request, lang), deps)


@router.get("/form/status/{token}")
async def show_status(token: str, request: Request, deps: DepsDep, lang: Lang = None) -> Response:
    return await _progress("status.html", token, _language(request, lang), deps)


async def _progress(template: str, token: str, language: Language, deps: Deps) -> HTMLResponse:
    try:
        progress = await usecases.show_progress(token, deps)
    except NoSuchComplaint as problem:
        return _page("unknown.html", language, problem.status)
    return _page(
        template,
        language,
        token=token,
        progress=progress,
        zone=deps.settings.zone,
        asked=[getattr(QUESTIONS[pointer], language) for pointer in progress.missing],
    )


@asynccontextmanager
async def _read(request: Request, deps: Deps) -> AsyncGenerator[tuple[dict[str, str], list[UploadFile]]]:
    """The fields of the body, the last of a name, and the files, which lie on the disk until the end of the block.

    Raises `UnsupportedMediaType`, `BadRequest`, `TooLarge`.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == FORM_TYPE:
        yield _fields(await _body(request, deps.settings.max_body_bytes)), []
        return
    if media != MULTIPART:
        raise UnsupportedMediaType(f"Send the form as {MULTIPART} or {FORM_TYPE}.")
    async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES) as form:
        parts = form.multi_items()
        given = {name: value for name, value in parts if isinstance(value, str)}
        uploads = [value for _, value in parts if not isinstance(value, str)]
        yield given, [each for each in uploads if each.filename]


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise TooLarge(f"At most {limit} bytes are taken without files.")
    return bytes(body)


def _fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise BadRequest(f"The form has at most {MAX_FIELDS} fields.") from error


async def _keep(uploads: Sequence[UploadFile], files: dict[str, Attachment], deps: Deps) -> Fault | None:
    """Put the files that are taken beside those of before; what is wrong with the others. Raises `StoreAway`."""
    wrong = None
    for upload in uploads:
        if len(files) >= deps.settings.form_files:
            return Fault.TOO_MANY_FILES
        if (upload.size or 0) > deps.settings.form_file_bytes:
            wrong = Fault.FILE_TOO_LARGE
            continue
        token = await usecases.keep_upload(_pieces(upload), upload.filename or "", upload.content_type or "", deps)
        files |= await usecases.kept_uploads([token], deps)
    return wrong


async def _pieces(upload: UploadFile) -> AsyncIterator[bytes]:
    while piece := await upload.read(PIECE):
        yield piece


def _form(
    deps: Deps,
    language: Language,
    given: Mapping[str, str],
    faults: Mapping[str, Fault] | None = None,
    *,
    files: Mapping[str, Attachment] | None = None,
    notice: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    kind = _kind(given)
    return _page(
        "form.html",
        language,
        status,
        headers,
        kind=kind,
        fields=webform.fields_of(kind),
        questions={pointer: getattr(asked, language) for pointer, asked in QUESTIONS.items()},
        priorities=list(Priority) if kind in webform.WITH_PRIORITY else [],
        given=given,
        faults=faults or {},
        files=files or {},
        file_limits={"count": deps.settings.form_files, "limit": deps.settings.form_file_bytes // 2**20},
        notice=notice,
        trap=webform.TRAP,
        zone=deps.settings.zone,
    )


def _page(
    template: str, language: Language, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
) -> HTMLResponse:
    return HTMLResponse(pages.render(template, language, **values), status, {**HEADERS, **(headers or {})})


def _limits(request: Request, deps: Deps) -> tuple[dict[str, str], int]:
    """The RateLimit headers of this sender, and the seconds they must wait (0: go on)."""
    buckets = deps.form_buckets
    left, wait = buckets.take(request.client.host if request.client else "?")
    return buckets.headers("form", left, wait), wait


def _house(deps: Deps) -> House:
    settings = deps.settings
    skew = timedelta(seconds=settings.clock_skew_seconds)
    return House(zone=settings.zone, region=settings.phone_region, now=deps.clock.now(), skew=skew)


def _kind(given: Mapping[str, str]) -> Kind:
    return Kind(given["kind"]) if given.get("kind") in set(Kind) else Kind.COMPLAINT


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _language(request: Request, asked: str | None) -> Language:
    return pages.language_of(asked, request.headers.get("accept-language", ""))
