"""The AsyncAPI 3 document of every topic, generated from the contracts and from what each service consumes."""

import inspect
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts import BY_TYPE, CATALOGUE, COMPACTED_TOPICS, SERVICES, TOPICS, Event
from shared.contracts.envelope import ComplaintEvent, Data, Personal

SCHEMAS = "#/components/schemas/{model}"

HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 attributes in Kafka binary mode.",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "The event's id; consumers drop doubles by it."},
        "ce_type": {"type": "string", "description": "The contract and its version."},
        "ce_source": {"type": "string", "description": "The service that published it."},
        "ce_subject": {"type": "string", "description": "The key: what the event is about."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it occurred."},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context, where tracing is on."},
    },
}


def document() -> dict[str, Any]:
    """The whole document: a channel per topic, a message per contract, an operation per service and topic."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Redress events",
            "version": "1",
            "description": (
                "Every event between the services of Redress. A topic belongs to the one service that publishes it; "
                "the key orders the events of one complaint. A contract only grows, by optional fields; anything "
                "else is a new version beside the old. Fields marked x-personal hold personal data or free text."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic) for topic in TOPICS}
        | {dlq(name): _dead_letters(name) for name in SERVICES},
        "operations": _operations(),
        "components": {
            "messages": {event.__name__: _message(event) for event in BY_TYPE.values()}
            | {"DeadLetter": _dead_letter()},
            "schemas": schemas(),
        },
    }


def dlq(service: str) -> str:
    return f"redress.{service}.dlq"


@cache
def schemas() -> dict[str, Any]:
    """JSON schemas of all contracts and of the values in them, by name, personal fields marked."""
    models: list[tuple[type[Event], Any]] = [(event, "serialization") for event in BY_TYPE.values()]
    _, definitions = models_json_schema(models, ref_template=SCHEMAS)
    found: dict[str, Any] = definitions["$defs"]
    for value in _descendants(Data):
        if (schema := found.get(value.__name__)) is None:
            continue
        for name, field in value.model_fields.items():
            if any(isinstance(mark, Personal) for mark in field.metadata):
                schema["properties"][name]["x-personal"] = True
    return dict(sorted(found.items()))


def consumed(service: str) -> tuple[type[Event], ...]:
    """What a service listens to, from its Kafka door."""
    if find_spec(f"{service}_service.events") is None:
        return ()
    return tuple(import_module(f"{service}_service.events").CONSUMES)


def _channel(topic: str) -> dict[str, Any]:
    events = [event for event in BY_TYPE.values() if topic == event.TOPIC]
    described = "Compacted: the newest event of a key is kept." if topic in COMPACTED_TOPICS else "Kept for some days."
    policy = "compact" if topic in COMPACTED_TOPICS else "delete"
    return {
        "address": topic,
        "description": described,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in events},
        "bindings": {"kafka": {"topic": topic, "topicConfiguration": {"cleanup.policy": [policy]}}},
    }


def _dead_letters(service: str) -> dict[str, Any]:
    return {
        "address": dlq(service),
        "description": f"What {service} could not handle, with the reason in the headers; `redress dlq` works on it.",
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
        "bindings": {"kafka": {"topic": dlq(service)}},
    }


def _message(event: type[Event]) -> dict[str, Any]:
    about = "the complaint's id" if issubclass(event, ComplaintEvent) else "the id of what the event is about"
    value: dict[str, Any] = {"$ref": SCHEMAS.format(model=event.__name__)}
    if event.TOMBSTONE:
        value = {"type": "null", "description": "A tombstone: the value is empty and deletes the key."}
    headers = {"allOf": [HEADERS, {"properties": {"ce_type": {"const": event.TYPE}}}]}
    return {
        "name": event.TYPE,
        "title": event.__name__,
        "summary": _first_sentence(event),
        "contentType": "application/json",
        "headers": headers,
        "payload": value,
        "bindings": {"kafka": {"key": {"type": "string", "description": about}}},
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "dead-letter",
        "title": "A record that a consumer could not handle",
        "summary": "The record as it came, byte for byte; headers tell where it was and why it is here.",
        "payload": {"description": "The value of the original record, whatever it was."},
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for service in SERVICES:
        for action, events in (("send", CATALOGUE[service]), ("receive", consumed(service))):
            for topic in dict.fromkeys(event.TOPIC for event in events):
                name = f"{service}.{action}.{topic.removeprefix('redress.')}"
                operations[name] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic}"},
                    "messages": [
                        {"$ref": f"#/channels/{topic}/messages/{event.__name__}"}
                        for event in sorted(events, key=lambda event: event.TYPE)
                        if topic == event.TOPIC
                    ],
                }
    return operations


def _first_sentence(event: type[Event]) -> str:
    text = " ".join((inspect.getdoc(event) or event.__name__).split())
    return text.split(". ")[0].rstrip(".") + "."


def _descendants(base: type[Data]) -> Iterable[type[Data]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)
