"""The taxonomy's entries (B1): fixed vocabularies that may be relabelled, and trees that the company edits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.contracts.envelope import Bilingual
from triage_service.classifier import DEFAULTS, Category, Dimension

#: Whose codes are the contracts' vocabularies: no codes may be added, none switched off.
FIXED = frozenset({Dimension.KIND, Dimension.URGENCY, Dimension.EMOTION})


@dataclass(frozen=True, slots=True)
class Entry:
    """`code` of an issue type is a path: ``product.function`` stands under ``product``."""

    dimension: Dimension
    code: str
    label: Bilingual
    revision: int = 1
    position: int = 0
    responsible: str | None = None
    keywords: tuple[str, ...] = ()
    active: bool = True

    @property
    def parent(self) -> str | None:
        return self.code.rpartition(".")[0] or None


def seeded(data: dict[str, Any]) -> list[Entry]:
    return [
        Entry(
            dimension=Dimension(dimension),
            code=entry["code"],
            label=Bilingual(zh=entry["zh"], en=entry["en"]),
            position=position,
            responsible=entry.get("responsible"),
        )
        for dimension, entries in data.items()
        for position, entry in enumerate(entries)
    ]


def categories(entries: Iterable[Entry]) -> list[Category]:
    """What the classifier may choose from."""
    return [
        Category(entry.dimension, entry.code, entry.label, entry.responsible, entry.keywords)
        for entry in entries
        if entry.active
    ]


def objection(entry: Entry, entries: Iterable[Entry]) -> tuple[str, str] | None:
    """Why this entry may not stand so, as (field, what to do), or None."""
    others = {(other.dimension, other.code): other for other in entries}
    known = (entry.dimension, entry.code) in others
    if entry.dimension in FIXED and not known:
        return "code", f"The codes of {entry.dimension} are fixed; only their labels and keywords can be changed."
    if not entry.active and (entry.dimension in FIXED or entry.code == DEFAULTS[entry.dimension]):
        return "active", f"{entry.code} is needed and cannot be switched off."
    if entry.parent is not None and (
        entry.dimension is not Dimension.ISSUE or not _is_active(others, entry.dimension, entry.parent)
    ):
        return "code", f"Add {entry.parent} first: the code says that the entry stands under it."
    if entry.responsible is not None and entry.dimension is not Dimension.ISSUE:
        return "responsible", "Only issue types have a responsible party."
    if entry.responsible is not None and not _is_active(others, Dimension.RESPONSIBLE, entry.responsible):
        return "responsible", f"{entry.responsible} is no active responsible party; add it first."
    return None


def _is_active(entries: dict[tuple[Dimension, str], Entry], dimension: Dimension, code: str) -> bool:
    found = entries.get((dimension, code))
    return found is not None and found.active
