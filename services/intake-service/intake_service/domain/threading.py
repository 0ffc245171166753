"""Where a message belongs: to a complaint that is there, or to a new one (A8).

Invariant: a message joins a complaint only by the signed reply address that its complainant was given, or by a thread
or message id that is known for its account or was signed by us, and then only where its sender takes part in that
complaint. Whoever quotes a number or a thread alone makes a new complaint and a suggestion.
"""

import re
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from uuid import UUID

_NUMBER = re.compile(r"(?<![0-9A-Za-z-])C-[0-9]{8}-[0-9]{6,12}(?![0-9A-Za-z-])")
MAX_QUOTED = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A complaint that the message may belong to, and whose it is."""

    complaint_id: UUID
    number: str
    person_id: UUID


@dataclass(frozen=True, slots=True)
class Placement:
    """The complaint that the message joins; else it makes a new one, with a link to `suggested` proposed."""

    joins: Known | None = None
    suggested: Known | None = None


def quoted_numbers(text: str) -> tuple[str, ...]:
    """The first complaint numbers that a text quotes, each once."""
    return tuple(dict.fromkeys(_NUMBER.findall(text)))[:MAX_QUOTED]


def placement(
    threaded: Sequence[Known], quoted: Sequence[Known], sender: Collection[UUID], invited: Known | None = None
) -> Placement:
    """`invited` is the complaint whose reply address the message came to; `threaded` are the complaints of what it
    answers and of its thread, the nearest first; `quoted` those whose number it quotes; `sender` the persons whom the
    sender's identities are of."""
    if invited is not None:
        return Placement(joins=invited)
    for known in threaded:
        if known.person_id in sender:
            return Placement(joins=known)
    return Placement(suggested=next(iter((*threaded, *quoted)), None))


def noted(signed: Sequence[Known], threaded: Sequence[Known], sender: Collection[UUID]) -> Placement:
    """Of a machine's message: the complaint that it is kept on. `signed` are those that tokens of ours name."""
    about = next(iter((*signed, *(known for known in threaded if known.person_id in sender))), None)
    return Placement(joins=about, suggested=None if about else next(iter(threaded), None))


def waves(references: Sequence[Collection[Hashable]]) -> list[list[int]]:
    """Places of the messages in the order in which they may be dealt with: those of one wave name nothing in common,
    and whatever shares an id with an earlier message comes in a later wave than that."""
    latest: dict[Hashable, int] = {}
    ordered: list[list[int]] = []
    for place, named in enumerate(references):
        wave = max((latest[each] + 1 for each in named if each in latest), default=0)
        if wave == len(ordered):
            ordered.append([])
        ordered[wave].append(place)
        latest |= dict.fromkeys(named, wave)
    return ordered
