"""The data a new installation starts with, as plain values. Read once, when a service is built."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def read(name: str) -> dict[str, Any]:
    """One of ``taxonomy``, ``lexicon``, ``rules``, ``roster``. The value is shared: do not change it."""
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    # The loader of libyaml is ten times faster; a start would spend a third of a second in the other.
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded
