"""From a case that schemathesis made to a request, and what every answer must be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import requests
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.web.errors import MEDIA_TYPE, TYPE_PREFIX
from tests.support.living import BASE

#: Left out: `positive_data_acceptance` (what a rule refuses, such as a state or an unknown team, no schema can say) and
#: `negative_data_rejection` (unknown query parameters are passed over, and in a query "1" is a number and a yes).
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
#: Doors for probes: 503 with their report is what they are for.
PROBES = ("/livez", "/readyz")


@dataclass(frozen=True)
class Aim:
    """Puts real values in the place of made-up ones. `index` chooses among them; `version` is for If-Match."""

    real: Callable[[str], list[str]]
    index: int
    version: int

    def at(self, case: Case) -> None:
        for place in (case.path_parameters, case.query):
            for name in list(place or {}):
                if values := self.real(name):
                    place[name] = values[self.index % len(values)]
        case.body = self._in_body(case.body)
        if self.version and any(header.name == "If-Match" for header in case.operation.headers):
            case.headers["If-Match"] = f'"{self.version}"'

    def _in_body(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._in_body(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._in_body(inner, name) for inner in value]
        if isinstance(value, str) and name.endswith(("_id", "_ids")) and (values := self.real(name)):
            return values[self.index % len(values)]
        return value


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: httpx.Headers
    content: bytes | None


def request_of(case: Case, signed_in: Mapping[str, str]) -> Request:
    """The request as the bytes that a client would send."""
    given = case.as_transport_kwargs(base_url=BASE)
    made = requests.Request(**given).prepare()
    headers = {name: value for name, value in (made.headers or {}).items() if name.lower() not in ("host", "cookie")}
    headers.update(signed_in)
    encoded = [(name.encode("latin-1"), _bytes(value)) for name, value in headers.items()]
    content = made.body
    if isinstance(content, str):
        content = content.encode()
    elif content is not None and not isinstance(content, bytes):
        raise TypeError(f"a body of {type(content)}")
    assert made.url is not None
    assert made.method is not None
    return Request(made.method, made.url, httpx.Headers(encoded), content)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def faults_of(case: Case, answer: httpx.Response) -> list[tuple[str, str]]:
    """What is wrong with an answer: a short name of the fault, and all that is known of it."""
    found = []
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        found = [(f"{answer.status_code} {each.title}", str(group)) for each in group.exceptions]
    told = f"{answer.request.method} {answer.request.url} {answer.request.content[:600]!r}\n{answer.text[:800]}"
    if case.operation.path not in PROBES:
        found += [(f"{answer.status_code} {fault}", told) for fault in not_a_problem(answer)]
    return found


def not_a_problem(answer: httpx.Response) -> list[str]:
    """Why an answer of 400 or more is not a problem document (RFC 9457); nothing for a success."""
    if answer.status_code < 400:
        return []
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return [f"its media type is {answer.headers.get('content-type')}"]
    told = answer.json()
    faults = [f"no {member}" for member in ("type", "title", "detail") if not isinstance(told.get(member), str)]
    if told.get("status") != answer.status_code:
        faults.append(f"its status member is {told.get('status')}")
    if not re.fullmatch(rf"{TYPE_PREFIX}[a-z0-9-]+", str(told.get("type"))):
        faults.append(f"its type is {told.get('type')}")
    return faults
