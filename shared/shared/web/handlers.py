"""From whatever goes wrong to a problem document. A service raises; here alone it becomes bytes."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from shared.telemetry.tracing import current_trace_id
from shared.web import errors
from shared.web.auth import Allow
from shared.web.body import is_json
from shared.web.errors import MEDIA_TYPE, InternalError, Invalid, Problem, Unavailable, UnsupportedMediaType, of_errors

log = structlog.get_logger()

_BY_STATUS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.Conflict,
        errors.Gone,
        errors.PreconditionFailed,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.Invalid,
        errors.TooManyRequests,
        errors.InternalError,
        errors.Unavailable,
    )
}
#: SQLSTATEs: connection lost, shutting down or starting, too many connections.
_AWAY = ("08", "57P", "53")
#: Serialization, deadlock, lock or statement time-out.
_BUSY = ("40001", "40P01", "55P03", "57014")
#: Text that cannot be stored (a NUL, half a surrogate pair), a number that does not fit.
_CANNOT_BE_STORED = ("22021", "22P05", "22003")


class DatabaseAway(Unavailable):
    slug, title = "database-away", "The database is away"


class Busy(Unavailable):
    slug, title = "busy", "Somebody else was quicker"


class CannotBeStored(Invalid):
    slug, title = "cannot-be-stored", "A value cannot be stored"


def problem_response(problem: Problem) -> Response:
    document = problem.document(current_trace_id())
    return Response(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        problem.status,
        problem.headers,
        MEDIA_TYPE,
    )


def of_exception(error: Exception) -> Problem:
    """The problem for an error that nobody raised on purpose. What it says itself is not told: it may quote rows."""
    if isinstance(error, Problem):
        return error
    state = sqlstate(error)
    if state in _BUSY:
        return Busy("The database could not let this in just now. Send it again.", retry_after=1)
    if state in _CANNOT_BE_STORED or isinstance(_driver_error(error), asyncpg.DataError):
        return CannotBeStored("A text contains a character that cannot be stored, or a number is too large.")
    if database_away(error):
        return DatabaseAway("Nothing is lost: send it again, with the same Idempotency-Key where you used one.")
    return InternalError("Tell the operators the `trace_id`; the log has the rest.")


def _driver_error(error: BaseException) -> BaseException | None:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def sqlstate(error: BaseException) -> str:
    return str(getattr(_driver_error(error), "sqlstate", None) or "")


def database_away(error: BaseException) -> bool:
    """Whether the reason is that PostgreSQL cannot be reached or is going away or coming up, or the pool is used up."""
    if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return True
    cause = _driver_error(error)
    if isinstance(cause, asyncpg.PostgresError):
        return sqlstate(cause).startswith(_AWAY)
    if isinstance(cause, asyncpg.InterfaceError):
        return "connection is closed" in str(cause) or "connection was closed" in str(cause)
    return isinstance(cause, OSError) and _raised_in_connecting(cause)


def _raised_in_connecting(error: BaseException) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("asyncpg."):
            return True
        frame = frame.tb_next
    return False


async def _on_problem(request: Request, error: Exception) -> Response:
    return problem_response(of_exception(error))


async def _on_validation(request: Request, error: Exception) -> Response:
    if (closed := await _closed(request)) is not None:
        return problem_response(closed)
    found: list[dict[str, Any]] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    whole_body = any(tuple(item["loc"]) == ("body",) for item in found)
    if whole_body and await request.body() and not is_json(request.headers.get("content-type")):
        return problem_response(UnsupportedMediaType("Send the body as application/json."))
    return problem_response(of_errors(found))


async def _closed(request: Request) -> Problem | None:
    """FastAPI reads a body before it asks who is calling: a stranger is told to sign in, not how to write JSON."""
    route = request.scope.get("route")
    for call in calls_of(route.dependant) if isinstance(route, APIRoute) else ():
        if isinstance(call, Allow):
            try:
                await call(request)
            except Problem as problem:
                return problem
    return None


def calls_of(dependant: Dependant) -> Iterator[Any]:
    """What a route depends on, and what that depends on."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls_of(inner)


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem_response(of_exception(error))
    if error.status_code == 400 and (closed := await _closed(request)) is not None:
        return problem_response(closed)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(allowed_methods(request)) or headers.get("Allow", "")
    return problem_response(of_status(error.status_code, error.detail, headers))


def allowed_methods(request: Request) -> list[str]:
    """What all routes of this path take; the router itself names only those of the first one."""
    path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.path and compile_path(context.path)[0].match(path):
            found |= set(context.methods or ())
    return sorted(found)


def of_status(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Problem:
    kind = _BY_STATUS.get(status)
    if kind is None:
        phrase = HTTPStatus(status).phrase
        kind = type("Other", (Problem,), {"slug": phrase.lower().replace(" ", "-"), "status": status, "title": phrase})
    said = "" if detail == HTTPStatus(status).phrase else detail
    made = Problem.__new__(kind)
    Problem.__init__(made, said, headers=headers)
    return made


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
