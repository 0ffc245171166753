"""Which earlier cases are like this one (B4, E2), in Chinese and English alike.

A text is a set of terms: words of Latin script and numbers as they are, runs of Chinese characters as overlapping
pairs. Two texts are alike by the weighted share of terms they have in common (Dice's coefficient, terms weighted by
their rarity among the candidates), and a little more when the assessment agrees.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

_RUNS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z][a-z'-]*[a-z]|[a-z]|\d+")
_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her his i if in is it its me my "  # noqa: SIM905
    "no not of on or our she so than that the their them they this to was we were what when which who will with would "
    "you your".split()
)
#: At most so many terms of one text are kept: enough for any complaint that a person writes.
MAX_TERMS = 400
#: What agreeing in issue type and in responsible party adds to the likeness of the texts.
SAME_ISSUE, SAME_RESPONSIBLE = 0.15, 0.05


@dataclass(frozen=True)
class Candidate:
    complaint_id: UUID
    terms: frozenset[str]
    issue_type: str | None
    responsible: str | None


@dataclass(frozen=True)
class Match:
    """`score` is between 0 and 1; `shared` are the terms in common that weigh most."""

    complaint_id: UUID
    score: float
    shared: tuple[str, ...]
    same_issue_type: bool


def terms_of(*texts: str) -> list[str]:
    """The terms of the texts, each once, in order of first appearance."""
    found: dict[str, None] = {}
    for text in texts:
        for run in _RUNS.findall(unicodedata.normalize("NFKC", text).lower()):
            for term in _terms(run):
                found[term] = None
                if len(found) >= MAX_TERMS:
                    return list(found)
    return list(found)


def _terms(run: str) -> Iterable[str]:
    if run[0] < "\u3400":
        return () if run in _STOP else (run,)
    return (run,) if len(run) == 1 else (run[i : i + 2] for i in range(len(run) - 1))


def rank(one: Candidate, others: Sequence[Candidate], *, at_least: float, limit: int) -> list[Match]:
    """The most similar of `others`, best first; ties by id."""
    spread = Counter(term for other in others for term in other.terms)
    total = len(others) + 1

    def weight(terms: Iterable[str]) -> float:
        return sum(math.log(1 + total / (1 + spread[term])) for term in terms)

    own = weight(one.terms)
    matches: list[Match] = []
    for other in others:
        common = one.terms & other.terms
        sizes = own + weight(other.terms)
        likeness = 2 * weight(common) / sizes if sizes else 0.0
        same_issue = one.issue_type is not None and one.issue_type == other.issue_type
        same_party = one.responsible is not None and one.responsible == other.responsible
        score = likeness and min(1.0, likeness + SAME_ISSUE * same_issue + SAME_RESPONSIBLE * same_party)
        if score >= at_least:
            rarest = sorted(common, key=lambda term: (spread[term], term))[:8]
            matches.append(Match(other.complaint_id, round(score, 4), tuple(rarest), same_issue))
    return sorted(matches, key=lambda match: (-match.score, str(match.complaint_id)))[:limit]
