"""docs/asyncapi.yaml is what the contracts say today, and a valid AsyncAPI 3 document."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from redress import asyncapi
from shared.contracts import BY_TYPE, CATALOGUE, COMPACTED_TOPICS

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = Path(__file__).parent / "schemas"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document()


def test_the_document_in_docs_is_fresh(document: dict[str, Any]) -> None:
    written = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
    assert written == document, "docs/asyncapi.yaml is stale: run `make docs` and commit what it wrote"


def test_the_document_is_valid_asyncapi_3(document: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / "asyncapi-3.0.0.json").read_text())
    errors = [
        f"{list(error.path)}: {error.message[:200]}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(document)
    ]
    assert errors == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for value in part.values() for found in references(value)]
        if isinstance(part, list):
            return [found for value in part for found in references(value)]
        return []

    for reference in references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, f"{reference} leads nowhere"
            target = target[step]


def test_every_contract_is_a_message_on_its_topic(document: dict[str, Any]) -> None:
    for event in BY_TYPE.values():
        assert event.__name__ in document["channels"][event.TOPIC]["messages"]
        assert document["components"]["messages"][event.__name__]["name"] == event.TYPE


def test_every_schema_of_a_payload_is_a_valid_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_a_topic_has_one_publisher() -> None:
    publishers: dict[str, set[str]] = {}
    for service, events in CATALOGUE.items():
        for event in events:
            publishers.setdefault(event.TOPIC, set()).add(service)
    assert {topic: names for topic, names in publishers.items() if len(names) > 1} == {}


def test_free_text_and_contacts_are_marked_personal(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["ComplaintReceivedV1"]["properties"]["symptom"]["x-personal"] is True
    assert schemas["Demand"]["properties"]["text"]["x-personal"] is True
    assert "x-personal" not in schemas["ComplaintReceivedV1"]["properties"]["priority"]


def test_the_contacts_topic_is_compacted_and_read_by_notify_alone(document: dict[str, Any]) -> None:
    assert "redress.intake.contacts" in COMPACTED_TOPICS
    readers = {name for name in document["operations"] if name.endswith(".receive.intake.contacts")}
    assert readers <= {"notify.receive.intake.contacts"}
