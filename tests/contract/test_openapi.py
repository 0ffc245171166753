"""docs/openapi is what the services say of their HTTP APIs today, and what a stranger needs is in it."""

import json
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from jsonschema import Draft202012Validator

from redress.app import build, document_of, installed, settings_of
from redress.docs import OPENAPI
from shared.clock import SystemClock
from shared.contracts import SERVICES

#: Open to everybody on purpose: the promise is published (F11), providers that call us sign what they send, and the
#: visitor of a chat has its token (or an agent signs in).
PUBLIC = {
    "sla": {"GET /v1/promise"},
    "intake": {
        "GET /v1/channels/{channel_id}/wecom",
        "POST /v1/channels/{channel_id}/wecom",
        "POST /v1/channels/{channel_id}/dingtalk",
        "POST /v1/channels/{channel_id}/feedback",
        "POST /v1/channels/{channel_id}/posts",
        "POST /v1/channels/{channel_id}/chats",
        "POST /v1/chats/{chat_id}/files",
        "POST /v1/chats/{chat_id}/messages",
        "GET /v1/chats/{chat_id}/messages",
        "POST /v1/chats/{chat_id}/end",
        "POST /v1/channels/{channel_id}/calls",
    },
}
#: Routes that the documents leave out: what every service has for its operators, and what customers open in a browser.
OPERATORS = {"/metrics", "/docs", "/openapi.json"}
PAGES = {
    "sla": {"/promise"},
    "feedback": {"/s/{token}"},
    "intake": {"/form", "/form/done/{token}", "/form/status/{token}"},
}
METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document(service: str) -> dict[str, Any]:
    return document_of(service)


@cache
def app_of(service: str) -> FastAPI:
    settings = {"database_url": "postgresql://redress@127.0.0.1/redress", "smtp_host": "127.0.0.1"}
    return build(service, settings_of(service, settings, None), SystemClock(), None).app


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
def test_every_operation_has_a_place_in_the_document_and_says_what_can_go_wrong(service: str) -> None:
    for name, operation in operations(service):
        assert operation.get("tags"), f"{name} has no tag"
        assert {"4XX", "5XX"} <= set(operation["responses"]), name


@pytest.mark.parametrize("service", installed())
def test_every_request_body_has_an_example_that_is_good(service: str) -> None:
    schemas = document(service)["components"]["schemas"]
    for name, operation in operations(service):
        if "requestBody" not in operation:
            continue
        if list(operation["requestBody"]["content"]) == ["application/octet-stream"]:
            continue  # any bytes are good
        content = operation["requestBody"]["content"]["application/json"]
        shown = examples_of(content, schemas)
        assert shown, f"{name} has no example of its body"
        validator = Draft202012Validator({**content["schema"], "components": {"schemas": schemas}})
        for example in shown:
            validator.validate(example)


def examples_of(content: dict[str, Any], schemas: dict[str, Any]) -> list[Any]:
    """The examples beside a body's schema, or of the model that it is (or may be)."""
    schema = content["schema"]
    models = [schemas[part["$ref"].rpartition("/")[2]] for part in (schema, *schema.get("anyOf", ())) if "$ref" in part]
    beside = [each["value"] for each in content.get("examples", {}).values()]
    return beside + [example for each in (schema, *models) for example in each.get("examples", ())]


@pytest.mark.parametrize("service", installed())
def test_what_is_not_in_the_document_is_for_operators_or_a_customers_page(service: str) -> None:
    app = app_of(service)
    told = {(path, method) for path, item in document(service)["paths"].items() for method in item}
    hidden = {
        context.path_format
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if method not in ("HEAD", "OPTIONS") and (context.path_format, method.lower()) not in told
    }
    assert hidden == OPERATORS | PAGES.get(service, set())


@pytest.mark.parametrize("service", installed())
def test_every_operation_that_needs_a_token_says_which_roles(service: str) -> None:
    closed = [(name, operation) for name, operation in operations(service) if operation.get("security")]
    assert [name for name, operation in closed if not operation.get("x-roles")] == []
    adapters = {name for name, operation in closed if "adapter" in operation["x-roles"]}
    read = {name for name in adapters if not name.startswith("POST ")}
    assert read <= {"GET /v1/receipts/{receipt_id}"}, "adapters post, and read their receipts alone"


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
