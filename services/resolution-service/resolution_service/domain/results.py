"""The result in writing (C6)."""

from collections.abc import Mapping

PARTS: tuple[str, ...] = ("cause", "measures", "improvement", "compensation")


def missing_parts(parts: Mapping[str, str]) -> tuple[str, ...]:
    """Which of the four required parts are missing or blank. Where there is no compensation, the part says so."""
    return tuple(part for part in PARTS if not parts.get(part, "").strip())
