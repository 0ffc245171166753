"""Finding the lexicon's words in a text, in one pass.

Phrases are indexed by their first two characters, so a scan looks each position up once: cost grows with the text,
hardly with the lexicon. Concepts are bits, so a rule is a few integer operations.
"""

import re
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

#: A clause ends at these; 、 and the point inside a number or an address do not end one.
CLAUSE = re.compile(r"[,，;；:：]|\bbut\b|但是|但|[。!！?？\n]|\.(?=\s|$)")
SENTENCE_ENDS = frozenset("。!！?？\n.")
#: How far before a hit its negation may stand: characters in Chinese (不是…), words in English.
NEGATION_CHARACTERS = 4
NEGATION_WORDS = 2
LONGEST_NEGATION = 40
#: Longer fields are cut: what a complaint is about stands in front, and the scan stays bounded.
LONGEST_FIELD = 4000


def folded(text: str) -> str:
    """Full width to half width, lower case, straight apostrophes: what the phrases are compared in."""
    return normalize("NFKC", text[:LONGEST_FIELD]).replace("’", "'").lower()


class Lexicon:
    """The compiled phrases. `concepts` maps a concept's name to its bit."""

    def __init__(self, data: Mapping[str, Any], keywords: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """`keywords` adds concepts beside the lexicon's own: phrases in either language by concept name."""
        self.concepts: dict[str, int] = {}
        self._index: dict[str, list[tuple[str, bool, int]]] = {}
        for name, phrases in data["concepts"].items():
            self._add(name, [*phrases["zh"], *phrases["en"]])
        for name, added in (keywords or {}).items():
            self._add(name, added)
        negations = data["negations"]
        zh, of_phrase, between = (_any_of(negations[name]) for name in ("zh", "zh_of_phrase", "zh_between"))
        self._negated = re.compile(
            rf"(?:(?:{zh})(?:{between}){{0,3}}|(?:{of_phrase})[一-鿿]{{0,{NEGATION_CHARACTERS}}})$"
            rf"|\b(?:(?:{_any_of(negations['en'])})(?:\s+[a-z'-]+){{0,{NEGATION_WORDS}}}\s+)$"
        )
        self._may_be_negated = re.compile(
            _any_of([word for kind in ("zh", "zh_of_phrase", "en") for word in negations[kind]])
        )
        self._no_negation = re.compile("|".join(map(re.escape, negations["exceptions"])))

    def _add(self, name: str, phrases: Any) -> None:
        bit = self.concepts.setdefault(name, 1 << len(self.concepts))
        for phrase in phrases:
            text = folded(str(phrase))
            open_ended = text.endswith("*")
            text = text.rstrip("*").strip()
            if len(text) < 2:
                raise ValueError(f"a phrase needs two characters at least: {phrase!r}")
            self._index.setdefault(text[:2], []).append((text, open_ended, bit))

    def clauses(self, text: str) -> list[list[int]]:
        """The concepts (as bits) of each clause, by sentence."""
        text = folded(text)
        sentences: list[list[int]] = [[]]
        start = 0
        for end in CLAUSE.finditer(text):
            sentences[-1].append(self._concepts(text[start : end.start()]))
            start = end.end()
            if end.group() in SENTENCE_ENDS:
                sentences.append([])
        sentences[-1].append(self._concepts(text[start:]))
        return sentences

    def _concepts(self, clause: str) -> int:
        found = 0
        deniable = self._may_be_negated.search(clause) is not None
        hits: list[tuple[int, int]] = []
        index = self._index
        for position in range(len(clause) - 1):
            candidates = index.get(clause[position : position + 2])
            if candidates is None:
                continue
            for phrase, open_ended, bit in candidates:
                end = position + len(phrase)
                if (
                    not found & bit
                    and clause.startswith(phrase, position)
                    and _stands_alone(clause, position, end, open_ended)
                    and not (deniable and self._is_negated(clause, position, hits))
                ):
                    found |= bit
                    hits.append((position, end))
        return found

    def _is_negated(self, clause: str, position: int, hits: list[tuple[int, int]]) -> bool:
        """Whether a negation stands before `position` that is not itself part of a phrase, as in 不能登录."""
        begin = max(0, position - LONGEST_NEGATION)
        before = clause[begin:position]
        negation = self._negated.search(before)
        if negation is None or self._no_negation.search(before):
            return False
        start = begin + negation.start()
        return not any(first <= start < last for first, last in hits)


def _any_of(words: list[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _stands_alone(clause: str, start: int, end: int, open_ended: bool) -> bool:
    """Whether [start, end) is whole words; Chinese has no word boundaries, so there everything is."""
    if _in_word(clause[start]) and start and _in_word(clause[start - 1]):
        return False
    return open_ended or end >= len(clause) or not (_in_word(clause[end - 1]) and _in_word(clause[end]))


def _in_word(character: str) -> bool:
    return character.isascii() and character.isalnum()
