"""``make docs``: the generated documents and the snapshots of the contracts. Tests check that they are fresh."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from redress import asyncapi
from redress.app import document_of, installed
from shared.contracts import BY_TYPE, Event

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = ROOT / "docs" / "openapi"
SNAPSHOTS = ROOT / "tests" / "contract" / "snapshots"

#: What a schema says to people and what a reader may ignore.
PROSE = frozenset({"title", "description", "default", "examples", "x-personal"})
DESCENDED = frozenset(
    {"properties", "required", "enum", "anyOf", "prefixItems", "items", "additionalProperties", "$defs"}
)


def main() -> int:
    """Write docs/asyncapi.yaml, docs/openapi/*.json and the snapshots; 1 where a contract has broken."""
    (ROOT / "docs" / "asyncapi.yaml").write_text(
        # By way of JSON, so that parts which stand in several places are written out and not as YAML anchors.
        yaml.safe_dump(json.loads(json.dumps(asyncapi.document())), sort_keys=False, allow_unicode=True, width=120)
    )
    for service in installed():
        path = OPENAPI / f"{service}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(pretty(document_of(service)))
    broken = [problem for event in BY_TYPE.values() for problem in _write_snapshot(event)]
    for problem in broken:
        print(problem, file=sys.stderr)
    return 1 if broken else 0


def pretty(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def snapshot(event: type[Event]) -> dict[str, Any]:
    """The contract as its readers depend on it: JSON schema and topic, without prose."""
    schema: dict[str, Any] = _without_prose(event.model_json_schema(mode="serialization"))
    return {"x-topic": event.TOPIC, **schema}


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a reader of `old` would stumble over in `new`; an empty list is growth.

    A new word in a vocabulary is growth: a reader that is too old for it puts the event aside as a dead letter, and
    the replay after its update handles it.
    """
    return list(_compare(old, new, old, new, ""))


def _compare(old: Any, new: Any, old_root: Any, new_root: Any, path: str) -> list[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{path}: {old!r} became {new!r}"]

    def inside(first: Any, second: Any, step: str) -> list[str]:
        return _compare(first, second, old_root, new_root, f"{path}.{step}" if path else step)

    found: list[str] = []
    dot = f"{path}." if path else ""
    had, has = old.get("properties", {}), new.get("properties", {})
    needed, needs = set(old.get("required", ())), set(new.get("required", ()))
    for name in had:
        found += inside(had[name], has[name], name) if name in has else [f"{dot}{name}: the field has gone"]
    found += [f"{dot}{name}: a new field must be optional" for name in has if name not in had and name in needs]
    found += [
        f"{dot}{name}: a required field became optional" for name in had if name in has and name in needed - needs
    ]
    found += [f"{dot}enum: {word!r} has gone" for word in old.get("enum", ()) if word not in new.get("enum", ())]
    for key in ("anyOf", "prefixItems"):
        first, second = old.get(key, []), new.get(key, [])
        if len(first) != len(second):
            found.append(f"{dot}{key}: the alternatives changed")
        else:
            found += [problem for a, b in zip(first, second, strict=True) for problem in inside(a, b, key)]
    for key in ("items", "additionalProperties"):
        if key in old or key in new:
            found += inside(old.get(key, True), new.get(key, True), key)
    for key in sorted((old.keys() | new.keys()) - DESCENDED - PROSE):
        if old.get(key) != new.get(key):
            found.append(f"{dot}{key}: {old.get(key)!r} became {new.get(key)!r}")
    return found


def _resolved(schema: Any, root: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _without_prose(part: Any, names: bool = False) -> Any:
    """`names`: the keys of `part` are names of fields or definitions, not words of JSON schema."""
    if isinstance(part, list):
        return [_without_prose(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = part.items() if names else [(key, value) for key, value in part.items() if key not in PROSE]
    return {key: _without_prose(value, names=not names and key in ("properties", "$defs")) for key, value in kept}


def _write_snapshot(event: type[Event]) -> list[str]:
    path = SNAPSHOTS / f"{event.TYPE}.json"
    now = snapshot(event)
    if path.exists() and (problems := breaks(json.loads(path.read_text()), now)):
        return [f"{event.TYPE} breaks its readers: {problem}. Publish a new version beside it." for problem in problems]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pretty(now))
    return []


if __name__ == "__main__":
    sys.exit(main())
