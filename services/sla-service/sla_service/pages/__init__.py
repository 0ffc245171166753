"""The page of the published promise: server-rendered, in both languages, without JavaScript, made for a phone first."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from shared.contracts.vocabulary import Language
from sla_service.pages.words import WORDS

__all__ = ["language_of", "render"]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sla_service", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, language: Language, **values: Any) -> str:
    """The words come in `language`."""
    return _environment().get_template(template).render(language=language.value, words=WORDS[language], **values)


def language_of(asked: str | None, accepted: str | None) -> Language:
    """An explicit ``?lang=`` wins over `accepted`, the Accept-Language header (RFC 9110, 12.5.4); Chinese where neither
    names a language of ours."""
    if asked in set(Language):
        return Language(asked)
    best, weight = Language.ZH, 0.0
    for part in (accepted or "").split(","):
        tag, _, quality = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in set(Language) and (given := _weight(quality)) > weight:
            best, weight = Language(name), given
    return best


def _weight(quality: str) -> float:
    """Of ``q=0.8``; 1 where nothing is given, 0 where it cannot be read."""
    name, _, value = quality.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
