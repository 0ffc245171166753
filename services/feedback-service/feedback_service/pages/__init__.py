"""The customer's pages: server-rendered, in both languages, without JavaScript, made for a phone first (D1)."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from feedback_service.pages.words import WORDS
from shared.contracts.vocabulary import Language

__all__ = ["WORDS", "language_of", "render"]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("feedback_service", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, language: Language, **values: Any) -> str:
    """`template` is ``survey.html`` or ``notice.html``; the words come in `language`."""
    return _environment().get_template(template).render(language=language.value, words=WORDS[language], **values)


def language_of(asked: str | None, known: Language) -> Language:
    """An explicit ``?lang=`` wins over the customer's language as intake knows it."""
    return Language(asked) if asked in {"zh", "en"} else known
