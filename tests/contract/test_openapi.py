"""docs/openapi is what the services say of their HTTP APIs today, and what a stranger needs is in it."""

import json
from functools import cache
from typing import Any

import pytest

from redress.app import document_of, installed
from redress.docs import OPENAPI
from shared.contracts import SERVICES

#: Open to everybody on purpose: the promise is published (F11).
PUBLIC = {"sla": {"GET /v1/promise"}}
METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document(service: str) -> dict[str, Any]:
    return document_of(service)


def operations(service: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document(service)["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_all_seven_services_have_a_document() -> None:
    assert installed() == SERVICES


@pytest.mark.parametrize("service", installed())
def test_the_document_in_docs_is_fresh(service: str) -> None:
    path = OPENAPI / f"{service}.json"
    written = json.loads(path.read_text()) if path.exists() else None
    assert written == document(service), f"{path} is stale: run `make docs` and commit what it wrote"


@pytest.mark.parametrize("service", installed())
def test_every_operation_says_what_it_does_and_has_a_name_of_its_own(service: str) -> None:
    assert [name for name, operation in operations(service) if not operation.get("summary")] == []
    names = [operation["operationId"] for _, operation in operations(service)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("service", installed())
def test_every_error_is_a_problem(service: str) -> None:
    for name, operation in operations(service):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and "readyz" not in name and "livez" not in name:
                assert set(answer.get("content", {})) <= {"application/problem+json", "text/html"}, f"{name} {status}"


@pytest.mark.parametrize("service", installed())
def test_every_operation_of_the_api_needs_a_token_or_is_a_customers_page(service: str) -> None:
    def open_to_all(name: str, operation: dict[str, Any]) -> bool:
        return not operation.get("security") and " /v1/" in name

    found = {name for name, operation in operations(service) if open_to_all(name, operation)}
    assert found == PUBLIC.get(service, set())
