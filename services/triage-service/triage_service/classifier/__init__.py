"""The rule classifier: text in Chinese or English in, kind, issue type, urgency, responsible party and emotion out.

Pure: what it knows is data (``data/lexicon.yaml``, ``data/rules.yaml`` and the taxonomy's table), what it says is
explained by the rules that fired. Reasons name rules, never the complainant's words.
"""

from triage_service.classifier.classify import Classifier, Narrative, Verdict
from triage_service.classifier.rules import DEFAULTS, Category, Dimension

__all__ = ["DEFAULTS", "Category", "Classifier", "Dimension", "Narrative", "Verdict"]
