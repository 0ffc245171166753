"""How much what a channel brought looks like spam (A1): a score of 0 to 1 and its reasons. Pure.

Nothing is refused or deleted for its score. What reaches the threshold is on a list of its own and is not acknowledged
by itself, until a lead takes it out; everything else about it goes on as for every complaint.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from pydantic import BaseModel, ConfigDict, Field


class Sign(StrEnum):
    """`trap_filled`: the field of the form that people don't see. `too_fast`: the form was sent within seconds of its
    opening. `links`: three or more. `repeated`: the same text by five senders or more within an hour. `bulk`: sent to a
    list. `unauthenticated`: SPF or DKIM failed, as the receiving server says."""

    TRAP_FILLED = "trap_filled"
    TOO_FAST = "too_fast"
    LINKS = "links"
    REPEATED = "repeated"
    BULK = "bulk"
    UNAUTHENTICATED = "unauthenticated"


#: How likely each makes spam by itself. Only the trap is enough alone: people write links, many write alike in an
#: outage, and good mail servers are set up badly.
WEIGHTS: Mapping[Sign, float] = {
    Sign.TRAP_FILLED: 0.8,
    Sign.TOO_FAST: 0.3,
    Sign.LINKS: 0.4,
    Sign.REPEATED: 0.5,
    Sign.BULK: 0.4,
    Sign.UNAUTHENTICATED: 0.4,
}
MANY_LINKS = 3
MANY_SENDERS = 5
FAST_SECONDS = 3.0
#: Characters below which a text says too little to be known again ("打不开").
SHORT = 40

_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_BLANK = re.compile(r"\W+")


class Spam(BaseModel):
    """`score` is 1 less the product of what each reason leaves: two of 0.4 make 0.64."""

    model_config = ConfigDict(frozen=True)

    score: float = Field(ge=0, le=1)
    reasons: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a text beside its words. `seconds` it took to fill in the form; `senders` who sent the same."""

    trap_filled: bool = False
    seconds: float | None = None
    senders: int = 1
    bulk: bool = False
    unauthenticated: bool = False


def weigh(text: str, seen: Seen) -> Spam | None:
    """None where nothing speaks for spam."""
    found = {
        Sign.TRAP_FILLED: seen.trap_filled,
        Sign.TOO_FAST: seen.seconds is not None and 0 <= seen.seconds < FAST_SECONDS,
        Sign.LINKS: len(_LINK.findall(text)) >= MANY_LINKS,
        Sign.REPEATED: seen.senders >= MANY_SENDERS,
        Sign.BULK: seen.bulk,
        Sign.UNAUTHENTICATED: seen.unauthenticated,
    }
    reasons = tuple(sign for sign, holds in found.items() if holds)
    if not reasons:
        return None
    return Spam(score=round(1 - prod(1 - WEIGHTS[sign] for sign in reasons), 2), reasons=reasons)


def alike(text: str) -> str | None:
    """What texts have in common that differ in case, blanks and punctuation alone; None where it is too little."""
    plain = _BLANK.sub("", text).casefold()
    return plain if len(plain) >= SHORT else None
