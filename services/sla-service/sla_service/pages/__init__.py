"""The page of the published promise: server-rendered, in both languages, without JavaScript, made for a phone first."""

from typing import Any

from shared.contracts.vocabulary import Language
from shared.web.html import language_of, templates
from sla_service.pages.words import WORDS

__all__ = ["language_of", "render"]

_TEMPLATES = templates("sla_service")


def render(template: str, language: Language, **values: Any) -> str:
    """The words come in `language`."""
    return _TEMPLATES.get_template(template).render(language=language.value, words=WORDS[language], **values)
