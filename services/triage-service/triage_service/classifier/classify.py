"""Rules with weights to a verdict with confidence and reasons (B1, B2, B3)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Emotion, Kind, Priority, Urgency
from triage_service.classifier.lexicon import Lexicon
from triage_service.classifier.rules import DEFAULTS, Category, Dimension, Rule, rules_of, text_of, weights_of

#: A rule whose words are spread over one sentence counts less than one whose words stand in one clause.
IN_SENTENCE = 0.8
MOST_REASONS = 12
URGENCIES = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH)


@dataclass(frozen=True, slots=True)
class Narrative:
    """What is read of a complaint: its texts and the priority given at receipt (A2, A7)."""

    symptom: str
    scene: str = ""
    impact: str = ""
    demands: tuple[str, ...] = ()
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence` is the geometric mean of `confidences` (0 to 1) of kind, issue, urgency and responsible party."""

    kind: Kind
    issue_type: str
    urgency: Urgency
    responsible: str
    emotion: Emotion
    confidence: float
    confidences: Mapping[Dimension, float]
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class _Choices:
    """The categories of one dimension with their scores; slots are positions in one flat list of scores."""

    codes: list[str] = field(default_factory=list)
    start: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.codes)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A rule with its weights resolved to slots.

    `signs` are of urgency, where the weightiest counts and not the sum: many small troubles beside a great one do not
    make it less.
    """

    rule: Rule
    sums: tuple[tuple[int, float], ...]
    signs: tuple[tuple[int, float], ...]
    heaviest: float


class Classifier:
    """Compiled once; `classify` is pure and takes about a tenth of a millisecond.

    Only the given categories are ever chosen: weight for an issue type that the company has switched off goes to
    its parent, and from there to `other`.
    """

    def __init__(self, lexicon: Mapping[str, Any], rules: Mapping[str, Any], categories: Iterable[Category]) -> None:
        known = list(categories)
        self._choices = {dimension: _Choices() for dimension in Dimension}
        for category in known:
            self._choices[category.dimension].codes.append(category.code)
        size = 0
        for choices in self._choices.values():
            choices.start = size
            size += len(choices.codes)
        self._zero = [0.0] * size
        self._usual = {entry.code: entry.responsible for entry in known if entry.dimension is Dimension.ISSUE}

        worded = {f"keyword:{entry.dimension}.{entry.code}": entry for entry in known if entry.keywords}
        self._lexicon = Lexicon(lexicon, {name: entry.keywords for name, entry in worded.items()})
        added = [
            {
                "id": name,
                "all": [name],
                "weights": {name.removeprefix("keyword:"): rules["keyword"]["weight"]},
                "zh": f"{rules['keyword']['zh']}：{entry.label.zh}",
                "en": f"{rules['keyword']['en']}: {entry.label.en}",
            }
            for name, entry in worded.items()
        ]
        compiled = rules_of({"rules": [*rules["rules"], *added]}, self._lexicon.concepts)
        self._rules = [self._weighed(rule) for rule in compiled]
        self._fields: Mapping[str, float] = rules["fields"]
        self._priority = {
            Priority(name): [
                (self._slot(dimension, code), weight) for dimension, code, weight in weights_of(data["weights"])
            ]
            for name, data in rules["priority"].items()
        }
        self._texts = {
            **{f"priority-{name}": text_of(data) for name, data in rules["priority"].items()},
            "responsible-of-issue": text_of(rules["responsible_of_issue"]),
            "raised-by-emotion": text_of(rules["raised_by_emotion"]),
            "no-rule": text_of(rules["nothing"]),
            "tie": text_of(rules["tie"]),
            **{rule.id: rule.text for rule in compiled},
        }
        self._of_issue_weight = float(rules["responsible_of_issue"]["weight"])
        #: Reasons are made once per rule and weight: there are few of them and each complaint has several.
        self._reasons: dict[tuple[str, float], Reason] = {}

    def classify(self, narrative: Narrative) -> Verdict:
        scores = self._zero.copy()
        reasons: list[Reason] = []
        for weighed, factor in self._fired(narrative):
            for slot, weight in weighed.sums:
                scores[slot] += weight * factor
            for slot, weight in weighed.signs:
                scores[slot] = max(scores[slot], weight * factor)
            reasons.append(self._reason(weighed.rule.id, weighed.heaviest * factor))
        if not reasons:
            reasons.append(self._reason("no-rule", 0.0))
        if narrative.priority is not None:
            for slot, weight in self._priority[narrative.priority]:
                scores[slot] += weight
                reasons.append(self._reason(f"priority-{narrative.priority.value}", weight))

        issue, issue_sure, issue_tied = self._choose(Dimension.ISSUE, scores)
        usual = self._usual.get(issue)
        if usual in self._choices[Dimension.RESPONSIBLE].codes and issue != DEFAULTS[Dimension.ISSUE]:
            scores[self._slot(Dimension.RESPONSIBLE, usual)] += self._of_issue_weight
            reasons.append(self._reason("responsible-of-issue", self._of_issue_weight))
        kind, kind_sure, kind_tied = self._choose(Dimension.KIND, scores)
        urgency, urgency_sure, urgency_tied = self._choose(Dimension.URGENCY, scores)
        responsible, responsible_sure, responsible_tied = self._choose(Dimension.RESPONSIBLE, scores)
        emotion, emotion_sure, _ = self._choose(Dimension.EMOTION, scores)

        reasons.sort(key=lambda reason: (-reason.weight, reason.rule))
        if issue_tied or kind_tied or urgency_tied or responsible_tied:
            reasons.insert(0, self._reason("tie", 0.0))
        level = Urgency(urgency)
        if emotion == Emotion.ANGRY and level is not Urgency.HIGH:
            level = URGENCIES[URGENCIES.index(level) + 1]
            reasons.insert(0, self._reason("raised-by-emotion", 1.0))
        sure = (kind_sure, issue_sure, urgency_sure, responsible_sure)
        return Verdict(
            kind=Kind(kind),
            issue_type=issue,
            urgency=level,
            responsible=responsible,
            emotion=Emotion(emotion),
            confidence=round(math.prod(sure) ** (1 / len(sure)), 3),
            confidences={
                Dimension.KIND: round(kind_sure, 3),
                Dimension.ISSUE: round(issue_sure, 3),
                Dimension.URGENCY: round(urgency_sure, 3),
                Dimension.RESPONSIBLE: round(responsible_sure, 3),
                Dimension.EMOTION: round(emotion_sure, 3),
            },
            reasons=tuple(reasons[:MOST_REASONS]),
        )

    def _fired(self, narrative: Narrative) -> list[tuple[_Weighed, float]]:
        """Each rule that fires, once, with the highest factor of the places where it does."""
        places: dict[int, float] = {}
        texts = [("symptom", narrative.symptom), ("impact", narrative.impact), ("scene", narrative.scene)]
        texts.extend(("demand", text) for text in narrative.demands)
        for name, text in texts:
            if not text:
                continue
            factor = self._fields[name]
            for clauses in self._lexicon.clauses(text):
                whole = 0
                for concepts in clauses:
                    whole |= concepts
                    if concepts and places.get(concepts, 0.0) < factor:
                        places[concepts] = factor
                if whole and places.get(whole, 0.0) < factor * IN_SENTENCE:
                    places[whole] = factor * IN_SENTENCE
        everything = 0
        for concepts in places:
            everything |= concepts
        fired: list[tuple[_Weighed, float]] = []
        for weighed in self._rules:
            first, second = weighed.rule.needs
            if not (everything & first and everything & second):
                continue
            best = 0.0
            for concepts, factor in places.items():
                if factor > best and weighed.rule.fires(concepts):
                    best = factor
            if best:
                fired.append((weighed, best))
        return fired

    def _weighed(self, rule: Rule) -> _Weighed:
        slots = [(dimension, self._slot(dimension, code), weight) for dimension, code, weight in rule.weights]
        return _Weighed(
            rule,
            sums=tuple((slot, weight) for dimension, slot, weight in slots if dimension is not Dimension.URGENCY),
            signs=tuple((slot, weight) for dimension, slot, weight in slots if dimension is Dimension.URGENCY),
            heaviest=max(weight for _, _, weight in slots),
        )

    def _slot(self, dimension: Dimension, code: str) -> int:
        """The slot of a code, of its nearest ancestor that there is, or of the dimension's default."""
        choices = self._choices[dimension]
        while code not in choices.codes:
            code = code.rpartition(".")[0] or DEFAULTS[dimension]
        return choices.start + choices.codes.index(code)

    def _reason(self, rule: str, weight: float) -> Reason:
        key = (rule, round(weight, 2))
        known = self._reasons.get(key)
        if known is None:
            known = self._reasons[key] = Reason(rule=rule, weight=key[1], text=self._texts[rule])
        return known

    def _choose(self, dimension: Dimension, scores: list[float]) -> tuple[str, float, bool]:
        """The best category, its share (softmax), and whether several that something speaks for tied."""
        choices = self._choices[dimension]
        scored = scores[choices.start : choices.end]
        best = max(scored)
        share = 1.0 / sum([math.exp(score - best) for score in scored])
        if best <= 0:
            return DEFAULTS[dimension], share, False
        winners = [code for code, score in zip(choices.codes, scored, strict=True) if score >= best - 1e-9]
        if len(winners) == 1:
            return winners[0], share, False
        return self._safer(dimension, winners), share, True

    def _safer(self, dimension: Dimension, tied: list[str]) -> str:
        if dimension is Dimension.URGENCY:
            return min(tied, key=lambda code: URGENCIES.index(Urgency(code)))
        parents = {code.rpartition(".")[0] for code in tied}
        if dimension is Dimension.ISSUE and len(parents) == 1 and parents <= set(self._choices[dimension].codes):
            return parents.pop()
        return DEFAULTS[dimension]
