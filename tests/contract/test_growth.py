"""A contract only grows, by optional fields. Anything else is a new version, published beside the old.

`tests/contract/snapshots/` holds the JSON schema of every contract as it was last agreed. `make docs` writes the
snapshot of a contract that has grown and refuses one that has broken; deleting a snapshot by hand is how one says
that a contract was never released.
"""

import json
from typing import Any

import pytest

from redress.docs import SNAPSHOTS, breaks, snapshot
from shared.contracts import BY_TYPE

OLD: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "means": {"$ref": "#/$defs/Means"}},
    "required": ["id"],
    "$defs": {"Means": {"type": "string", "enum": ["sms", "email"]}},
}


@pytest.mark.parametrize("event_type", sorted(BY_TYPE))
def test_a_contract_is_as_it_was_agreed_or_has_only_grown(event_type: str) -> None:
    path = SNAPSHOTS / f"{event_type}.json"
    assert path.exists(), f"{event_type} has no snapshot: run `make docs` and commit what it wrote"
    agreed = json.loads(path.read_text())
    now = snapshot(BY_TYPE[event_type])
    assert breaks(agreed, now) == [], "publish a new version beside the old one"
    assert now == agreed, f"{event_type} has grown: run `make docs` and commit what it wrote"


def test_no_contract_that_was_agreed_has_gone() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} <= set(BY_TYPE)


def changed(**properties: Any) -> dict[str, Any]:
    return {**OLD, "properties": {**OLD["properties"], **properties}}


def test_a_new_optional_field_is_growth() -> None:
    assert breaks(OLD, changed(note={"type": "string", "default": ""})) == []


def test_a_new_required_field_breaks() -> None:
    new = changed(note={"type": "string"}) | {"required": ["id", "note"]}
    assert breaks(OLD, new) == ["note: a new field must be optional"]


def test_a_field_that_goes_or_changes_its_type_breaks() -> None:
    assert breaks(OLD, {**OLD, "properties": {"id": {"type": "string"}}}) == ["means: the field has gone"]
    assert breaks(OLD, changed(id={"type": "integer"})) == ["id.type: 'string' became 'integer'"]


def test_a_field_that_was_always_there_and_becomes_optional_breaks_its_readers() -> None:
    assert breaks(OLD, {**OLD, "required": []}) == ["id: a required field became optional"]


def test_a_word_that_leaves_a_vocabulary_breaks_and_a_new_word_is_growth() -> None:
    fewer = {**OLD, "$defs": {"Means": {"type": "string", "enum": ["sms"]}}}
    more = {**OLD, "$defs": {"Means": {"type": "string", "enum": ["sms", "email", "wecom"]}}}
    assert breaks(OLD, fewer) == ["means.enum: 'email' has gone"]
    assert breaks(OLD, more) == []
