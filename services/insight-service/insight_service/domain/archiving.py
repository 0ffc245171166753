"""How an event becomes a row of the archive: facts for ever, personal parts apart (A6, E8).

Invariant: the facts hold no value of a field that its contract marks `Personal`. In the place of each stands
``{"sha256": …}`` over a salt that is kept with the personal parts alone: while they stand, they can be proven against
the facts; once they are erased, nothing can be guessed from the hash.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.contracts.envelope import ComplaintFacts, Event, Personal

#: A path through a contract: names of fields, `"*"` for every item of a list.
Path = tuple[str, ...]


@dataclass(frozen=True)
class Archived:
    """`facts` and `personal` are JSON-ready; `personal` maps JSON Pointers to what stood there."""

    event: Event
    complaint_id: UUID | None
    person_id: UUID | None
    facts: dict[str, Any]
    personal: dict[str, Any]


@cache
def personal_paths(model: type[BaseModel]) -> tuple[Path, ...]:
    """Where the contract `model` holds personal data, found from its `Personal` markers, nested models included."""
    found: list[Path] = []
    for name, field in model.model_fields.items():
        if any(isinstance(mark, Personal) for mark in field.metadata):
            found.append((name,))
            continue
        for inner, listed in _models_in(field):
            step = (name, "*") if listed else (name,)
            found.extend((*step, *path) for path in personal_paths(inner))
    return tuple(found)


def _models_in(field: FieldInfo) -> list[tuple[type[BaseModel], bool]]:
    models: list[tuple[type[BaseModel], bool]] = []

    def visit(annotation: Any, listed: bool) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            models.append((annotation, listed))
        origin = getattr(annotation, "__origin__", None)
        for argument in get_args(annotation):
            visit(argument, listed or origin in {tuple, list})

    visit(field.annotation, False)
    return models


def archived(event: Event, salt: bytes) -> Archived:
    """Take the personal parts out of `event`. The masked display of the complainant is one of them."""
    payload = event.model_dump(mode="json")
    personal: dict[str, Any] = {}
    for path in personal_paths(type(event)):
        _take(payload, path, "", personal, salt)
    complaint = getattr(event, "facts", None)
    if isinstance(complaint, ComplaintFacts):
        _take(payload, ("facts", "customer", "display"), "", personal, salt)
    if event.actor.kind == "complainant":
        _take(payload, ("actor", "name"), "", personal, salt)
    return Archived(
        event=event,
        complaint_id=complaint.complaint_id if isinstance(complaint, ComplaintFacts) else None,
        person_id=complaint.customer.person_id
        if isinstance(complaint, ComplaintFacts)
        else getattr(event, "person_id", None),
        facts=payload,
        personal=personal,
    )


def _take(node: Any, path: Path, pointer: str, out: dict[str, Any], salt: bytes) -> None:
    step, rest = path[0], path[1:]
    if step == "*":
        for index, item in enumerate(node or []):
            _take(item, rest, f"{pointer}/{index}", out, salt)
        return
    value = node.get(step) if isinstance(node, dict) else None
    if value in (None, "", []):
        return
    here = f"{pointer}/{step}"
    if rest:
        _take(value, rest, here, out, salt)
        return
    out[here] = value
    node[step] = {"sha256": digest(value, salt)}


def digest(value: Any, salt: bytes) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(salt + canonical.encode()).hexdigest()


def whole(facts: Mapping[str, Any], personal: Mapping[str, Any] | None) -> dict[str, Any]:
    """The event as it was sent, where its personal parts still stand; an erased part reads as null."""
    restored: dict[str, Any] = json.loads(json.dumps(facts))
    _restore(restored, "", personal or {})
    return restored


def _restore(node: Any, pointer: str, personal: Mapping[str, Any]) -> None:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        here = f"{pointer}/{key}"
        if isinstance(value, dict) and value.keys() == {"sha256"}:
            node[key] = personal.get(here)
        else:
            _restore(value, here, personal)
