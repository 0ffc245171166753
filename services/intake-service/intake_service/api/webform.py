"""The public complaint form: pages for people, without script, cookie or session (so there is nothing that a forged
request could ride on: no CSRF token is needed). `/v1/complaints` is the door for programs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from intake_service import pages, usecases
from intake_service.api.common import DepsDep
from intake_service.domain import webform
from intake_service.domain.template import QUESTIONS
from intake_service.domain.webform import Fault, House
from intake_service.usecases import Deps
from intake_service.usecases.errors import NoSuchComplaint
from shared.contracts.vocabulary import Kind, Language, Priority
from shared.web.errors import BadRequest, Unavailable, UnsupportedMediaType
from shared.web.handlers import of_exception

router = APIRouter(tags=["web form"], include_in_schema=False)

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 30
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
    given = await _given(request)
    language = _language(request, lang)
    if (other := given.get("show")) in set(Language):
        return _form(deps, Language(other), given)
    limits, wait = _limits(request, deps)
    if wait:
        return _form(deps, language, given, notice="busy_you", status=429, headers=limits)
    if (form_id := _uuid(given.get("form_id", ""))) is None:
        fresh = {**given, "form_id": str(deps.ids())}
        return _form(deps, language, fresh, notice="again", status=422, headers=limits)
    typed = {name: text for name, text in given.items() if name not in ("form_id", "kind", "show")}
    try:
        record = webform.record_of(_kind(given), typed, form_id, language, _house(deps))
        token = await usecases.receive_form(record, deps)
    except webform.Incomplete as incomplete:
        return _form(deps, language, given, incomplete.faults, notice="check", status=422, headers=limits)
    except Exception as error:
        problem = of_exception(error)
        if not isinstance(problem, Unavailable):
            raise
        return _form(deps, language, given, notice="busy_we", status=503, headers={**limits, **problem.headers})
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


async def _given(request: Request) -> dict[str, str]:
    """The fields of the body, the last of a name. Raises `UnsupportedMediaType`, `BadRequest`."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM_TYPE:
        raise UnsupportedMediaType(f"Send the form as {FORM_TYPE}.")
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise BadRequest(f"The form has at most {MAX_FIELDS} fields.") from error


def _form(
    deps: Deps,
    language: Language,
    given: Mapping[str, str],
    faults: Mapping[str, Fault] | None = None,
    *,
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
    told = {
        "RateLimit-Policy": f'"form";q={buckets.burst};w={buckets.window}',
        "RateLimit": f'"form";r={max(left, 0)};t={wait or buckets.window}',
    }
    return {**told, "Retry-After": str(wait)} if wait else told, wait


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
