"""The customer's pages: server-rendered, in both languages, without JavaScript, made for a phone first (D1)."""

from typing import Any

from feedback_service.pages.words import WORDS
from shared.contracts.vocabulary import Language
from shared.web.html import templates

__all__ = ["WORDS", "language_of", "render"]

_TEMPLATES = templates("feedback_service")


def render(template: str, language: Language, **values: Any) -> str:
    """`template` is ``survey.html`` or ``notice.html``; the words come in `language`."""
    return _TEMPLATES.get_template(template).render(language=language.value, words=WORDS[language], **values)


def language_of(asked: str | None, known: Language) -> Language:
    """An explicit ``?lang=`` wins over the customer's language as intake knows it."""
    return Language(asked) if asked in {"zh", "en"} else known
