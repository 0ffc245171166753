"""Conditions of a policy (F9): ordered lists, and why they were met or not by what is known of a complaint."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.contracts.vocabulary import Channel, Kind, Urgency

#: An issue type of triage's taxonomy; a type stands for the types below it (`product` for `product.function`).
IssueType = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Subject:
    """What of a complaint policies choose by, as it is at an instant. Kind, issue type and tags are known once it is
    classified; the tags are the rules of the classifier that fired (`security`, `payment-down`)."""

    channel: str
    level: str
    product: str | None = None
    region: str | None = None
    organisation: str | None = None
    kind: str | None = None
    issue_type: str | None = None
    urgency: str | None = None
    tags: tuple[str, ...] = ()


class Compared(_Data):
    """A condition of a policy beside what the complaint had when the policy was looked at; `rules` asks for a rule for
    the clock's metric. Of several tags `has` names the first that was asked for, or all of them where none was."""

    condition: str
    asked: tuple[str, ...]
    has: str | None

    @property
    def met(self) -> bool:
        if self.has is None:
            return False
        return self.has in self.asked or (
            self.condition == "issue_types" and any(self.has.startswith(f"{one}.") for one in self.asked)
        )


class Conditions(_Data):
    """Every list that is not empty must hold the complaint's value; of `tags` one that the complaint has. No list at
    all: everybody."""

    channels: tuple[Channel, ...] = ()
    levels: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    issue_types: tuple[IssueType, ...] = ()
    urgencies: tuple[Urgency, ...] = ()
    tags: tuple[str, ...] = ()

    def compared(self, subject: Subject | None) -> Iterator[Compared]:
        """Every condition that is asked beside what the complaint has, in the order of the fields."""
        for name in type(self).model_fields:
            if asked := getattr(self, name):
                yield Compared(condition=name, asked=asked, has=_has(name, asked, subject))

    @property
    def demanding(self) -> bool:
        return any(getattr(self, name) for name in type(self).model_fields)

    def excludes(self, other: "Conditions") -> bool:
        """Whether no complaint can meet both. Tags never tell: a complaint may have several."""
        for name in type(self).model_fields:
            mine, others = set(getattr(self, name)), set(getattr(other, name))
            if name == "tags" or not mine or not others or mine & others:
                continue
            if name != "issue_types" or not any(_one_line(one, two) for one in mine for two in others):
                return True
        return False


def _one_line(one: str, two: str) -> bool:
    return one.startswith(f"{two}.") or two.startswith(f"{one}.")


#: The attribute of a `Subject` that each condition asks for.
_ATTRIBUTES = {
    "channels": "channel",
    "levels": "level",
    "products": "product",
    "regions": "region",
    "organisations": "organisation",
    "kinds": "kind",
    "issue_types": "issue_type",
    "urgencies": "urgency",
}


def _has(name: str, asked: tuple[str, ...], subject: Subject | None) -> str | None:
    if subject is None:
        return None
    if name == "tags":
        return next((one for one in subject.tags if one in asked), None) or ", ".join(subject.tags) or None
    found: str | None = getattr(subject, _ATTRIBUTES[name])
    return found


class PassedOver(_Data):
    """A policy that was looked at and did not fit, with the first condition that failed."""

    policy: str
    version: int
    failed: Compared


class Choice(_Data):
    """Why a policy holds for a clock: those of its track that came before it, in order, and what met this one (nothing:
    it asks nothing)."""

    passed_over: tuple[PassedOver, ...] = ()
    met: tuple[Compared, ...] = ()
