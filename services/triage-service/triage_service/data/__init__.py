"""The data a new installation starts with, as plain values. Read once, when a service is built."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def read(name: str) -> dict[str, Any]:
    """One of ``taxonomy``, ``lexicon``, ``rules``, ``roster``. The value is shared: do not change it."""
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
