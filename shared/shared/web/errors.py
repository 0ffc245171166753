"""Every error answer is a problem document (RFC 9457, `application/problem+json`).

    Problem
    ├── BadRequest 400            ├── TooLarge 413
    ├── Unauthorized 401          ├── UnsupportedMediaType 415
    ├── Forbidden 403             ├── Invalid 422
    ├── NotFound 404              ├── PreconditionRequired 428
    ├── MethodNotAllowed 405      ├── TooManyRequests 429
    ├── Conflict 409              ├── InternalError 500
    ├── Gone 410                  └── Unavailable 503
    └── PreconditionFailed 412

A service subclasses these with its own slug and title; `detail` tells the caller what to do. `responses(...)` puts
them into a route's OpenAPI document.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:redress:problem:"


class FieldError(BaseModel):
    """What is wrong with one part of the request: of the body by JSON Pointer (RFC 6901), else a parameter by name."""

    model_config = ConfigDict(frozen=True)

    detail: str
    pointer: str | None = Field(default=None, examples=["/demands/0/amount"])
    parameter: str | None = Field(default=None, examples=["limit"])


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(examples=[f"{TYPE_PREFIX}not-found"])
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[FieldError] | None = None
    trace_id: str | None = None


class Problem(Exception):
    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str = "",
        *,
        pointer: str | None = None,
        parameter: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """`members` are extension members of the document; their values must be JSON."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = list(errors)
        if pointer is not None or parameter is not None:
            self.errors.append(FieldError(detail=self.detail, pointer=pointer, parameter=parameter))
        self.headers = dict(headers or {})
        self.members = members

    def document(self, trace_id: str | None = None) -> dict[str, Any]:
        made: dict[str, Any] = {
            "type": f"{TYPE_PREFIX}{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            made["errors"] = [error.model_dump(exclude_none=True) for error in self.errors]
        if trace_id:
            made["trace_id"] = trace_id
        return made


class BadRequest(Problem):
    slug, status, title = "bad-request", 400, "The request cannot be read"


class Unauthorized(Problem):
    slug, status, title = "unauthorized", 401, "Sign in first"


class Forbidden(Problem):
    slug, status, title = "forbidden", 403, "Your roles do not allow this"


class NotFound(Problem):
    slug, status, title = "not-found", 404, "There is no such thing"


class MethodNotAllowed(Problem):
    slug, status, title = "method-not-allowed", 405, "This resource does not know that method"


class Conflict(Problem):
    slug, status, title = "conflict", 409, "The present state does not allow this"


class Gone(Problem):
    slug, status, title = "gone", 410, "It was here, and is no more"


class PreconditionFailed(Problem):
    slug, status, title = "precondition-failed", 412, "Somebody changed it meanwhile"


class TooLarge(Problem):
    slug, status, title = "content-too-large", 413, "The request is too large"


class UnsupportedMediaType(Problem):
    slug, status, title = "unsupported-media-type", 415, "This media type is not understood here"


class Invalid(Problem):
    slug, status, title = "invalid", 422, "The request breaks a rule"

    @classmethod
    def of(cls, error: ValidationError, *, within: Sequence[str | int] = ()) -> "Problem":
        """What pydantic found in a body, or in its part at `within`; malformed JSON is 400, the rest 422."""
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return of_errors([{**item, "loc": ("body", *within, *item["loc"])} for item in found])


class PreconditionRequired(Problem):
    slug, status, title = "precondition-required", 428, "Say which version you mean to change"


class TooManyRequests(Problem):
    slug, status, title = "too-many-requests", 429, "Too many requests"


class InternalError(Problem):
    pass


class Unavailable(Problem):
    """503; `retry_after` in seconds."""

    slug, status, title = "unavailable", 503, "Not available just now"

    def __init__(self, detail: str = "", *, retry_after: int = 2, **members: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, **members)


class MalformedJson(BadRequest):
    slug, title = "malformed-json", "The body is not JSON"


def pointer_of(location: Iterable[str | int]) -> str:
    """JSON Pointer (RFC 6901) of a path: ``("demands", 0)`` -> ``/demands/0``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def of_errors(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem for what FastAPI or pydantic found; the first member of `loc` says where (body, query, path …)."""
    for item in found:
        if item["type"] == "json_invalid":
            return MalformedJson(f"The body cannot be read as JSON: {_why_not_json(item)}.")
    errors = []
    for item in found:
        place, *rest = item["loc"] or ("body",)
        if place == "body":
            errors.append(FieldError(detail=item["msg"], pointer=pointer_of(rest)))
        else:
            errors.append(FieldError(detail=item["msg"], parameter=".".join(map(str, rest))))
    return Invalid("See `errors`: each names the part of the request and the rule that it breaks.", errors=errors)


def _why_not_json(item: Mapping[str, Any]) -> str:
    context = item.get("ctx") or {}
    return str(context.get("error") or item["msg"]).rstrip(".")


Documented = dict[int | str, dict[str, Any]]


def responses(*problems: type[Problem]) -> Documented:
    """For ``@router.post(…, responses=responses(TransferNotOpen, NotFound))``."""
    made: Documented = {}
    for problem in problems:
        entry = made.setdefault(problem.status, _documented(problem.title))
        if problem.title not in entry["description"]:
            entry["description"] += f"; {problem.title}"
        entry["content"][MEDIA_TYPE].setdefault("examples", {})[problem.slug] = {
            "value": problem("What to do about it.").document()
        }
    return made


def _documented(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


#: On every operation, so that FastAPI does not promise its own validation schema.
DEFAULT_RESPONSES: Documented = {
    "4XX": _documented("The caller can do something about it"),
    "5XX": _documented("The caller may try again"),
}

__all__ = [
    "DEFAULT_RESPONSES",
    "MEDIA_TYPE",
    "BadRequest",
    "Conflict",
    "FieldError",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MalformedJson",
    "MethodNotAllowed",
    "NotFound",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "ProblemDocument",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
    "of_errors",
    "pointer_of",
    "responses",
]
