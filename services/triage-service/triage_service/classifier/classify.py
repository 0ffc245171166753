"""Rules with weights to a verdict with confidence and reasons (B1, B2, B3)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Emotion, Kind, Priority, Urgency
from triage_service.classifier.lexicon import Lexicon
from triage_service.classifier.rules import DEFAULTS, Added, Category, Dimension, Rule, rules_of, text_of, weights_of

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


class Classifier:
    """Compiled once; `classify` is pure and takes some tens of microseconds.

    Only the given categories are ever chosen: weight for an issue type that the company has switched off goes to
    its parent, and from there to `other`.
    """

    def __init__(self, lexicon: Mapping[str, Any], rules: Mapping[str, Any], categories: Iterable[Category]) -> None:
        self._categories: dict[Dimension, dict[str, Category]] = {dimension: {} for dimension in Dimension}
        for category in categories:
            self._categories[category.dimension][category.code] = category
        worded = [entry for known in self._categories.values() for entry in known.values() if entry.keywords]
        self._lexicon = Lexicon(
            lexicon, {f"keyword:{entry.dimension}.{entry.code}": entry.keywords for entry in worded}
        )
        own = {
            "rules": [
                *rules["rules"],
                *(
                    {
                        "id": f"keyword:{entry.dimension}.{entry.code}",
                        "all": [f"keyword:{entry.dimension}.{entry.code}"],
                        "weights": {f"{entry.dimension}.{entry.code}": rules["keyword"]["weight"]},
                        "zh": f"{rules['keyword']['zh']}：{entry.label.zh}",
                        "en": f"{rules['keyword']['en']}: {entry.label.en}",
                    }
                    for entry in worded
                ),
            ]
        }
        self._rules = rules_of(own, self._lexicon.concepts)
        self._fields: Mapping[str, float] = rules["fields"]
        self._priority = {
            Priority(name): Added(f"priority-{name}", text_of(data), weights_of(data["weights"]))
            for name, data in rules["priority"].items()
        }
        self._of_issue_weight = float(rules["responsible_of_issue"]["weight"])
        self._of_issue, self._raised, self._nothing, self._tie = (
            text_of(rules[name]) for name in ("responsible_of_issue", "raised_by_emotion", "nothing", "tie")
        )

    def classify(self, narrative: Narrative) -> Verdict:
        scores: dict[Dimension, dict[str, float]] = {
            dimension: dict.fromkeys(known, 0.0) for dimension, known in self._categories.items()
        }
        reasons: list[Reason] = []
        for rule, factor in self._fired(narrative):
            heaviest = 0.0
            for dimension, code, weight in rule.weights:
                counted = weight * factor
                known = self._known(dimension, code)
                scores[dimension][known] = scores[dimension].get(known, 0.0) + counted
                heaviest = max(heaviest, counted)
            reasons.append(Reason(rule=rule.id, weight=round(heaviest, 2), text=rule.text))
        if not reasons:
            reasons.append(Reason(rule="no-rule", weight=0.0, text=self._nothing))
        if narrative.priority is not None:
            added = self._priority[narrative.priority]
            for dimension, code, weight in added.weights:
                scores[dimension][code] += weight
            reasons.append(Reason(rule=added.id, weight=added.weights[0][2], text=added.text))

        issue, issue_sure, issue_tied = self._choose(Dimension.ISSUE, scores)
        usual = self._categories[Dimension.ISSUE][issue].responsible
        if usual in scores[Dimension.RESPONSIBLE] and issue != DEFAULTS[Dimension.ISSUE]:
            scores[Dimension.RESPONSIBLE][usual] += self._of_issue_weight
            reasons.append(Reason(rule="responsible-of-issue", weight=self._of_issue_weight, text=self._of_issue))
        kind, kind_sure, kind_tied = self._choose(Dimension.KIND, scores)
        urgency, urgency_sure, urgency_tied = self._choose(Dimension.URGENCY, scores)
        responsible, responsible_sure, responsible_tied = self._choose(Dimension.RESPONSIBLE, scores)
        emotion, emotion_sure, _ = self._choose(Dimension.EMOTION, scores)

        reasons.sort(key=lambda reason: (-reason.weight, reason.rule))
        if issue_tied or kind_tied or urgency_tied or responsible_tied:
            reasons.insert(0, Reason(rule="tie", weight=0.0, text=self._tie))
        level = Urgency(urgency)
        if emotion == Emotion.ANGRY and level is not Urgency.HIGH:
            level = URGENCIES[URGENCIES.index(level) + 1]
            reasons.insert(0, Reason(rule="raised-by-emotion", weight=1.0, text=self._raised))
        sure = {
            Dimension.KIND: kind_sure,
            Dimension.ISSUE: issue_sure,
            Dimension.URGENCY: urgency_sure,
            Dimension.RESPONSIBLE: responsible_sure,
        }
        return Verdict(
            kind=Kind(kind),
            issue_type=issue,
            urgency=level,
            responsible=responsible,
            emotion=Emotion(emotion),
            confidence=round(math.prod(sure.values()) ** (1 / len(sure)), 3),
            confidences={name: round(value, 3) for name, value in {**sure, Dimension.EMOTION: emotion_sure}.items()},
            reasons=tuple(reasons[:MOST_REASONS]),
        )

    def _fired(self, narrative: Narrative) -> list[tuple[Rule, float]]:
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
        fired: list[tuple[Rule, float]] = []
        for rule in self._rules:
            if rule.may_fire(everything):
                best = max((factor for concepts, factor in places.items() if rule.fires(concepts)), default=0.0)
                if best:
                    fired.append((rule, best))
        return fired

    def _known(self, dimension: Dimension, code: str) -> str:
        known = self._categories[dimension]
        while code not in known:
            if "." not in code:
                return DEFAULTS[dimension]
            code = code.rpartition(".")[0]
        return code

    def _choose(self, dimension: Dimension, scores: Mapping[Dimension, Mapping[str, float]]) -> tuple[str, float, bool]:
        """The best category, its share (softmax), and whether several that something speaks for tied."""
        scored = scores[dimension]
        best = max(scored.values())
        winners = [code for code, score in scored.items() if score >= best - 1e-9]
        share = 1.0 / sum(math.exp(score - best) for score in scored.values())
        if best <= 0:
            return DEFAULTS[dimension], share, False
        if len(winners) == 1:
            return winners[0], share, False
        return self._safer(dimension, winners), share, True

    def _safer(self, dimension: Dimension, tied: list[str]) -> str:
        if dimension is Dimension.URGENCY:
            return min(tied, key=lambda code: URGENCIES.index(Urgency(code)))
        parents = {code.rpartition(".")[0] for code in tied}
        if dimension is Dimension.ISSUE and len(parents) == 1 and parents & self._categories[dimension].keys():
            return parents.pop()
        return DEFAULTS[dimension]
