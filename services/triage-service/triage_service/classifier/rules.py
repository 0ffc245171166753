"""What the classifier knows, as values: the categories it chooses from and the rules that speak for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.contracts.envelope import Bilingual


class Dimension(StrEnum):
    """B1 and B3: what is decided of every complaint."""

    KIND = "kind"
    ISSUE = "issue"
    URGENCY = "urgency"
    RESPONSIBLE = "responsible"
    EMOTION = "emotion"


#: What is taken where nothing speaks for anything.
DEFAULTS: Mapping[Dimension, str] = {
    Dimension.KIND: "complaint",
    Dimension.ISSUE: "other",
    Dimension.URGENCY: "low",
    Dimension.RESPONSIBLE: "support",
    Dimension.EMOTION: "calm",
}


@dataclass(frozen=True, slots=True)
class Category:
    """One entry of the taxonomy. `responsible` is the party an issue type usually falls to; `keywords` are phrases in
    either language that speak for it."""

    dimension: Dimension
    code: str
    label: Bilingual
    responsible: str | None = None
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires where both of `needs` (bits of alternatives) and none of `unless` stand together."""

    id: str
    text: Bilingual
    needs: tuple[int, int]
    unless: int
    weights: tuple[tuple[Dimension, str, float], ...]

    def fires(self, concepts: int) -> bool:
        first, second = self.needs
        return bool(concepts & first and concepts & second and not concepts & self.unless)


def weights_of(data: Mapping[str, float]) -> tuple[tuple[Dimension, str, float], ...]:
    """``{"issue.product.function": 2.5}`` → ``((ISSUE, "product.function", 2.5),)``."""
    parts = ((target.partition("."), weight) for target, weight in data.items())
    return tuple((Dimension(dimension), code, float(weight)) for (dimension, _, code), weight in parts)


def text_of(data: Mapping[str, Any]) -> Bilingual:
    return Bilingual(zh=data["zh"], en=data["en"])


def rules_of(data: Mapping[str, Any], concepts: Mapping[str, int]) -> tuple[Rule, ...]:
    """The rules of the yaml, compiled against the lexicon's bits. `all` has one or two members.

    Raises `KeyError` for a concept that is not there.
    """

    def bits(names: str) -> int:
        return sum(concepts[name] for name in names.split("|"))

    return tuple(
        Rule(
            id=rule["id"],
            text=text_of(rule),
            needs=(bits(rule["all"][0]), bits(rule["all"][-1])),
            unless=sum(concepts[name] for name in rule.get("unless", ())),
            weights=weights_of(rule["weights"]),
        )
        for rule in data["rules"]
    )
