"""The customer's survey page. The link is the permission; a GET records nothing; no script, no cookie."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from feedback_service import domain, pages
from feedback_service.api.shapes import DepsDep
from feedback_service.usecases import surveys
from shared.contracts.vocabulary import Language
from shared.web.errors import Problem

router = APIRouter(tags=["survey page"], include_in_schema=False)

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
}
Lang = Annotated[str | None, Query(max_length=5)]
_NOTICES = {
    domain.SurveyNotFound.slug: "unknown",
    domain.SurveyExpired.slug: "expired",
    domain.SurveyAnswered.slug: "answered",
}


@router.get("/s/{token}")
async def show(token: str, deps: DepsDep, lang: Lang = None) -> HTMLResponse:
    try:
        survey = await surveys.show_survey(token, deps)
    except Problem as problem:
        return _notice(problem, pages.language_of(lang, Language.ZH))
    language = pages.language_of(lang, survey.language)
    if survey.answered_at is not None:
        return _page("answered", language, 200)
    return _form(survey.number, language, {}, [], None, 200)


@router.post("/s/{token}")
async def answer(token: str, request: Request, deps: DepsDep, lang: Lang = None) -> HTMLResponse:
    """A form that is not right comes back with what was given and what to do; nothing is recorded."""
    form = await request.form(max_files=0, max_fields=50)
    given = {key: value for key, value in form.items() if isinstance(value, str)}
    reasons = [value for value in form.getlist("reasons") if isinstance(value, str)]
    try:
        survey = await surveys.show_survey(token, deps)
    except Problem as problem:
        return _notice(problem, pages.language_of(lang, Language.ZH))
    language = pages.language_of(lang, survey.language)
    words = pages.WORDS[language]
    try:
        read = domain.read_answer(given, reasons, given.get("comment", "")[:4000])
        answered = await surveys.answer_by_link(token, read, deps)
    except domain.AnswerIncomplete as problem:
        missing = any(error.pointer == "/answers/satisfaction" for error in problem.errors)
        error = words["incomplete"] if missing else words["invalid"]
        return _form(survey.number, language, given, reasons, error, problem.status)
    except Problem as problem:
        return _notice(problem, language)
    told = "thanks_satisfied" if answered.satisfied else "thanks_dissatisfied"
    return HTMLResponse(
        pages.render("notice.html", language, title=words["thanks_title"], text=words[told]), headers=HEADERS
    )


def _form(
    number: str, language: Language, given: dict[str, str], reasons: list[str], error: str | None, status: int
) -> HTMLResponse:
    html = pages.render(
        "survey.html",
        language,
        number=number,
        questions=domain.QUESTIONS,
        levels=domain.LEVELS,
        reasons=domain.REASONS,
        given=given,
        given_reasons=reasons,
        error=error,
    )
    return HTMLResponse(html, status, HEADERS)


def _notice(problem: Problem, language: Language) -> HTMLResponse:
    if problem.slug not in _NOTICES:
        raise problem
    return _page(_NOTICES[problem.slug], language, problem.status)


def _page(notice: str, language: Language, status: int) -> HTMLResponse:
    words = pages.WORDS[language]
    html = pages.render("notice.html", language, title=words[f"{notice}_title"], text=words[notice])
    return HTMLResponse(html, status, HEADERS)
