"""What FastAPI cannot know of our OpenAPI documents: problems, bodies read by `JsonBody`, both ways to sign in."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from shared.web import errors
from shared.web.auth import KEY_HEADER, Allow
from shared.web.body import JsonBody
from shared.web.errors import ProblemDocument, responses
from shared.web.handlers import calls_of
from shared.web.idempotency import PARAMETER, once_of, once_of_stream

REFERENCE = "#/components/schemas/{model}"


def install(app: FastAPI, *, api_keys: bool) -> None:
    plain = app.openapi
    done: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not done:
            done.update(_completed(plain(), app, api_keys=api_keys))
        return done

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: dict[str, Any], app: FastAPI, *, api_keys: bool) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    schemas.update(_schema("Problem", ProblemDocument.model_json_schema(ref_template=REFERENCE)))
    if api_keys:
        components.setdefault("securitySchemes", {})["apiKey"] = {
            "type": "apiKey",
            "in": "header",
            "name": KEY_HEADER,
            "description": "A channel adapter's key.",
        }
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"].get(context.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(operation, route.dependant, schemas, api_keys=api_keys)
    components["schemas"] = dict(sorted(schemas.items()))
    return document


def _complete(operation: dict[str, Any], dependant: Dependant, schemas: dict[str, Any], *, api_keys: bool) -> None:
    for call in calls_of(dependant):
        if isinstance(call, JsonBody):
            schema = call.adapter.json_schema(ref_template=REFERENCE)
            name = str(schema.get("title", "Body"))
            schemas.update(_schema(name, schema))
            operation["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model=name)}}},
            }
        elif isinstance(call, Allow):
            if api_keys:
                operation["security"] = [{"bearer": []}, {"apiKey": []}]
            documented = responses(errors.Unauthorized, *([errors.Forbidden] if call.roles else []))
            for status, entry in documented.items():
                operation["responses"].setdefault(str(status), entry)
            if call.roles:
                operation["x-roles"] = [*call.roles]
        elif call in (once_of, once_of_stream):
            operation.setdefault("parameters", []).append(PARAMETER)


def _schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A model's schema and those it refers to, by name."""
    inner = schema.pop("$defs", {})
    return {**inner, name: schema}
