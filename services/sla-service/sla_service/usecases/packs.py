"""Policy packs: policies and calendars as files, the package's own or a company's."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from sla_service.clocks.calendar import CalendarSpec
from sla_service.clocks.policy import PolicySpec, gap, overlap
from sla_service.domain.packs import Pack

_T = TypeVar("_T")
_DATA = Path(__file__).parent.parent / "data"
_POLICIES: TypeAdapter[tuple[PolicySpec, ...]] = TypeAdapter(tuple[PolicySpec, ...])
_PACK: TypeAdapter[Pack] = TypeAdapter(Pack)
_CALENDARS: TypeAdapter[tuple[CalendarSpec, ...]] = TypeAdapter(tuple[CalendarSpec, ...])


class PackError(ValueError):
    """A policy pack that cannot be used; the message names the file and the field."""


def load_pack(name: str) -> tuple[tuple[PolicySpec, ...], tuple[CalendarSpec, ...]]:
    """``default``, ``seconds``, or the path of a YAML file: a list of policies, or ``{policies: …, calendars: …}``.

    The package's calendars are always there; a file may add its own. Raises `PackError`.
    """
    calendars = _read(_CALENDARS, _DATA / "calendars.yaml", _yaml(_DATA / "calendars.yaml"))
    path = _DATA / f"policies-{name}.yaml" if name in ("default", "seconds") else Path(name)
    content = _yaml(path)
    if isinstance(content, dict):
        more = _read(_CALENDARS, path, content.get("calendars", []))
        own = {one.calendar_id for one in more}
        calendars = (*(one for one in calendars if one.calendar_id not in own), *more)
        content = content.get("policies")
    policies = _read(_POLICIES, path, content)
    known = {one.calendar_id for one in calendars}
    for policy in policies:
        if policy.calendar not in known:
            raise PackError(f"{path}: policy {policy.policy_id} names the unknown calendar {policy.calendar!r}")
        if other := overlap(policy, policies):
            raise PackError(f"{path}: {policy.policy_id} and {other.policy_id} overlap at position {policy.position}")
    if problem := gap(policies):
        raise PackError(f"{path}: {problem}")
    return policies, calendars


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as problem:
        raise PackError(f"{path}: {problem.strerror}; SLA_POLICY_PACK is default, seconds or a file") from None
    except yaml.YAMLError as problem:
        raise PackError(f"{path}: not YAML: {problem}") from None


def _read(adapter: TypeAdapter[_T], path: Path, content: Any) -> _T:
    try:
        return adapter.validate_python(content)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise PackError(f"{path}: /{place}: {first['msg']}") from None


@cache
def packs() -> Mapping[str, Pack]:
    """The packs that come with the service, by name; reading them takes a moment. Raises `PackError`."""
    default, _ = load_pack("default")
    found = {}
    for path in sorted((_DATA / "packs").glob("*.yaml")):
        content = _yaml(path)
        if content.pop("policies_of", None) == "default":
            content["policies"] = default
        found[path.stem] = _read(_PACK, path, {**content, "name": path.stem})
    return found
